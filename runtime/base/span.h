// Where something stands in a source text. Byte offsets only: line and column exist where text is
// printed (source_map.h).
#pragma once

#include <compare>
#include <cstdint>
#include <utility>

namespace mntcr {

/// Index of a text in a SourceMap.
using FileId = std::uint32_t;

inline constexpr FileId no_file = UINT32_MAX;

/// Half-open range of bytes [begin, end) of one text.
struct Span {
  FileId file = no_file;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] bool known() const { return file != no_file; }
  auto operator<=>(const Span&) const = default;
};

/// A decoded value with the place it was written at.
template <class T>
struct Spanned {
  T value{};
  Span span;
};

}  // namespace mntcr
