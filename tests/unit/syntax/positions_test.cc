// Lines and columns in code points -> bytes.
#include "compiler/syntax/positions.h"

#include <catch2/catch.hpp>
#include <string>

namespace mntcr::syntax {
namespace {

TEST_CASE("every code point of every line is found") {
  std::string text =
      "\xEF\xBB\xBF"
      "a = 1\r\n\n";
  for (int i = 0; i < 300; ++i) text += i % 3 == 0 ? "é" : i % 7 == 0 ? "日" : "x";
  text += "\nlast";
  const Positions positions(text);
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t at = 3; at < text.size(); ++at) {
    if (is_continuation(text[at])) continue;
    REQUIRE(positions.offset(line, column) == at);
    ++column;
    if (text[at] == '\n') {
      ++line;
      column = 1;
    }
  }
  CHECK(positions.offset(line, column) == text.size());
  CHECK(positions.offset(line, 100'000) == text.size());
  CHECK(positions.offset(line + 1, 1) == text.size());
  CHECK(positions.offset(0, 1) == text.size());
  CHECK(Positions("").offset(1, 1) == 0);
}

}  // namespace
}  // namespace mntcr::syntax
