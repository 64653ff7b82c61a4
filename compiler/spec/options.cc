// See options.h. The words come from specs/mount_options.def and specs/filesystems.def. A word in
// neither is never passed on to the kernel: it is an error that says what was probably meant.
#include "compiler/spec/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/filesystems.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

/// A flag or parameter that was accepted, for comparison with those after it.
struct Seen {
  std::string word;
  std::string key;  ///< a parameter's; empty for a flag
  AttrDemand demand;
  Span span;
};

/// Reads one array of options.
class OptionDecoder {
 public:
  OptionDecoder(Context& context, OptionPlace place, std::string_view type)
      : context_(context), place_(place), type_(type) {}

  void decode(const Text& text);
  Options take() { return std::move(result_); }

 private:
  Diagnostic& add(Code code, const Text& text, std::string message) {
    return context_.diagnostics.add(code, text.span, std::move(message));
  }

  void flag(const Text& text, const MountOption& option);
  bool flag_with_value(const Text& text, const ParamWord& word);
  bool word_with_key(const Text& text);
  bool recursive_word(const Text& text);
  bool param(const Text& text, const ParamWord& word);
  bool param_elsewhere(const Text& text, const ParamWord& word);
  void unknown(const Text& text, const ParamWord& word);
  bool repeated(const Text& text, Code code, const Seen& seen, std::string_view message);

  Context& context_;
  OptionPlace place_;
  std::string_view type_;
  std::vector<Seen> seen_;
  Options result_;
};

void OptionDecoder::decode(const Text& text) {
  if (const MountOption* option = find_mount_option(text.value)) return flag(text, *option);
  const ParamWord word = split_param(text.value);
  if (flag_with_value(text, word) || word_with_key(text) || param(text, word)) return;
  if (recursive_word(text) || param_elsewhere(text, word)) return;
  if (place_ != OptionPlace::bind && type_.empty()) return;  // its `type` was complained about
  unknown(text, word);
}

void OptionDecoder::flag(const Text& text, const MountOption& option) {
  if (place_ == OptionPlace::filesystem) {
    add(Code::E0217, text,
        fmt::format("`{}` is a flag of a mount, not of a filesystem", text.value))
        .help("write it in the options of the [[mount]] that shows the filesystem");
    return;
  }
  for (const Seen& seen : seen_) {
    if ((seen.demand.mask & option.demand.mask) == 0) continue;
    if (seen.demand == option.demand) {
      repeated(text, Code::W0201, seen, fmt::format("`{}` is written twice", text.value));
    } else {
      repeated(text, Code::E0215, seen,
               fmt::format("`{}` contradicts `{}`", text.value, seen.word));
    }
    return;
  }
  seen_.push_back({text.value, "", option.demand, text.span});
  result_.attrs.value |= option.demand.value;
  result_.attrs.mask |= option.demand.mask;
}

/// Adds a message about `text` that is in the way of an earlier word.
bool OptionDecoder::repeated(const Text& text, Code code, const Seen& seen,
                             std::string_view message) {
  add(code, text, std::string(message))
      .label(seen.span, "the first is here")
      .help("keep one of them");
  return true;
}

bool OptionDecoder::flag_with_value(const Text& text, const ParamWord& word) {
  if (!word.has_value || find_mount_option(word.key) == nullptr) return false;
  if (is_reserved_form(word.value)) {
    add(Code::E0202, text, fmt::format("`{}` is not in this version of the language", text.value))
        .help(fmt::format("write `{}` for this mount alone", word.key));
  } else {
    add(Code::E0218, text, fmt::format("`{}` takes no value", word.key))
        .help(fmt::format("write `{}`", word.key));
  }
  return true;
}

bool OptionDecoder::word_with_key(const Text& text) {
  const std::string_view key = key_for_option(text.value);
  if (key.empty()) return false;
  Diagnostic& diagnostic =
      add(Code::E0214, text,
          fmt::format("`{}` is not an option here: it is the key `{}`", text.value, key));
  if (key == "source") {
    diagnostic.help("a mount with `source` is a bind by itself: take the word away");
  } else if (key == "lower" || key == "upper" || key == "work") {
    diagnostic.help(fmt::format("write it beside `options`: {} = {}", key,
                                key == "lower" ? R"(["parent:/path"])" : R"("parent:/path")"));
  } else if (is_reserved_option_key(key)) {
    diagnostic.help(
        fmt::format("take the word away; `{}` is not in this version of the language", key));
  } else {
    diagnostic.help(R"(write create = "dir" beside `options`)");
  }
  return true;
}

/// "rro", "rnosuid": the OCI runtime specification's words for a whole subtree.
bool OptionDecoder::recursive_word(const Text& text) {
  if (!text.value.starts_with('r')) return false;
  const std::string_view rest = std::string_view(text.value).substr(1);
  if (find_mount_option(rest) == nullptr) return false;
  add(Code::E0202, text, fmt::format("`{}` is not in this version of the language", text.value))
      .help(fmt::format("write `{}` for this mount alone", rest));
  return true;
}

bool OptionDecoder::param(const Text& text, const ParamWord& word) {
  if (place_ == OptionPlace::bind) return false;
  const FilesystemParam* param = find_filesystem_param(type_, word.key);
  if (param == nullptr) return false;
  if (const auto error = param_value_error(*param, word)) {
    add(Code::E0218, text, fmt::format("bad value for the parameter `{}` of {}", word.key, type_))
        .note(*error);
    return true;
  }
  for (const Seen& seen : seen_) {
    if (seen.key != word.key) continue;
    if (normalise_param(*param, split_param(seen.word).value) ==
        normalise_param(*param, word.value)) {
      return repeated(text, Code::W0201, seen, fmt::format("`{}` is given twice", word.key));
    }
    return repeated(text, Code::E0215, seen,
                    fmt::format("`{}` contradicts `{}`", text.value, seen.word));
  }
  seen_.push_back({text.value, std::string(word.key), {}, text.span});
  result_.params.push_back(text.value);
  return true;
}

/// A parameter of some filesystem, but not of this one.
bool OptionDecoder::param_elsewhere(const Text& text, const ParamWord& word) {
  const auto params = filesystem_params();
  const auto other = std::find_if(params.begin(), params.end(), [&](const FilesystemParam& param) {
    return param.key == word.key;
  });
  if (other == params.end()) return false;
  if (place_ == OptionPlace::bind) {
    add(Code::E0216, text,
        fmt::format("`{}` is a parameter of a filesystem, and this mount makes none", word.key))
        .note("a mount with `source` shows a filesystem that is there already, as it is")
        .help("parameters stand in [filesystem.NAME], or in the options of a mount with `type`");
    return true;
  }
  if (type_.empty()) return true;
  add(Code::E0213, text, fmt::format("{} has no parameter `{}`", type_, word.key))
      .note(fmt::format("it is one of {}", other->filesystem));
  return true;
}

void OptionDecoder::unknown(const Text& text, const ParamWord& word) {
  if (text.value.empty()) {
    add(Code::E0213, text, "an empty option").help("take it away");
    return;
  }
  Diagnostic& diagnostic = add(Code::E0213, text, fmt::format("unknown option `{}`", text.value));
  if (text.value.find(',') != std::string::npos) {
    diagnostic.help(R"(one word to a string: ["nosuid", "nodev"])");
    return;
  }
  if (text.value == "defaults") {
    diagnostic.help("take the word away: what is not written has its default");
    return;
  }
  std::vector<std::string_view> candidates;
  if (place_ != OptionPlace::filesystem) {
    for (const MountOption& option : mount_options()) candidates.push_back(option.word);
  }
  if (place_ != OptionPlace::bind) {
    for (const FilesystemParam& param : filesystem_params()) {
      if (param.filesystem == type_) candidates.push_back(param.key);
    }
  }
  suggest(diagnostic, word.key, candidates, "`mntcr explain E0213` lists where options come from");
}

}  // namespace

Options decode_options(Context& context, TableReader& table, OptionPlace place,
                       std::string_view type) {
  const Entry* entry =
      table.find("options", Node::Kind::array, R"(write options = ["nosuid", "nodev"])");
  if (entry == nullptr) return {};
  OptionDecoder decoder(context, place, type);
  for (const Node& item : entry->value.items) {
    if (item.kind != Node::Kind::string) {
      wrong_kind(context, item, "an option", "a string");
    } else if (const auto text = context.params.expand(item)) {
      decoder.decode(*text);
    }
  }
  return decoder.take();
}

}  // namespace mntcr::spec
