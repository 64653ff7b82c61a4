// See positions.h. Marks inside lines keep a long line, such as a generated array of mounts, from
// being walked from its beginning for each of its values.
#include "compiler/syntax/positions.h"

#include <algorithm>

namespace mntcr::syntax {
namespace {

constexpr std::size_t step = 64;

}  // namespace

Positions::Positions(std::string_view text) : text_(text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  std::size_t column = 0;
  lines_.push_back(0);
  for (std::size_t at = text.starts_with(byte_order_mark) ? 3 : 0; at <= text.size(); ++at) {
    if (at < text.size() && is_continuation(text[at])) continue;
    if (column++ % step == 0) marks_.push_back(at);
    if (at == text.size() || text[at] != '\n') continue;
    lines_.push_back(marks_.size());
    column = 0;
  }
  lines_.push_back(marks_.size());
}

std::uint32_t Positions::offset(std::size_t line, std::size_t column) const {
  if (line == 0 || line >= lines_.size()) return static_cast<std::uint32_t>(text_.size());
  const std::size_t marks = lines_[line] - lines_[line - 1];
  const std::size_t mark = std::min((std::max<std::size_t>(column, 1) - 1) / step, marks - 1);
  std::size_t at = marks_[lines_[line - 1] + mark];
  for (column -= std::min(column, mark * step); column > 1 && at < text_.size(); --column) {
    ++at;
    while (at < text_.size() && is_continuation(text_[at])) ++at;
  }
  return static_cast<std::uint32_t>(std::min(at, text_.size()));
}

}  // namespace mntcr::syntax
