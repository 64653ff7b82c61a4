// See propagation.h. A propagation is one to two words, in any order, as mountinfo prints them in
// one order and people say them in the other.
#include "compiler/spec/propagation.h"

#include <fmt/format.h>

#include <array>

namespace mntcr::spec {
namespace {

constexpr auto stems =
    std::to_array<std::string_view>({"private", "unbindable", "shared", "slave"});

constexpr std::string_view forms =
    R"(it is "private", "unbindable", "shared", "shared:GROUP" or "slave:GROUP", the last also with " shared" or )"
    R"(" unbindable" behind it)";

/// A word of the value, "slave:spool", with the places of its bytes.
struct Word {
  std::string_view text;
  std::size_t begin = 0;

  [[nodiscard]] std::size_t end() const { return begin + text.size(); }
  [[nodiscard]] std::size_t colon() const { return std::min(text.find(':'), text.size()); }
  [[nodiscard]] std::string_view stem() const { return text.substr(0, colon()); }
  [[nodiscard]] bool names_group() const { return colon() < text.size(); }
  [[nodiscard]] std::size_t group_begin() const { return begin + colon() + 1; }
};

std::vector<Word> split(std::string_view value) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find(' ', at), value.size());
    if (end > at) words.push_back({value.substr(at, end - at), at});
    at = end + 1;
  }
  return words;
}

/// Reads the words of one value.
class WordReader {
 public:
  WordReader(Context& context, const Text& text) : context_(context), text_(text) {}

  std::optional<PropagationDecl> read() {
    const std::vector<Word> words = split(text_.value);
    if (words.empty()) {
      context_.diagnostics.add(Code::E0270, text_.span, "`propagation` is empty")
          .help(std::string(forms));
      return std::nullopt;
    }
    result_.span = text_.span;
    for (const Word& word : words) read_word(word);
    if (good_) check_together(words);
    return good_ ? std::optional(std::move(result_)) : std::nullopt;
  }

 private:
  void read_word(const Word& word) {
    const std::string_view stem = word.stem();
    if (stem == "private" || stem == "unbindable") {
      if (word.names_group()) {
        complain(word, fmt::format("`{}` takes no group", stem))
            .help(fmt::format("write \"{}\"", stem));
      }
      (stem == "private" ? private_ : result_.unbindable) = true;
    } else if (stem == "shared") {
      if (result_.shared) twice(word);
      result_.shared = true;
      if (word.names_group()) result_.group = group(word);
    } else if (stem == "slave" && word.names_group()) {
      if (!result_.master.value.empty()) twice(word);
      result_.master = group(word);
    } else {
      unknown(word);
    }
  }

  /// The group that a word names.
  Str group(const Word& word) {
    const std::string_view name = word.text.substr(word.colon() + 1);
    const Span span = text_.at(word.group_begin(), word.end());
    if (name.empty()) {
      complain(word, fmt::format("`{}` names no group", word.text))
          .help(
              fmt::format("write \"{0}:NAME\", or \"{0}:parent\" for the group that the source has "
                          "in the parent",
                          word.stem()));
    } else if (const auto fault = syntax::find_name_fault(name)) {
      const std::size_t begin = word.group_begin();
      context_.diagnostics
          .add(Code::E0206, text_.at(begin + fault->begin, begin + fault->end), fault->message)
          .help(fault->help);
      good_ = false;
    }
    return {std::string(name), span};
  }

  void unknown(const Word& word) {
    const std::string_view stem = word.stem();
    if (stem == "slave") {
      complain(word, "a slave of what?")
          .help(
              R"(write "slave:parent" for the group that the source has in the parent, or "slave:GROUP")");
      return;
    }
    Diagnostic& diagnostic =
        complain(word, fmt::format("no propagation is called `{}`", word.text));
    if (word.text.find(',') != std::string_view::npos) {
      diagnostic.help("words are separated by a space");
    } else if (stem == "master") {
      diagnostic.help("write \"slave:GROUP\": the mount is the slave, the group its master");
    } else if (const std::string_view other = propagation_for(stem); !other.empty()) {
      diagnostic.note("it is about one mount, as a bind is: there is no recursive form")
          .help(fmt::format("write \"{}\"", other));
    } else {
      suggest(diagnostic, stem, {stems.begin(), stems.end()}, forms);
    }
  }

  void twice(const Word& word) {
    contradiction(word, fmt::format("a second `{}`", word.stem()))
        .note("the members of a group have one master, and a mount is in one group");
  }

  void check_together(const std::vector<Word>& words) {
    const Word& last = words.back();
    if (private_ && words.size() > 1) {
      contradiction(last, "`private` with another word")
          .note("a private mount is in no group, and a slave of none");
    } else if (result_.unbindable && result_.shared) {
      contradiction(last, "`unbindable` with `shared`")
          .note("the kernel makes a mount that becomes shared bindable again");
    } else if (!result_.master.value.empty() && result_.master.value == result_.group.value &&
               result_.master.value != "parent") {
      contradiction(last, fmt::format("a slave of its own group `{}`", result_.group.value))
          .note("a slave receives what happens in another group");
    }
  }

  Diagnostic& complain(const Word& word, std::string message) {
    good_ = false;
    return context_.diagnostics.add(Code::E0270, text_.at(word.begin, word.end()),
                                    std::move(message));
  }

  Diagnostic& contradiction(const Word& word, std::string message) {
    good_ = false;
    return context_.diagnostics
        .add(Code::E0271, text_.at(word.begin, word.end()), std::move(message))
        .help("keep one of them");
  }

  Context& context_;
  const Text& text_;
  PropagationDecl result_;
  bool private_ = false;
  bool good_ = true;
};

}  // namespace

void decode_propagation(Context& context, TableReader& table, MountDecl& mount) {
  if (const auto text = table.string("propagation")) {
    auto read = WordReader(context, *text).read();
    if (read) mount.propagation = std::move(*read);
  }
}

std::string_view propagation_for(std::string_view word) {
  if (word.starts_with('r')) word.remove_prefix(1);
  if (word == "private" || word == "unbindable" || word == "shared") return word;
  return word == "slave" ? "slave:parent" : "";
}

}  // namespace mntcr::spec
