// What must hold before toml++ may see a text: its own answers to these faults are misplaced, or
// are a stack overflow (it does not limit the number of dots in a key).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mntcr::syntax {

/// A fault of a text, at the bytes [begin, end).
struct TextFault {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string message;
  std::string help;
};

/// Arrays and inline tables may be nested this deep; far above what a spec can use.
inline constexpr std::size_t max_nesting = 32;
/// A key may have this many dots.
inline constexpr std::size_t max_dots = 16;

/// The first byte that makes `text` no text (NUL, not UTF-8) or the first place where it is nested
/// too deeply; nothing when toml++ may read it.
std::optional<TextFault> find_text_fault(std::string_view text);

}  // namespace mntcr::syntax
