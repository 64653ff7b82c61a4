// Several namespaces in random specs: a clone is a copy of what was there and stays it, own mounts
// come on top, and namespaces do not see each other.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

using testing::Compiled;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t n) {
  return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
}

/// Random [[mount]] entries. Names begin with `tag`.
std::string random_mounts(Random& random, const std::string& tag, std::string_view ns = {}) {
  constexpr auto places = std::to_array<std::string_view>({"/", "/a", "/a/b", "/a/b/c", "/b"});
  std::string text;
  const std::size_t count = 1 + below(random, 6);
  for (std::size_t at = 0; at < count; ++at) {
    const std::string_view target = places[below(random, places.size())];
    text += "[[mount]]\n";
    if (!ns.empty()) text += fmt::format("namespace = \"{}\"\n", ns);
    text += fmt::format("target = \"{}\"\nname = \"{}{}\"\n", target, tag, at);
    switch (below(random, 5)) {
      case 0:
        text += fmt::format("type = \"tmpfs\"\noptions = [\"size={}m\"]\n", 1 + at);
        break;
      case 1:
        text += "source = \"fs:one\"\n";
        break;
      case 2:
        text += fmt::format("source = \"self:{}\"\n", places[below(random, places.size())]);
        break;
      default:
        text += fmt::format("source = \"parent:/src/{}{}\"\n", tag, at);
    }
    if (below(random, 4) == 0) text += "cover = true\n";
    if (below(random, 5) == 0) text += "on = \"root\"\n";
  }
  return text;
}

constexpr std::string_view head =
    "spec = 1\nname = \"t\"\n[filesystem.one]\ntype = \"tmpfs\"\n[root]\nsource = \"parent:/r\"\n"
    "[[mount]]\ntarget = \"/one\"\nsource = \"fs:one\"\n";
constexpr std::string_view clone = "[[namespace]]\nname = \"worker\"\nclone = \"main\"\n";

std::string words(const DesiredSuperblock& superblock) {
  return superblock.path + "|" + superblock.type + "|" + superblock.name + "|" +
         fmt::format("{}", superblock.params.empty() ? "" : superblock.params.front());
}

/// The mounts of a namespace, with parents counted from its root. With `numbers` superblocks are
/// told apart, else only described.
std::vector<std::string> tree(const Layout& layout, std::uint32_t ns, bool numbers,
                              bool only_copies = false) {
  std::vector<std::string> lines;
  std::uint32_t first = no_index;
  for (std::uint32_t at = 0; at < layout.mounts.size(); ++at) {
    const LayoutMount& mount = layout.mounts[at];
    if (mount.ns != ns) continue;
    if (first == no_index) first = at;
    if (only_copies && mount.implied == Implied::no) continue;
    const std::string parent = mount.parent == no_index ? "root"
                               : only_copies            ? layout.mounts[mount.parent].target
                                                        : fmt::format("{}", mount.parent - first);
    const std::string shown =
        numbers ? fmt::format("{}", mount.superblock) : words(layout.superblocks[mount.superblock]);
    lines.push_back(fmt::format("{} on {} at {} shows {} {} {:x} {}", mount.target, parent,
                                mount.mountpoint, shown, mount.root, mount.attrs.value,
                                mount.cover));
  }
  return lines;
}

/// Namespaces stand together, in order, each with its root first and parents before children.
void check_order(const Layout& layout) {
  std::uint32_t ns = 0;
  for (std::uint32_t at = 0; at < layout.mounts.size(); ++at) {
    const LayoutMount& mount = layout.mounts[at];
    const bool root = at == 0 || mount.ns != layout.mounts[at - 1].ns;
    if (at != 0 && root) ++ns;
    REQUIRE(mount.ns == ns);
    REQUIRE((mount.parent == no_index) == root);
    if (root) continue;
    REQUIRE(mount.parent < at);
    REQUIRE(layout.mounts[mount.parent].ns == ns);
  }
  REQUIRE(ns + 1 == layout.namespaces.size());
}

TEST_CASE("a clone is a copy") {
  int compared = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Random random(seed);
    const std::string mounts = random_mounts(random, "m");
    const std::string text = std::string(head) + mounts;
    const Compiled alone(text);
    const Compiled both(text + std::string(clone));
    INFO("seed " << seed << "\n" << text << both.messages());
    REQUIRE(alone.layout.has_value() == both.layout.has_value());
    if (!alone.layout) continue;
    check_order(*both.layout);
    REQUIRE(tree(*both.layout, 0, true) == tree(*alone.layout, 0, true));
    REQUIRE(tree(*both.layout, 1, true) == tree(*both.layout, 0, true));
    REQUIRE(both.layout->superblocks.size() == alone.layout->superblocks.size());
    ++compared;
  }
  CHECK(compared > 700);
}

TEST_CASE("what is declared for a clone leaves the copies where they are") {
  int compared = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Random random(seed);
    const std::string text = std::string(head) + random_mounts(random, "m") + std::string(clone);
    const std::string more = random_mounts(random, "w", "worker");
    const Compiled before(text);
    const Compiled after(text + more);
    INFO("seed " << seed << "\n" << text << more << after.messages());
    if (!before.layout || !after.layout) continue;
    check_order(*after.layout);
    REQUIRE(tree(*after.layout, 0, false) == tree(*before.layout, 0, false));
    std::vector<std::string> was = tree(*before.layout, 1, false, true);
    std::vector<std::string> is = tree(*after.layout, 1, false, true);
    std::ranges::sort(was);
    std::ranges::sort(is);
    REQUIRE(is == was);
    ++compared;
  }
  CHECK(compared > 500);
}

TEST_CASE("what a later file adds to main leaves an old clone as it is") {
  int compared = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Random random(seed);
    const std::string base = std::string(head) + random_mounts(random, "m") + std::string(clone);
    const std::string delta = "spec = 1\nextends = [\"base.toml\"]\n" + random_mounts(random, "d") +
                              (below(random, 2) == 0 ? "[[remove]]\ntarget = \"/one\"\n" : "");
    const Compiled before(base);
    const Compiled after(delta, {{"base.toml", base}});
    INFO("seed " << seed << "\n" << base << "---\n" << delta << after.messages());
    if (!before.layout || !after.layout) continue;
    check_order(*after.layout);
    REQUIRE(tree(*after.layout, 1, false) == tree(*before.layout, 1, false));
    ++compared;
  }
  CHECK(compared > 500);
}

TEST_CASE("namespaces with roots of their own do not see each other") {
  int compared = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Random random(seed);
    const std::string text = std::string(head) + random_mounts(random, "m");
    Random first = random;
    Random second = random;
    // The same mounts in both, up to names.
    const std::string main = random_mounts(first, "x");
    std::string worker = random_mounts(second, "x", "worker");
    for (std::size_t at = worker.find("name = \"x"); at != std::string::npos;
         at = worker.find("name = \"x", at + 1)) {
      worker.replace(at, 9, "name = \"y");
    }
    const std::string bare =
        "spec = 1\nname = \"t\"\n[filesystem.one]\ntype = \"tmpfs\"\n[root]\nsource = "
        "\"parent:/r\"\n[[mount]]\ntarget = \"/one\"\nsource = \"fs:one\"\n";
    const Compiled alone(bare + main);
    const Compiled both(text +
                        "[[namespace]]\nname = \"worker\"\nroot = { source = \"parent:/r\" "
                        "}\n[[mount]]\nnamespace = \"worker\"\ntarget = \"/one\"\nsource = "
                        "\"fs:one\"\n" +
                        worker);
    const Compiled other(text);
    INFO("seed " << seed << "\n" << text << worker << both.messages());
    REQUIRE(both.layout.has_value() == (alone.layout.has_value() && other.layout.has_value()));
    if (!both.layout) continue;
    check_order(*both.layout);
    REQUIRE(tree(*both.layout, 0, false) == tree(*other.layout, 0, false));
    REQUIRE(tree(*both.layout, 1, false) == tree(*alone.layout, 0, false));
    ++compared;
  }
  CHECK(compared > 400);
}

}  // namespace
}  // namespace mntcr
