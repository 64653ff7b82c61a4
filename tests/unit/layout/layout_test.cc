// Spec -> Layout: parents, what is shown, and the order. Whole layouts of small specs are in
// tests/golden.
#include "compiler/layout/layout.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

using testing::Compiled;

const std::string head = "spec = 1\nname = \"t\"\n[root]\nsource = \"parent:/r\"\n";

std::string entry(const std::string& target, const std::string& source) {
  return "[[mount]]\ntarget = \"" + target + "\"\nsource = \"" + source + "\"\n";
}

std::string tmpfs(const std::string& target) {
  return "[[mount]]\ntarget = \"" + target + "\"\ntype = \"tmpfs\"\n";
}

TEST_CASE("the top of a stack is the parent of what lies below its target") {
  const Compiled compiled(head + tmpfs("/a") + entry("/a/b", "parent:/b") +
                          entry("/a", "parent:/top"));
  REQUIRE(compiled.layout);
  const auto& mounts = compiled.layout->mounts;
  REQUIRE(mounts.size() == 4);
  CHECK(mounts[1].target == "/a");
  CHECK(mounts[1].parent == 0);
  CHECK(mounts[2].target == "/a");
  CHECK(mounts[2].parent == 1);
  CHECK(mounts[2].mountpoint.empty());
  CHECK(mounts[3].target == "/a/b");
  CHECK(mounts[3].parent == 2);
  CHECK(mounts[3].mountpoint == "b");
}

TEST_CASE("a long chain of self sources is followed without recursion") {
  std::string text = head;
  constexpr int length = 5000;
  for (int i = 0; i < length; ++i)
    text += entry("/m" + std::to_string(i), "self:/m" + std::to_string(i + 1));
  text += entry("/m" + std::to_string(length), "parent:/end");
  const Compiled compiled(text);
  REQUIRE(compiled.layout);
  for (std::size_t i = 1; i < compiled.layout->mounts.size(); ++i) {
    CHECK(compiled.layout->mounts[i].superblock == compiled.layout->mounts[1].superblock);
  }
}

TEST_CASE("a ring is reported once, whatever hangs on it") {
  const Compiled compiled(head + entry("/a", "self:/b") + entry("/b", "self:/a") +
                          entry("/c", "self:/a") + entry("/d", "self:/c") +
                          entry("/e", "self:/f/x") + entry("/f", "self:/e"));
  CHECK(compiled.codes() == "E0301 E0301");
  CHECK(compiled.diagnostics.items()[0].labels.size() == 2);
}

TEST_CASE("a mount below its own source is no ring") {
  const Compiled compiled(head + entry("/a/b", "self:/a") + entry("/a", "parent:/x"));
  REQUIRE(compiled.layout);
  const LayoutMount& inner = compiled.layout->mounts[2];
  CHECK(inner.target == "/a/b");
  CHECK(inner.superblock == compiled.layout->mounts[1].superblock);
  CHECK(inner.root.empty());
}

TEST_CASE("a self source sees what its own mount covers, not what lies on it") {
  const Compiled compiled(head + tmpfs("/a") + entry("/a", "self:/a/p") + tmpfs("/a/p"));
  REQUIRE(compiled.layout);
  const LayoutMount& upper = compiled.layout->mounts[2];
  CHECK(upper.superblock == compiled.layout->mounts[1].superblock);
  CHECK(upper.root == "p");
}

TEST_CASE("spans of a layout point at the entry, its target and its source") {
  const Compiled compiled(head + entry("/a", "parent:/x") + tmpfs("/t"));
  REQUIRE(compiled.layout);
  const auto written = [&](Span span) { return std::string(compiled.sources.text(span)); };
  const auto& mounts = compiled.layout->mounts;
  CHECK(written(mounts[0].span) == "[root]");
  CHECK(written(mounts[1].span) == "[[mount]]");
  CHECK(written(mounts[1].target_span) == "\"/a\"");
  CHECK(written(mounts[1].source_span) == "\"parent:/x\"");
  CHECK(written(mounts[2].source_span) == "\"tmpfs\"");
  CHECK(written(compiled.layout->superblocks[2].span) == "\"tmpfs\"");
}

}  // namespace
}  // namespace mntcr
