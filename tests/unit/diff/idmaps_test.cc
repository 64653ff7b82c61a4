// Idmaps in diff: compared by what they do, written where the source does not give them.
#include "runtime/diff/idmaps.h"

#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

/// The changed line of a container of / and one mount on /x, a tmpfs or a bind of /s.
std::string changed(const std::string& wanted, const std::string& found,
                    const std::string& source = "") {
  const bool made = wanted.starts_with("tmpfs");
  const Case it(". parent:/\n  x " + wanted + '\n',
                ". 8:1 / ext4\n  x " + std::string(made ? "0:50" : "8:2") + " / " + found + '\n',
                "/ = 8:1 /\n/s = 8:2 / " + source);
  const std::string text = it.text();
  return text.substr(0, text.find('\n'));
}

TEST_CASE("idmaps are compared by what they do") {
  CHECK(changed("tmpfs idmap=0:5:2", "tmpfs idmap=0:5:2") == "no differences");
  CHECK(changed("tmpfs idmap=0:5:2", "tmpfs idmap=1:6:1+0:5:1") == "no differences");
  CHECK(changed("tmpfs idmap=0:5:2", "tmpfs idmap=0:5:1") ==
        "~ /x  idmap: uid 0:5:2 gid 0:5:2 -> uid 0:5:1 gid 0:5:1");
  CHECK(changed("tmpfs idmap=0:5:2", "tmpfs") == "~ /x  idmap: uid 0:5:2 gid 0:5:2 -> none");
  CHECK(changed("tmpfs", "tmpfs idmap=0:5:2") == "~ /x  idmap: none -> uid 0:5:2 gid 0:5:2");
}

TEST_CASE("an idmap of unknown numbers is one") {
  CHECK(changed("tmpfs idmap=0:5:2", "tmpfs idmap") == "no differences");
  CHECK(changed("tmpfs", "tmpfs idmap") == "~ /x  idmap: none -> unknown numbers");
}

TEST_CASE("a bind without an idmap has its source's") {
  CHECK(changed("parent:/s", "ext4") == "no differences");
  CHECK(changed("parent:/s", "ext4 idmap=0:5:2", "idmap=0:5:2") == "no differences");
  CHECK(changed("parent:/s", "ext4 idmap=0:5:2") == "~ /x  idmap: none -> uid 0:5:2 gid 0:5:2");
  CHECK(changed("parent:/s", "ext4", "idmap=0:5:2") == "~ /x  idmap: uid 0:5:2 gid 0:5:2 -> none");
}

/// What the delta says about /x: lines from its entry on, without comments and options.
std::string said(const Case& it) {
  std::string lines;
  std::istringstream text(it.toml());
  bool listed = false;
  for (std::string line; std::getline(text, line);) {
    listed |= line.starts_with("[[");
    const bool told = listed && !line.empty() && !line.starts_with('#') &&
                      !line.starts_with("target") && !line.starts_with("options");
    if (told) lines += line + '\n';
  }
  return lines;
}

TEST_CASE("delta: the idmap of a mount that appeared") {
  const auto appeared = [](const std::string& found, const std::string& outside) {
    return said(Case(". parent:/\n", ". 8:1 / ext4\n  x " + found + '\n', "/ = 8:1 /", outside));
  };
  CHECK(appeared("0:50 / tmpfs idmap=0:5:2+7:9:1", "") ==
        "[[mount]]\ntype = \"tmpfs\"\n"
        "idmap = { uid = [\"0:5:2\", \"7:9:1\"], gid = [\"0:5:2\", \"7:9:1\"] }\n");
  CHECK(appeared("0:50 / tmpfs idmap", "") == "[[mount]]\ntype = \"tmpfs\"\nidmap = \"unknown\"\n");
  CHECK(appeared("8:2 / ext4 idmap=0:5:2", ". 8:1 / ext4\n  s 8:2 / ext4\n") ==
        "[[mount]]\nsource = \"parent:/s\"\n"
        "idmap = { uid = [\"0:5:2\"], gid = [\"0:5:2\"] }\n");
}

TEST_CASE("delta: a bind of the parent's idmapped mount says nothing, and others go around it") {
  const auto appeared = [](const std::string& words, const std::string& outside) {
    return said(Case(". parent:/\n", ". 8:1 / ext4\n  x 8:2 / ext4 " + words + '\n', "/ = 8:1 /",
                     ". 8:1 / ext4\n" + outside));
  };
  CHECK(appeared("idmap=0:5:2", "  s 8:2 / ext4 idmap=0:5:2\n") ==
        "[[mount]]\nsource = \"parent:/s\"\n");
  CHECK(appeared("", "  s 8:2 / ext4 idmap=0:5:2\n  t 8:2 / ext4\n") ==
        "[[mount]]\nsource = \"parent:/t\"\n");
  CHECK(appeared("", "  s 8:2 / ext4 idmap=0:5:2\n") ==
        "[[mount]]\nsource = \"parent:/s\"\nidmap = \"none\"\n");
}

TEST_CASE("delta: a changed idmap") {
  const auto delta = [](const std::string& wanted, const std::string& found) {
    return said(Case(". parent:/\n  x tmpfs " + wanted + '\n',
                     ". 8:1 / ext4\n  x 0:50 / tmpfs " + found + '\n', "/ = 8:1 /"));
  };
  CHECK(delta("idmap=0:5:2", "") == "[[change]]\nunset = [\"idmap\"]\n");
  CHECK(delta("idmap=0:5:2", "idmap=0:5:1") ==
        "[[change]]\nidmap = { uid = [\"0:5:1\"], gid = [\"0:5:1\"] }\n");
}

TEST_CASE("JSON has the ranges of a mount that appeared") {
  const Case it(". parent:/\n", ". 8:1 / ext4\n  x 0:50 / tmpfs idmap=0:5:2\n", "/ = 8:1 /");
  CHECK(it.json().find("\"0:5:2\"") != std::string::npos);
  CHECK(it.text().find("idmap uid 0:5:2 gid 0:5:2") != std::string::npos);
}

}  // namespace
}  // namespace mntcr::test
