// See text.h.
#include "compiler/spec/text.h"

#include <algorithm>
#include <optional>

namespace mntcr::spec {
namespace {

std::uint32_t begin_in_file(const Text::Piece& piece, std::size_t begin) {
  if (!piece.literal || begin <= piece.begin) return piece.source.begin;
  return piece.source.begin + static_cast<std::uint32_t>(begin - piece.begin);
}

std::uint32_t end_in_file(const Text::Piece& piece, std::size_t end) {
  if (!piece.literal || end >= piece.end) return piece.source.end;
  return piece.source.begin + static_cast<std::uint32_t>(end - piece.begin);
}

}  // namespace

Span Text::at(std::size_t begin, std::size_t end) const {
  std::optional<Span> found;
  for (const Piece& piece : pieces) {
    const bool touches = piece.begin < end && begin < piece.end;
    if (!touches) continue;
    if (!found) found = Span{span.file, begin_in_file(piece, begin), 0};
    found->end = end_in_file(piece, end);
  }
  return found.value_or(span);
}

}  // namespace mntcr::spec
