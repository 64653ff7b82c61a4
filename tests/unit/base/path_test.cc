#include "runtime/base/path.h"

#include <catch2/catch.hpp>

namespace path = mntcr::path;

TEST_CASE("components leave out slashes") {
  CHECK(path::components("/").empty());
  CHECK(path::components("").empty());
  CHECK(path::components("/a/bc") == std::vector<std::string_view>{"a", "bc"});
  CHECK(path::components("a//b") == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("a path lies below another by component, not by string") {
  CHECK(path::is_at_or_below("/scratch/x", "/scratch"));
  CHECK(path::is_at_or_below("/scratch", "/scratch"));
  CHECK(path::is_at_or_below("/scratch", "/"));
  CHECK_FALSE(path::is_at_or_below("/scratch2", "/scratch"));
  CHECK_FALSE(path::is_at_or_below("/", "/scratch"));
}

TEST_CASE("relative_to and join undo one another") {
  for (const char* above : {"/", "/a", "/a/b"}) {
    for (const char* below : {"", "c", "c/d"}) {
      const std::string whole = path::join(above, below);
      CHECK(path::relative_to(whole, above) == below);
      CHECK(path::is_at_or_below(whole, above));
    }
  }
  CHECK(path::join("", "a") == "a");
  CHECK(path::join("a", "") == "a");
}

TEST_CASE("parent") {
  CHECK(path::parent("/a/b") == "/a");
  CHECK(path::parent("/a") == "/");
  CHECK(path::parent("/") == "/");
  CHECK(path::parent("a").empty());
  CHECK(path::parent("a/b") == "a");
}

TEST_CASE("the folder that holds two paths") {
  CHECK(path::common_parent("/a/b/c", "/a/b/d") == "/a/b");
  CHECK(path::common_parent("/a/b", "/ab/c") == "/");
  CHECK(path::common_parent("/a/b/c", "/a/b") == "/a/b");
  CHECK(path::common_parent("a/b", "a/c/d") == "a");
  CHECK(path::common_parent("a", "b") == "");
}

TEST_CASE("normal paths") {
  using namespace std::string_view_literals;
  for (const auto good : {"/"sv, "/a"sv, "/a/..b"sv, "/\xFF"sv, "/a\nb"sv})
    CHECK(path::is_normal_absolute(good));
  for (const auto bad : {""sv, "a"sv, "//"sv, "/a/"sv, "/a//b"sv, "/."sv, "/a/.."sv, "/a\0b"sv}) {
    CHECK_FALSE(path::is_normal_absolute(bad));
  }
  for (const auto good : {""sv, "a"sv, "a/b"sv}) CHECK(path::is_normal_relative(good));
  for (const auto bad : {"/a"sv, "a/"sv, ".."sv, "a/./b"sv, "a//b"sv})
    CHECK_FALSE(path::is_normal_relative(bad));
}

TEST_CASE("printable shows what a terminal should not get") {
  CHECK(path::printable("/tmp/ä b") == "/tmp/ä b");
  CHECK(path::printable("a\nb\tc\x1b[31m") == "a\\nb\\tc\\x1B[31m");
  CHECK(path::printable("\xFF/\xC3") == "\\xFF/\\xC3");
  CHECK(path::printable("\x7F") == "\\x7F");
}
