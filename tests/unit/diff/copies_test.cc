// Mounts that sharing implies: no entry of a delta can find them.
#include "runtime/diff/copies.h"

#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string from = "/ = 8:1 /\n/a = 8:1 /a\n";
const std::string head = "spec = 1\nextends = [\"web.toml\"]\n";
const std::string policy = "\n[policy]\ncopies = \"listed\"\n";
const std::string options =
    "options = [\"rw\", \"suid\", \"dev\", \"exec\", \"relatime\", \"diratime\", \"symfollow\"]\n";

/// /a and /b are peers, /c is a slave; /a/x is declared, and copies of it are implied.
Plan with_copies() {
  Plan plan = desired(R"(
.      parent:/
  a    tmpfs@t  shared:g
    x  ramfs@r
  b    tmpfs@t  shared:g
    x  ramfs@r  implied
  c    tmpfs@t  slave:g
    x  ramfs@r  implied
)");
  plan.sources.add("web.toml", std::string(200, '\n'));
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const bool x = plan.mounts[mount].mountpoint == "x";
    plan.mounts[mount].span = {0, x ? 100 : mount, x ? 110 : mount + 1};
  }
  return plan;
}

const std::string peers = ". 8:1 / ext4\n  a 0:50 / tmpfs shared:1\n    x 0:51 / ramfs\n";
const std::string b = "  b 0:50 / tmpfs shared:1\n";
const std::string c = "  c 0:50 / tmpfs master:1\n";
const std::string x = "    x 0:51 / ramfs\n";

TEST_CASE("copies: what is as it is implied is not told") {
  const Case same(with_copies(), live(peers + b + x + c + x), from);
  CHECK(same.text() == "no differences\n");
  CHECK(same.toml() == head);
}

TEST_CASE("copies: one is gone, so the others are listed") {
  const Case gone(with_copies(), live(peers + b + x + c), from);
  CHECK(gone.text() == "- /c/x  ramfs\n1 change: 0 appeared, 1 gone, 0 changed\n");
  CHECK(gone.toml() == head + policy + R"(
# not all copies that sharing implies of it are there
[[change]]
target = "/a/x"
propagate = false

# still there: self:/a/x
[[mount]]
target = "/b/x"
source = "self:/a/x"
)" + options);
}

TEST_CASE("copies: one that has other flags is listed") {
  const Case changed(with_copies(), live(peers + b + "    x 0:51 / ramfs ro\n" + c + x), from);
  CHECK(changed.text() == "no differences\n");  // nobody wrote a flag
  Plan plan = with_copies();
  plan.mounts[4].attrs = {.value = 0, .mask = mount_attr::rdonly};
  const Case told(plan, live(peers + b + "    x 0:51 / ramfs ro\n" + c + x), from);
  CHECK(told.toml() == head + policy + R"(
# still there: self:/a/x
[[mount]]
target = "/b/x"
source = "self:/a/x"
options = ["ro", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("copies: the entry is gone and the copies are not") {
  const Case gone(with_copies(), live(". 8:1 / ext4\n  a 0:50 / tmpfs shared:1\n" + b + x + c + x),
                  from);
  CHECK(gone.toml() == head + policy + R"(
# gone: ramfs
[[remove]]
target = "/a/x"

# still there: ramfs
[[mount]]
target = "/b/x"
type = "ramfs"
)" + options + R"(
# still there: self:/b/x
[[mount]]
target = "/c/x"
source = "self:/b/x"
)" + options);
}

TEST_CASE("copies: all of them are gone") {
  const Case gone(with_copies(), live(". 8:1 / ext4\n  a 0:50 / tmpfs shared:1\n" + b + c), from);
  CHECK(gone.toml() == head + "\n# gone: ramfs\n[[remove]]\ntarget = \"/a/x\"\n");
}

TEST_CASE("copies: who joins a group later has none") {
  const Case joined(with_copies(), live(peers + b + x + c + x + "  d 0:50 / tmpfs shared:1\n"),
                    from);
  const std::string text = joined.toml();
  INFO(text);
  CHECK(text.find("target = \"/a/x\"\npropagate = false\n") != std::string::npos);
  CHECK(text.find("[[mount]]\ntarget = \"/b/x\"\n") != std::string::npos);
  CHECK(text.find("[[mount]]\ntarget = \"/c/x\"\n") != std::string::npos);
  const Case all(with_copies(), live(peers + b + x + c + x + "  d 0:50 / tmpfs shared:1\n" + x),
                 from);
  CHECK(all.toml().find("propagate") == std::string::npos);
}

TEST_CASE("copies: one that would need a name for what lies on it is listed") {
  Plan plan = desired(R"(
.      parent:/
  a    tmpfs@t  shared:g
    x  ramfs@r
  b    tmpfs@t  shared:g
    x  ramfs@r  implied
      .  proc
)");
  plan.sources.add("web.toml", std::string(200, '\n'));
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const bool is_x = plan.mounts[mount].mountpoint == "x";
    plan.mounts[mount].span = {0, is_x ? 100 : mount, is_x ? 110 : mount + 1};
  }
  const std::string beneath = "    x 0:51 / ramfs\n      . 0:60 / tmpfs\n        . 0:53 / proc\n";
  const Case under(plan, live(peers + b + beneath), from);
  INFO(under.toml());
  CHECK(under.toml().find("[[change]]\ntarget = \"/b/x\"\nname") == std::string::npos);
  CHECK(under.toml().find("[[mount]]\ntarget = \"/b/x\"\nname = \"b-x\"\n") != std::string::npos);
}

TEST_CASE("copies: who shows another part of the filesystem gets none") {
  const Case joined(with_copies(), live(peers + b + x + c + x + "  d 0:50 /y tmpfs shared:1\n"),
                    from);
  CHECK(joined.toml().find("propagate") == std::string::npos);
}

TEST_CASE("copies: those of a clone have their place in later files") {
  Plan plan = desired(R"(
.      parent:/
  a    ramfs@r
[worker] main
.      parent:/  cloned
  a    ramfs@r   cloned
)");
  plan.sources.add("web.toml", std::string(200, '\n'));
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount)
    plan.mounts[mount].span = {0, mount % 2, 2 + (mount % 2)};
  const PlanCopies copies = find_copies(plan);
  CHECK(copies.original == std::vector<std::uint32_t>{no_index, no_index, 0, 1});
  CHECK(copies.implied == std::vector<bool>(4, false));
  const Case gone(plan, live(". 8:1 / ext4\n  a 0:51 / ramfs\n[worker]\n. 8:1 / ext4\n"), from);
  CHECK(gone.toml() ==
        head + "\n# gone: ramfs\n[[remove]]\nnamespace = \"worker\"\ntarget = \"/a\"\n");
}

}  // namespace
}  // namespace mntcr::test
