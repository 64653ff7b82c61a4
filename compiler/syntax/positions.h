// toml++ counts lines and code points; spans are bytes. The one place that knows how the two
// relate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mntcr::syntax {

/// Byte offsets of the lines of a text, which must be UTF-8 and outlive this.
class Positions {
 public:
  explicit Positions(std::string_view text);

  /// The byte at which the code point `column` of `line` begins, both counted from 1 as toml++ does
  /// (a byte order mark is not counted). The text's end for what lies beyond it.
  [[nodiscard]] std::uint32_t offset(std::size_t line, std::size_t column) const;

 private:
  std::string_view text_;
  std::vector<std::size_t>
      marks_;  ///< where every 64th code point of a line begins, its first included
  std::vector<std::size_t> lines_;  ///< the number of each line's first mark; one more at the end
};

/// Whether `byte` continues a UTF-8 sequence that began before it.
constexpr bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace mntcr::syntax
