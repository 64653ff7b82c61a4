// See options.h. The words come from specs/mount_options.def, specs/filesystem_flags.def and
// specs/filesystems.def. A word in none is never passed on to the kernel: it is an error that says
// what was probably meant.
#include "compiler/spec/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/spec/propagation.h"
#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

/// A flag or parameter that was accepted, for comparison with those after it.
struct Seen {
  std::string word;
  std::string key;               ///< a parameter's; empty for a flag
  AttrDemand demand;             ///< on the mount
  AttrDemand filesystem_demand;  ///< on the filesystem
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

  [[nodiscard]] const FilesystemFlag* find_flag_here(const std::string& word) const;
  void filesystem_flag(const Text& text, const FilesystemFlag& flag);
  void flag(const Text& text, const MountOption& option);
  bool is_decided(const Text& text, AttrDemand Seen::* which, const AttrDemand& demand);
  bool flag_with_value(const Text& text, const ParamWord& word);
  bool word_with_key(const Text& text);
  bool recursive_word(const Text& text);
  bool param(const Text& text, const ParamWord& word);
  bool param_elsewhere(const Text& text, const ParamWord& word);
  void not_of_singleton(const Text& text);
  void unknown(const Text& text, const ParamWord& word);
  bool repeated(const Text& text, Code code, const Seen& seen, std::string_view message);

  Context& context_;
  OptionPlace place_;
  std::string_view type_;
  std::vector<Seen> seen_;
  Options result_;
};

void OptionDecoder::decode(const Text& text) {
  if (const FilesystemFlag* flag = find_flag_here(text.value)) return filesystem_flag(text, *flag);
  if (const MountOption* option = find_mount_option(text.value)) return flag(text, *option);
  const ParamWord word = split_param(text.value);
  if (flag_with_value(text, word) || word_with_key(text) || param(text, word)) return;
  if (recursive_word(text) || param_elsewhere(text, word)) return;
  if (place_ != OptionPlace::bind && type_.empty()) return;  // its `type` was complained about
  unknown(text, word);
}

/// A flag of a filesystem. In a [filesystem] `ro` and `rw` can mean nothing else.
const FilesystemFlag* OptionDecoder::find_flag_here(const std::string& word) const {
  const bool short_form = place_ == OptionPlace::filesystem && (word == "ro" || word == "rw");
  return find_filesystem_flag(short_form ? word + "=fs" : word);
}

void OptionDecoder::filesystem_flag(const Text& text, const FilesystemFlag& flag) {
  if (place_ == OptionPlace::bind) {
    Diagnostic& diagnostic =
        add(Code::E0216, text,
            fmt::format("`{}` is a flag of a filesystem, and this mount makes none", text.value))
            .note("a mount with `source` shows a filesystem that is there already, as it is")
            .help("it stands in [filesystem.NAME], or in the options of a mount with `type`");
    const ParamWord word = split_param(text.value);
    if (word.has_value) diagnostic.help(fmt::format("write `{}` for this mount alone", word.key));
    return;
  }
  if (is_singleton(type_)) return not_of_singleton(text);
  if (is_decided(text, &Seen::filesystem_demand, flag.demand)) return;
  seen_.push_back({text.value, "", {}, flag.demand, text.span});
  result_.filesystem_flags.value |= flag.demand.value;
  result_.filesystem_flags.mask |= flag.demand.mask;
}

void OptionDecoder::not_of_singleton(const Text& text) {
  add(Code::E0240, text, fmt::format("`{}` would change the {} of the host", text.value, type_))
      .note(fmt::format("{} is one filesystem, however often it is mounted", type_))
      .help("take the word away; flags of the mount alone, such as `ro`, are good");
}

/// Whether a word before decides the same flags, and then says so.
bool OptionDecoder::is_decided(const Text& text, AttrDemand Seen::* which,
                               const AttrDemand& demand) {
  for (const Seen& seen : seen_) {
    const AttrDemand& before = seen.*which;
    if ((before.mask & demand.mask) == 0) continue;
    if (before == demand) {
      return repeated(text, Code::W0201, seen, fmt::format("`{}` is written twice", text.value));
    }
    return repeated(text, Code::E0215, seen,
                    fmt::format("`{}` contradicts `{}`", text.value, seen.word));
  }
  return false;
}

void OptionDecoder::flag(const Text& text, const MountOption& option) {
  if (place_ == OptionPlace::filesystem) {
    add(Code::E0217, text,
        fmt::format("`{}` is a flag of a mount, not of a filesystem", text.value))
        .help("write it in the options of the [[mount]] that shows the filesystem");
    return;
  }
  if (is_decided(text, &Seen::demand, option.demand)) return;
  seen_.push_back({text.value, "", option.demand, {}, text.span});
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
  } else if (key == "propagation") {
    diagnostic.help(
        fmt::format("write propagation = \"{}\" beside `options`", propagation_for(text.value)));
  } else if (key == "idmap") {
    diagnostic.help(R"(write idmap = { uid = ["0:100000:65536"] } beside `options`)");
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
    const FilesystemParam* before = find_filesystem_param(type_, seen.key);
    if (before == nullptr || !decide_the_same(*before, *param)) continue;
    if (before == param && normalise_param(*param, split_param(seen.word).value) ==
                               normalise_param(*param, word.value)) {
      return repeated(text, Code::W0201, seen, fmt::format("`{}` is given twice", word.key));
    }
    return repeated(text, Code::E0215, seen,
                    fmt::format("`{}` contradicts `{}`", text.value, seen.word));
  }
  seen_.push_back({text.value, std::string(word.key), {}, {}, text.span});
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
  if (is_singleton(type_)) {
    not_of_singleton(text);
    return true;
  }
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
  if (text.value == "newinstance" && type_ == "devpts") {
    diagnostic.help("take the word away: each devpts that is mounted is a new instance");
    return;
  }
  std::vector<std::string_view> candidates;
  if (place_ != OptionPlace::filesystem) {
    for (const MountOption& option : mount_options()) candidates.push_back(option.word);
  }
  if (is_singleton(type_)) diagnostic.note(fmt::format("{} takes no parameters here", type_));
  if (place_ != OptionPlace::bind && !is_singleton(type_)) {
    for (const FilesystemFlag& flag : filesystem_flags()) candidates.push_back(flag.word);
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
