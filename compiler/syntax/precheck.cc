// See precheck.h. The nesting check knows just enough TOML to tell brackets and dots from those in
// strings and comments; where the text is not TOML it may be wrong about depth, never about memory.
#include "compiler/syntax/precheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "runtime/base/utf8.h"

namespace mntcr::syntax {
namespace {

std::optional<TextFault> find_bad_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\0') {
      return TextFault{at, at + 1, "a NUL byte in the text", "a spec is a text file in UTF-8"};
    }
    const std::size_t length = utf8::sequence_length(text.substr(at));
    if (length == 0) {
      return TextFault{
          at, at + 1,
          fmt::format("the byte 0x{:02X} is not part of a UTF-8 character",
                      static_cast<std::uint8_t>(text[at])),
          fmt::format("save the file as UTF-8; a raw byte of a path is written ${{byte:{:02X}}}",
                      static_cast<std::uint8_t>(text[at]))};
    }
    at += length;
  }
  return std::nullopt;
}

/// The end of a multi-line string that closes at `at`: up to two quotes before the last three are
/// its own.
std::size_t after_closing_quotes(std::string_view text, std::size_t at) {
  const char quote = text[at];
  std::size_t end = at + 3;
  while (end < at + 5 && end < text.size() && text[end] == quote) ++end;
  return end;
}

/// The end of the string that begins at `at`; the end of its line when a one-line string is not
/// closed.
std::size_t string_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '"';
  const std::string_view triple = escapes ? R"(""")" : "'''";
  const bool multi = text.substr(at).starts_with(triple);
  at += multi ? 3 : 1;
  for (; at < text.size(); ++at) {
    if (escapes && text[at] == '\\') {
      ++at;
    } else if (multi ? text.substr(at).starts_with(triple) : text[at] == quote) {
      return multi ? after_closing_quotes(text, at) : at + 1;
    } else if (!multi && text[at] == '\n') {
      return at;
    }
  }
  return text.size();
}

std::optional<TextFault> find_deep_nesting(std::string_view text) {
  std::size_t depth = 0;
  std::size_t dots = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '#':
        at = std::min(text.find('\n', at), text.size()) - 1;
        break;
      case '"':
      case '\'':
        at = string_end(text, at) - 1;
        break;
      case '[':
      case '{':
        dots = 0;
        if (++depth > max_nesting) {
          return TextFault{at, at + 1,
                           fmt::format("brackets nested more than {} deep", max_nesting), ""};
        }
        break;
      case ']':
      case '}':
        dots = 0;
        depth -= depth > 0 ? 1 : 0;
        break;
      case '.':
        if (++dots > max_dots) {
          return TextFault{at, at + 1, fmt::format("a key of more than {} dots", max_dots), ""};
        }
        break;
      case '\n':
      case '=':
      case ',':
        dots = 0;
        break;
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<TextFault> find_text_fault(std::string_view text) {
  if (auto fault = find_bad_byte(text)) return fault;
  return find_deep_nesting(text);
}

}  // namespace mntcr::syntax
