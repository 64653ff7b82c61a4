// A string of a spec after its ${params} are replaced, which still knows where each of its bytes
// came from: a fault in the middle of it is shown in the middle of what was written.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/syntax/scalars.h"
#include "runtime/base/span.h"

namespace mntcr::spec {

/// See the top of the file.
struct Text {
  /// The bytes [begin, end) of the value came from `source`.
  struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    Span source;
    bool literal = false;  ///< byte by byte, not by a ${param} or $$
  };

  std::string value;
  Span span;                  ///< the whole string, with its quotes
  std::vector<Piece> pieces;  ///< none when the string was written with escapes

  /// The narrowest place in the file that holds the bytes [begin, end) of the value.
  [[nodiscard]] Span at(std::size_t begin, std::size_t end) const;
  [[nodiscard]] Span at(const syntax::ScalarFault& fault) const {
    return at(fault.begin, fault.end);
  }
};

}  // namespace mntcr::spec
