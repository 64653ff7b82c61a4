// The grammars inside strings: what they take, and where they say that a fault is.
#include "compiler/syntax/scalars.h"

#include <catch2/catch.hpp>
#include <string>

#include "runtime/base/path.h"

namespace mntcr::syntax {
namespace {

/// The bytes of `path` that are faulty; "ok" when none are.
std::string path_fault(std::string_view path, PathForm form = PathForm::absolute) {
  const auto fault = find_path_fault(path, form);
  const bool normal =
      form == PathForm::absolute ? path::is_normal_absolute(path) : path::is_normal_relative(path);
  if (path.size() < max_component) CHECK(normal == !fault.has_value());
  if (!fault) return "ok";
  REQUIRE(fault->begin <= fault->end);
  REQUIRE(fault->end <= path.size());
  return std::string(path.substr(fault->begin, fault->end - fault->begin));
}

TEST_CASE("a template is taken apart") {
  const Template parts = parse_template("a$$b${x-1}${byte:fF}ü");
  CHECK(parts.faults.empty());
  REQUIRE(parts.pieces.size() == 6);
  CHECK(parts.pieces[0].text == "a");
  CHECK(parts.pieces[1].text == "$");
  CHECK(parts.pieces[2].text == "b");
  CHECK(parts.pieces[3].kind == TemplatePiece::Kind::param);
  CHECK(parts.pieces[3].text == "x-1");
  CHECK(parts.pieces[3].begin == 4);
  CHECK(parts.pieces[3].end == 10);
  CHECK(parts.pieces[4].text == "\xFF");
  CHECK(parts.pieces[5].text == "ü");
  CHECK(parse_template("").pieces.empty());
  CHECK(parse_template("${byte}").pieces.front().text == "byte");
}

TEST_CASE("every dollar sign without meaning is a fault of its own") {
  const auto faults = [](std::string_view text) {
    std::string all;
    for (const ScalarFault& fault : parse_template(text).faults) {
      all += std::string(text.substr(fault.begin, fault.end - fault.begin)) + "|";
    }
    return all;
  };
  CHECK(faults("$") == "$|");
  CHECK(faults("$a$") == "$a|$|");
  CHECK(faults("x/${}/y") == "${}|");
  CHECK(faults("${a b}") == "${a b}|");
  CHECK(faults("${a") == "${a|");
  CHECK(faults("${a/b") == "${a|");
  CHECK(faults("${byte:F}") == "${byte:F}|");
  CHECK(faults("${byte:FFF}") == "${byte:FFF}|");
  CHECK(faults("$${x}") == "");
  CHECK(faults("$$$") == "$|");
}

TEST_CASE("absolute paths") {
  CHECK(path_fault("/") == "ok");
  CHECK(path_fault("/a/b") == "ok");
  CHECK(path_fault("/.a/..b/c../...") == "ok");
  CHECK(path_fault("/\xFF\n x") == "ok");
  CHECK(path_fault("") == "");
  CHECK(path_fault("a/b") == "a/b");
  CHECK(path_fault("/a/") == "/");
  CHECK(path_fault("//") == "/");
  CHECK(path_fault("/a//b") == "/");
  CHECK(path_fault("/a/./b") == ".");
  CHECK(path_fault("/a/..") == "..");
  CHECK(path_fault(std::string_view("/a\0b", 4)) == std::string(1, '\0'));
  CHECK(path_fault("/" + std::string(255, 'x')) == "ok");
  CHECK(path_fault("/x/" + std::string(256, 'x')) == std::string(256, 'x'));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "/a";
  CHECK(find_path_fault(deep, PathForm::absolute).has_value());
}

TEST_CASE("relative paths") {
  CHECK(path_fault("", PathForm::relative) == "ok");
  CHECK(path_fault("a/b", PathForm::relative) == "ok");
  CHECK(path_fault("/a", PathForm::relative) == "/");
  CHECK(path_fault("a/", PathForm::relative) == "/");
  CHECK(path_fault("a/../b", PathForm::relative) == "..");
}

TEST_CASE("names") {
  CHECK_FALSE(find_name_fault("web-1_x"));
  CHECK_FALSE(find_name_fault("0"));
  CHECK(find_name_fault("-a")->begin == 0);
  CHECK(find_name_fault("aB")->begin == 1);
  CHECK(find_name_fault("")->end == 0);
  CHECK(find_name_fault("wéb")->end == 3);
}

TEST_CASE("sources are split at their scheme") {
  const auto parent = split_source("parent:/a:b");
  REQUIRE(parent);
  CHECK(parent->scheme == "parent");
  CHECK(parent->path == "/a:b");
  CHECK(parent->path_begin == 7);
  const auto whole = split_source("fs:scratch");
  REQUIRE(whole);
  CHECK(whole->name == "scratch");
  CHECK_FALSE(whole->has_path);
  const auto part = split_source("fs:scratch/a/b");
  REQUIRE(part);
  CHECK(part->name == "scratch");
  CHECK(part->path == "a/b");
  CHECK(part->path_begin == 11);
  CHECK(split_source("fsx:/a")->scheme == "fsx");
  CHECK(split_source("self:")->path.empty());
  CHECK_FALSE(split_source("/a:b"));
  CHECK_FALSE(split_source(""));
  CHECK_FALSE(split_source(":x"));
}

}  // namespace
}  // namespace mntcr::syntax
