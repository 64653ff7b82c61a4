#include "runtime/base/utf8.h"

#include <catch2/catch.hpp>

namespace utf8 = mntcr::utf8;

TEST_CASE("well-formed sequences of each length") {
  CHECK(utf8::sequence_length("a") == 1);
  CHECK(utf8::sequence_length("\xC3\xA4") == 2);
  CHECK(utf8::sequence_length("\xE2\x82\xAC") == 3);
  CHECK(utf8::sequence_length("\xF0\x9F\x98\x80") == 4);
  CHECK(utf8::is_valid("gr\xC3\xBC\xC3\x9F"));
}

TEST_CASE("overlong forms, surrogates, cut and stray bytes are refused") {
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "\xE2\x82", "\xC3"}) {
    CHECK(utf8::sequence_length(bad) == 0);
    CHECK_FALSE(utf8::is_valid(bad));
  }
  CHECK(utf8::sequence_length("") == 0);
}

TEST_CASE("invalid bytes are replaced one by one") {
  CHECK(utf8::replace_invalid("a\xFF\xC3"
                              "b") ==
        "a\xEF\xBF\xBD\xEF\xBF\xBD"
        "b");
}
