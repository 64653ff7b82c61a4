// What sharing implies: where copies come to be and what they are in. Whole layouts are in
// tests/golden (good-copies*.toml).
#include "compiler/layout/copies.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

using testing::Compiled;

const std::string head =
    "spec = 1\nname = \"t\"\n[filesystem.a]\ntype = \"tmpfs\"\n[root]\ntype = \"tmpfs\"\n";

/// A [[mount]] of fs:a or a part of it; `propagation` may be empty.
std::string shows(const std::string& target, const std::string& root,
                  const std::string& propagation) {
  return "[[mount]]\ntarget = \"" + target + "\"\nsource = \"fs:a" + root + "\"\n" +
         (propagation.empty() ? "" : "propagation = \"" + propagation + "\"\n");
}

std::string tmpfs(const std::string& target, const std::string& more = {}) {
  return "[[mount]]\ntarget = \"" + target + "\"\ntype = \"tmpfs\"\n" + more;
}

std::string in(const std::string& propagation) { return "propagation = \"" + propagation + "\"\n"; }

/// "/a+x" for a mount at /a/x on that at /a, with groups by number: "2<1" is in 2, whose master
/// is 1.
std::string words(const Layout& layout, const LayoutMount& mount) {
  const auto number = [](std::uint32_t group) {
    return group == no_index ? std::string() : std::to_string(group);
  };
  std::string text = layout.mounts[mount.parent].target + "+" + mount.mountpoint;
  if (mount.group != no_index || mount.master != no_index) text += " " + number(mount.group);
  if (mount.master != no_index) text += "<" + number(mount.master);
  return text;
}

/// The copies of a spec, or its codes.
std::vector<std::string> copies(const std::string& text) {
  const Compiled compiled(text);
  if (!compiled.layout) return {compiled.codes()};
  std::vector<std::string> result;
  for (const LayoutMount& mount : compiled.layout->mounts) {
    if (mount.implied == Implied::sharing) result.push_back(words(*compiled.layout, mount));
  }
  return result;
}

using Words = std::vector<std::string>;

TEST_CASE("a private mount has private copies at peers and slaves that show its place") {
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/b", "/s", "shared:g") +
               shows("/c", "/s", "slave:g") + shows("/d", "/u", "shared:g") + shows("/e", "", "") +
               tmpfs("/a/s/x")) == Words{"/b+x", "/c+x"});
  CHECK(copies(head + shows("/a", "/s", "shared:g") + shows("/b", "", "shared:g") + tmpfs("/a")) ==
        Words{"/b+s"});
}

TEST_CASE("nothing of a slave or of a private mount comes to its master") {
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/b", "", "slave:g") + tmpfs("/b/x"))
            .empty());
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/b", "", "slave:g shared:h") +
               shows("/c", "", "shared:h slave:g") + tmpfs("/b/x")) == Words{"/c+x"});
}

TEST_CASE("copies of a shared mount are peers at peers and slaves at slaves") {
  // Groups: 0 g, 1 that of x, 2 h below g, then one for the copies at h.
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/b", "", "shared:g") +
               shows("/c", "", "slave:g shared:h") + shows("/d", "", "slave:g shared:h") +
               shows("/e", "", "slave:h") + shows("/f", "", "slave:g") +
               tmpfs("/a/x", in("shared"))) ==
        Words{"/b+x 1", "/c+x 3<1", "/d+x 3<1", "/e+x <3", "/f+x <1"});
}

TEST_CASE("a group without a member that shows the place is skipped") {
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/b", "/u", "slave:g shared:h") +
               shows("/c", "", "slave:h shared:i") + shows("/d", "", "slave:h") +
               tmpfs("/a/x", in("shared"))) == Words{"/c+x 4<1", "/d+x <1"});
}

TEST_CASE("copies of a slave are slaves of the same group") {
  CHECK(copies(head +
               "[filesystem.m]\ntype = \"tmpfs\"\n[[mount]]\ntarget = \"/m\"\nsource = \"fs:m\"\n" +
               in("shared:m") + shows("/a", "", "shared:g") + shows("/b", "", "slave:g shared") +
               "[[mount]]\ntarget = \"/a/x\"\nsource = \"fs:m\"\n" + in("slave:m")) ==
        Words{"/b+x <1"});
}

TEST_CASE("what says so has no copies") {
  const std::string groups = head + shows("/a", "", "shared:g") + shows("/b", "", "shared:g");
  CHECK(copies(groups + tmpfs("/a/x", in("unbindable"))).empty());
  CHECK(copies(groups + tmpfs("/a/x", "propagate = false\n")).empty());
  CHECK(copies("spec = 1\n" + groups.substr(groups.find("name")) + tmpfs("/a/x") +
               "[policy]\ncopies = \"listed\"\n")
            .empty());
}

TEST_CASE("what lies on a mount has copies on its copies when that is shared") {
  const std::string groups = head + shows("/a", "", "shared:g") + shows("/b", "", "shared:g");
  CHECK(copies(groups + tmpfs("/a/x", in("shared")) + tmpfs("/a/x/y", in("shared")) +
               tmpfs("/a/x/y/z")) == Words{"/b+x 1", "/b/x+y 2", "/b/x/y+z"});
  CHECK(copies(groups + tmpfs("/a/x") + tmpfs("/a/x/y")) == Words{"/b+x"});
}

TEST_CASE("a listed mount that shows the same is the copy, any other lies on it") {
  const std::string groups = head + shows("/a", "", "shared:g") + shows("/b", "", "slave:g");
  const std::string bind = "source = \"parent:/srv\"\n";
  CHECK(copies(groups + "[[mount]]\ntarget = \"/a/x\"\n" + bind + "[[mount]]\ntarget = \"/b/x\"\n" +
               bind)
            .empty());
  const Compiled other(groups + tmpfs("/a/x") + "[[mount]]\ntarget = \"/b/x\"\n" + bind);
  REQUIRE(other.layout);
  const auto& mounts = other.layout->mounts;
  REQUIRE(mounts.size() == 6);
  CHECK(mounts[4].implied == Implied::sharing);
  CHECK(mounts[5].target == "/b/x");
  CHECK(mounts[5].parent == 4);
  CHECK(mounts[5].mountpoint.empty());
}

TEST_CASE("two mounts at one place of two peers need a word") {
  const std::string groups = head + shows("/a", "", "shared:g") + shows("/b", "", "shared:g");
  CHECK(copies(groups + tmpfs("/a/x") + tmpfs("/b/x")) == Words{"E0281"});
  CHECK(copies(groups + tmpfs("/a/x", in("shared")) + tmpfs("/b/x", in("shared"))) ==
        Words{"E0281"});
  CHECK(copies(groups + tmpfs("/a/x", "propagate = false\n") + tmpfs("/b/x")) == Words{"/a+x"});
  CHECK(copies(groups + tmpfs("/a/x", "propagate = false\n") + tmpfs("/b/x", "propagate = false\n"))
            .empty());
}

TEST_CASE("walks of the finished tree meet copies") {
  const Compiled compiled(head + shows("/a", "", "shared:g") + shows("/b", "", "shared:g") +
                          tmpfs("/a/x") + tmpfs("/b/x/in") +
                          "[[mount]]\ntarget = \"/c\"\nsource = \"self:/b/x/etc\"\n" +
                          "[[mount]]\ntarget = \"/d\"\nsource = \"self:/c/more\"\n");
  REQUIRE(compiled.layout);
  const auto& mounts = compiled.layout->mounts;
  const auto find = [&](std::string_view target) {
    return *std::ranges::find(mounts, target, &LayoutMount::target);
  };
  CHECK(mounts[find("/b/x/in").parent].implied == Implied::sharing);
  CHECK(find("/c").superblock == find("/a/x").superblock);
  CHECK(find("/c").root == "etc");
  CHECK(find("/d").superblock == find("/a/x").superblock);
  CHECK(find("/d").root == "etc/more");
}

TEST_CASE("a member below another has no copy on itself, and rings that grow are stopped") {
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/a/x", "", "shared:g")).empty());
  CHECK(copies(head + shows("/a", "", "shared:g") + shows("/a/x", "", "shared:g") +
               shows("/a/y", "", "shared:g")) == Words{"/a/x+y 0", "/a/y+x 0"});
  std::string ring = head + shows("/a", "", "shared:g");
  for (char name = 'b'; name < 'm'; ++name)
    ring += shows(std::string("/a/") + name, "", "shared:g");
  CHECK(copies(ring) == Words{"E0282"});
}

TEST_CASE("copies stay inside of the container") {
  const Compiled compiled(
      "spec = 1\nname = \"t\"\n[root]\ntype = \"tmpfs\"\n"
      "[group.spool]\nparent = \"/var/spool\"\n[[mount]]\ntarget = \"/a\"\nsource = "
      "\"parent:/var/spool\"\npropagation = \"shared:spool\"\n[[mount]]\ntarget = "
      "\"/b\"\nsource = \"parent:/var/spool/web\"\npropagation = \"slave:spool\"\n" +
      tmpfs("/a/web/x"));
  CHECK(compiled.codes() == "W0272");
  REQUIRE(compiled.layout);
  REQUIRE(compiled.layout->mounts.size() == 5);
  CHECK(words(*compiled.layout, compiled.layout->mounts[4]) == "/b+x");
}

TEST_CASE("copies do not depend on the order of the file") {
  constexpr int runs = 200;
  constexpr std::size_t places = 5;
  std::mt19937 random(1);  // NOLINT: the same every time
  const auto pick = [&](const Words& from) { return from[random() % from.size()]; };
  for (int run = 0; run < runs; ++run) {
    Words entries = {shows("/m0", "", "shared:g"), shows("/m1", "", "slave:g shared:h")};
    for (std::size_t at = 2; at < places; ++at) {
      entries.push_back(
          shows("/m" + std::to_string(at), pick({"", "/s", "/s/t", "/u"}),
                pick({"shared:g", "slave:g shared:h", "slave:g", "slave:h", "slave:h shared"})));
    }
    for (int at = 0; at < 3; ++at) {
      entries.push_back(tmpfs("/m" + std::to_string(random() % places) +
                                  pick({"/d", "/d/e", "/s", "/s/d", "/s/t", "/u"}) +
                                  std::to_string(at),
                              pick({"", in("shared"), "propagate = false\n"})));
    }
    const auto compile = [&] {
      std::string text = head;
      for (const std::string& entry : entries) text += entry;
      const Compiled compiled(text);
      Words all;
      REQUIRE(compiled.layout);
      for (std::size_t at = 1; at < compiled.layout->mounts.size(); ++at) {
        const LayoutMount& mount = compiled.layout->mounts[at];
        all.push_back(words(*compiled.layout, mount) +
                      (mount.implied != Implied::no ? " implied" : ""));
      }
      return all;
    };
    const Words before = compile();
    std::ranges::shuffle(entries, random);
    CHECK(compile() == before);
  }
}

}  // namespace
}  // namespace mntcr
