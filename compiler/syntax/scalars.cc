// The only file that knows PEGTL in the compiler. The grammars match every input: what is wrong is
// an alternative of its own whose action records the fault, so no exception is needed and all
// faults of a string are found in one pass.
#include "compiler/syntax/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <tao/pegtl.hpp>
#include <utility>

#include "runtime/base/utf8.h"

namespace mntcr::syntax {
namespace {

namespace peg = tao::pegtl;

/// Where `match` lies in the string that begins at `base`.
template <class Match>
std::pair<std::size_t, std::size_t> range(const Match& match, const char* base) {
  return {static_cast<std::size_t>(match.begin() - base),
          static_cast<std::size_t>(match.end() - base)};
}

// --- strings with ${params} ---

struct ParamName : peg::plus<peg::sor<peg::alnum, peg::one<'_', '-'>>> {};
struct Dollar : peg::string<'$', '$'> {};
struct Byte : peg::seq<peg::string<'$', '{', 'b', 'y', 't', 'e', ':'>, peg::xdigit, peg::xdigit,
                       peg::one<'}'>> {};
struct Param : peg::seq<peg::string<'$', '{'>, ParamName, peg::one<'}'>> {};
struct BadBraces : peg::seq<peg::string<'$', '{'>, peg::star<peg::not_one<'}', '/', '$'>>,
                            peg::opt<peg::one<'}'>>> {};
struct BadName : peg::seq<peg::one<'$'>, ParamName> {};
struct BadDollar : peg::one<'$'> {};
struct Literal : peg::plus<peg::not_one<'$'>> {};
struct TemplateGrammar
    : peg::seq<peg::star<peg::sor<Literal, Dollar, Byte, Param, BadBraces, BadName, BadDollar>>,
               peg::eof> {};

struct TemplateState {
  const char* base;
  Template result;

  template <class Match>
  void piece(const Match& match, TemplatePiece::Kind kind, std::string text) {
    const auto [begin, end] = range(match, base);
    result.pieces.push_back({kind, begin, end, std::move(text)});
  }
  template <class Match>
  void fault(const Match& match, std::string message, std::string help) {
    const auto [begin, end] = range(match, base);
    result.faults.push_back({begin, end, std::move(message), std::move(help)});
  }
};

template <class Rule>
struct TemplateAction : peg::nothing<Rule> {};
template <>
struct TemplateAction<Literal> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    state.piece(match, TemplatePiece::Kind::literal, match.string());
  }
};
template <>
struct TemplateAction<Dollar> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    state.piece(match, TemplatePiece::Kind::literal, "$");
  }
};
template <>
struct TemplateAction<Byte> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    const std::string digits = match.string().substr(7, 2);
    const auto byte = static_cast<char>(static_cast<unsigned char>(std::stoi(digits, nullptr, 16)));
    state.piece(match, TemplatePiece::Kind::literal, std::string(1, byte));
  }
};
template <>
struct TemplateAction<Param> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    const std::string written = match.string();
    state.piece(match, TemplatePiece::Kind::param, written.substr(2, written.size() - 3));
  }
};
template <>
struct TemplateAction<BadBraces> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    const std::string written = match.string();
    if (written.starts_with("${byte:")) {
      state.fault(match, "a raw byte is written with two hexadecimal digits",
                  "for example ${byte:FF}");
    } else if (written.ends_with('}')) {
      state.fault(
          match, "this is no name of a param",
          "a param's name has letters, digits, - and _; a dollar sign itself is written $$");
    } else {
      state.fault(match, "`${` is not closed", "write ${name}, or $$ for a dollar sign");
    }
  }
};
template <>
struct TemplateAction<BadName> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    const std::string name = match.string().substr(1);
    state.fault(match, fmt::format("a param is written in braces: ${{{}}}", name),
                fmt::format("write ${{{}}} for the param, or $${} for the text", name, name));
  }
};
template <>
struct TemplateAction<BadDollar> {
  template <class Match>
  static void apply(const Match& match, TemplateState& state) {
    state.fault(match, "a lone dollar sign", "write $$ for a dollar sign, ${name} for a param");
  }
};

// --- paths ---

struct Slash : peg::one<'/'> {};
struct End : peg::sor<peg::at<Slash>, peg::eof> {};
struct DotComponent : peg::seq<peg::one<'.'>, peg::opt<peg::one<'.'>>, End> {};
struct NameComponent : peg::plus<peg::not_one<'/'>> {};
struct EmptyComponent : peg::success {};
struct Component : peg::sor<DotComponent, NameComponent, EmptyComponent> {};
struct NoSlash : peg::not_at<Slash> {};
struct LeadingSlash : peg::at<Slash> {};
struct Components : peg::list<Component, Slash> {};
struct AbsolutePath : peg::seq<peg::sor<Slash, NoSlash>, peg::sor<peg::eof, Components>, peg::eof> {
};
struct RelativePath : peg::seq<peg::opt<LeadingSlash>, peg::sor<peg::eof, Components>, peg::eof> {};

struct PathState {
  std::string_view path;
  std::optional<ScalarFault> fault;

  void record(std::size_t begin, std::size_t end, std::string message, std::string help) {
    if (!fault) fault = ScalarFault{begin, end, std::move(message), std::move(help)};
  }
};

template <class Rule>
struct PathAction : peg::nothing<Rule> {};
template <>
struct PathAction<NoSlash> {
  template <class Match>
  static void apply(const Match&, PathState& state) {
    state.record(0, state.path.size(), "a path here begins with /", "");
  }
};
template <>
struct PathAction<LeadingSlash> {
  template <class Match>
  static void apply(const Match&, PathState& state) {
    state.record(0, 1, "a path here does not begin with /", "take the / away");
  }
};
template <>
struct PathAction<DotComponent> {
  template <class Match>
  static void apply(const Match& match, PathState& state) {
    const auto [begin, end] = range(match, state.path.data());
    state.record(begin, end, fmt::format("`{}` in a path", match.string()),
                 "paths are literal: write the place that is meant, without . and ..");
  }
};
template <>
struct PathAction<EmptyComponent> {
  template <class Match>
  static void apply(const Match& match, PathState& state) {
    const std::size_t at = range(match, state.path.data()).first;
    if (at == state.path.size()) {
      state.record(at - (at > 0 ? 1 : 0), at, "a path ends without /", "take the last / away");
    } else {
      state.record(at, at + 1, "two slashes in a row", "one is enough");
    }
  }
};
template <>
struct PathAction<NameComponent> {
  template <class Match>
  static void apply(const Match& match, PathState& state) {
    const auto [begin, end] = range(match, state.path.data());
    const std::size_t nul = state.path.substr(0, end).find('\0', begin);
    if (nul != std::string_view::npos) {
      state.record(nul, nul + 1, "a NUL byte in a path", "a path may hold any byte but NUL");
    }
    if (end - begin > max_component) {
      state.record(begin, end,
                   fmt::format("a name of {} bytes; Linux takes {}", end - begin, max_component),
                   "");
    }
  }
};

// --- names and sources ---

struct NameFirst : peg::ranges<'a', 'z', '0', '9'> {};
struct NameRest : peg::star<peg::ranges<'a', 'z', '0', '9', '_', '_', '-'>> {};
struct GoodName : peg::seq<NameFirst, NameRest, peg::eof> {};

struct Scheme : peg::plus<peg::sor<peg::alnum, peg::one<'_', '-'>>> {};
struct FsScheme : peg::string<'f', 's'> {};
struct FsName : peg::star<peg::not_one<'/'>> {};
struct SourcePath : peg::star<peg::any> {};
struct FsSource : peg::seq<FsScheme, peg::one<':'>, FsName, peg::opt<Slash, SourcePath>> {};
struct PathSource : peg::seq<Scheme, peg::one<':'>, SourcePath> {};
struct SourceGrammar : peg::seq<peg::sor<FsSource, PathSource>, peg::eof> {};

struct SourceState {
  std::string_view source;
  SourceParts parts;

  template <class Match>
  std::string_view view(const Match& match) const {
    const auto [begin, end] = range(match, source.data());
    return source.substr(begin, end - begin);
  }
};

template <class Rule>
struct SourceAction : peg::nothing<Rule> {};
template <>
struct SourceAction<FsScheme> {
  template <class Match>
  static void apply(const Match& match, SourceState& state) {
    state.parts.scheme = state.view(match);
  }
};
template <>
struct SourceAction<Scheme> : SourceAction<FsScheme> {};
template <>
struct SourceAction<FsName> {
  template <class Match>
  static void apply(const Match& match, SourceState& state) {
    state.parts.name = state.view(match);
    state.parts.name_begin = range(match, state.source.data()).first;
  }
};
template <>
struct SourceAction<SourcePath> {
  template <class Match>
  static void apply(const Match& match, SourceState& state) {
    state.parts.path = state.view(match);
    state.parts.has_path = true;
    state.parts.path_begin = range(match, state.source.data()).first;
  }
};

/// Input over `text` that knows nothing of lines.
auto input(std::string_view text) {
  return peg::memory_input<peg::tracking_mode::lazy>(text.data(), text.size(), "");
}

}  // namespace

Template parse_template(std::string_view text) {
  TemplateState state{text.data(), {}};
  auto in = input(text);
  peg::parse<TemplateGrammar, TemplateAction>(in, state);
  return std::move(state.result);
}

std::optional<ScalarFault> find_path_fault(std::string_view path, PathForm form) {
  PathState state{path, {}};
  auto in = input(path);
  if (form == PathForm::absolute) {
    peg::parse<AbsolutePath, PathAction>(in, state);
  } else {
    peg::parse<RelativePath, PathAction>(in, state);
  }
  if (path.size() > max_path) {
    state.record(0, path.size(),
                 fmt::format("a path of {} bytes; Linux takes {}", path.size(), max_path), "");
  }
  return std::move(state.fault);
}

std::optional<ScalarFault> find_name_fault(std::string_view name) {
  auto in = input(name);
  if (peg::parse<GoodName>(in)) return std::nullopt;
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  const std::size_t bad = name.find_first_not_of(allowed);
  const std::size_t at = bad == std::string_view::npos ? 0 : bad;
  const std::size_t length =
      name.empty() ? 0 : std::max<std::size_t>(1, utf8::sequence_length(name.substr(at)));
  return ScalarFault{
      at, at + length,
      name.empty() ? "a name may not be empty" : fmt::format("`{}` is no name", name),
      "a name has small letters, digits, - and _, and begins with a letter or digit"};
}

std::optional<SourceParts> split_source(std::string_view source) {
  SourceState state{source, {}};
  auto in = input(source);
  if (!peg::parse<SourceGrammar, SourceAction>(in, state)) return std::nullopt;
  return state.parts;
}

}  // namespace mntcr::syntax
