// What is written of inodes: trees, removed inodes, symlinks; from handmade tables.
#include <catch2/catch.hpp>

#include "runtime/diff/inodes.h"
#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

InodeFacts facts(InodeKind kind, std::uint32_t mode, std::uint32_t owner = 0) {
  InodeFacts result;
  result.kind = kind;
  result.mode = mode;
  result.uid = owner;
  result.gid = owner;
  return result;
}

InodeFacts dir(std::uint32_t mode = 0755, std::uint32_t owner = 0) {
  return facts(InodeKind::directory, mode, owner);
}

InodeFacts file(std::uint64_t size = 0) {
  InodeFacts result = facts(InodeKind::file, 0644);
  result.size = size;
  return result;
}

InodeFacts symlink(const std::string& target) {
  InodeFacts result = facts(InodeKind::symlink, 0777);
  result.target = target;
  return result;
}

InodeFacts device(InodeKind kind, std::uint32_t major, std::uint32_t minor) {
  InodeFacts result = facts(kind, 0644);
  result.rdev_major = major;
  result.rdev_minor = minor;
  return result;
}

InodeFacts numbered(InodeFacts of, std::uint64_t inode) {
  of.inode = inode;
  return of;
}

LiveMount& at(MountTable& table, const std::string& mountpoint) {
  return *std::ranges::find(table.mounts, mountpoint, &LiveMount::mountpoint);
}

/// The lines of a whole capture that say something of inodes and sources, and where.
std::string written(const MountTable& table, const std::string& parent = ". 8:1 / ext4") {
  std::istringstream text(write_spec("c", table, live(parent)));
  std::string lines;
  for (std::string line; std::getline(text, line);) {
    const bool usual = line.empty() || line.starts_with("options") || line.starts_with("[[") ||
                       line.starts_with("spec") || line.starts_with("name");
    if (!usual) lines += line + '\n';
  }
  return lines;
}

TEST_CASE("tree: what apply makes by itself is not written") {
  MountTable table = live(". 0:50 / tmpfs\n  a/b 0:51 / tmpfs\n  f 0:52 /x ext4\n");
  table.needed[{0, 50}] = {{"a", dir()}, {"a/b", dir()}, {"f", file()}};
  CHECK(written(table).find("tree") == std::string::npos);
}

TEST_CASE("tree: what differs is written, an inode a line") {
  MountTable table = live(". 0:50 / tmpfs\n  a 0:51 / tmpfs\n  c 0:51 /x tmpfs\n");
  table.needed[{0, 50}] = {{"a", dir(0750, 1000)}, {"c", dir(01777)}};
  table.needed[{0, 51}] = {{"x", facts(InodeKind::directory, 0755, 5)}};
  CHECK(written(table) == R"([root]
type = "tmpfs"
tree = [
  { path = "a", mode = "0750", uid = 1000, gid = 1000 },
  { path = "c", mode = "1777" },
]
target = "/a"
type = "tmpfs"
tree = [
  { path = "x", uid = 5, gid = 5 },
]
target = "/c"
source = "self:/a/x"
)");
}

TEST_CASE("what nobody could look at is said where a spec begins") {
  const std::string note =
      "# the directories that mounts need could not be looked at: setns: Operation not permitted\n"
      "# their modes and owners are not in this spec\n";
  MountTable table = live(". 0:50 / tmpfs\n");
  CHECK(write_spec("c", table, {}).starts_with("spec = 1\nname = \"c\"\n\n[root]\n"));
  table.inodes_unknown = "setns: Operation not permitted";
  CHECK(write_spec("c", table, {}).starts_with("spec = 1\nname = \"c\"\n" + note + "\n[root]\n"));

  Case same(". tmpfs", ". 0:50 / tmpfs");
  same.table.inodes_unknown = table.inodes_unknown;
  CHECK(same.toml() == "spec = 1\nextends = [\"web.toml\"]\n" + note);
}

TEST_CASE("tree: every kind of inode") {
  MountTable table = live(R"(
.  0:50 / tmpfs
  b 0:50 /block tmpfs
  c 0:50 /char tmpfs
  f 0:50 /file tmpfs
  l 0:50 /link tmpfs
  p 0:50 /fifo tmpfs
  s 0:50 /so"ck\xet tmpfs
)");
  const InodeFacts fifo = facts(InodeKind::fifo, 0600);
  table.needed[{0, 50}] = {{"b", file()},
                           {"block", device(InodeKind::block, 8, 0)},
                           {"c", file()},
                           {"char", device(InodeKind::character, 1, 3)},
                           {"fifo", fifo},
                           {"file", file(12)},
                           {"link", symlink("/proc/self/fd")},
                           {"so\"ck\\xet", facts(InodeKind::socket, 0644)}};
  const std::string text = written(table);
  CHECK(text.substr(0, text.find("target")) == R"(# file: 12 bytes are not kept
[root]
type = "tmpfs"
tree = [
  { path = "block", block = "8:0" },
  { path = "char", char = "1:3" },
  { path = "fifo", kind = "fifo", mode = "0600" },
  { path = "file", kind = "file" },
  { path = "link", symlink = "/proc/self/fd" },
  { path = "so\"ck\\xet", kind = "socket" },
]
)");
}

TEST_CASE("tree: only where something can be made") {
  MountTable table = live(
      ". 8:1 /c ext4\n  proc 0:50 / proc\n    sys 0:51 / tmpfs\n"
      "  b 0:52 / bpf\n    x 0:53 / proc\n");
  table.needed[{0, 50}] = {{"sys", dir(0555)}};
  CHECK(written(table).find("tree") == std::string::npos);
}

TEST_CASE("tree: a tmpfs of the parent stays as it is") {
  MountTable table = live(". 8:1 /c ext4\n  run 0:50 / tmpfs\n    x 0:51 / tmpfs\n");
  table.needed[{0, 50}] = {{"x", dir(0700)}};
  CHECK(written(table, ". 8:1 / ext4\n  run 0:50 / tmpfs\n").find("tree") == std::string::npos);
}

TEST_CASE("tree: on a filesystem that has a name") {
  MountTable table = live(". 8:1 /c ext4\n  x 0:60 /a tmpfs\n  y 0:60 /b tmpfs\n");
  table.needed[{0, 60}] = {{"a", dir(0700)}, {"b", dir()}};
  CHECK(written(table) == R"([filesystem.x]
type = "tmpfs"
tree = [
  { path = "a", mode = "0700" },
]
[root]
source = "parent:/c"
target = "/x"
source = "fs:x/a"
target = "/y"
source = "fs:x/b"
)");
}

TEST_CASE("tree: a delta says what its mounts need of the base's filesystems") {
  MountTable table =
      live(". 8:1 / ext4\n  run 0:50 / tmpfs\n    app 0:60 / tmpfs\n    old 0:61 / proc\n");
  table.needed[{0, 50}] = {{"app", dir(0700)}, {"old", dir(0711)}};
  const Case added(desired(". parent:/\n  run tmpfs\n    old proc\n"), table, "/ = 8:1 /");
  CHECK(added.toml() == R"(spec = 1
extends = ["web.toml"]

[filesystem.run]
of = "/run"
tree = [
  { path = "app", mode = "0700" },
  { path = "old", mode = "0711" },
]

# appeared: tmpfs
[[mount]]
target = "/run/app"
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
  Plan plan = desired(". parent:/\n  run tmpfs\n    app tmpfs\n    old proc\n");
  DesiredNode node{.superblock = plan.mounts[1].superblock, .mode = 0700, .path = "app"};
  plan.nodes.push_back(node);
  node.path = "old";
  node.mode = 0711;
  plan.nodes.push_back(node);
  const Case same(plan, table, "/ = 8:1 /");
  CHECK(same.changes.empty());
  CHECK(same.toml().find("tree") == std::string::npos);
  plan.nodes[1].mode = 0700;
  table.needed[{0, 50}].front().facts.mode = 0755;
  const Case usual(plan, table, "/ = 8:1 /");
  CHECK(usual.toml().find(
            "tree = [\n  { path = \"app\" },\n  { path = \"old\", mode = \"0711\" },\n]") !=
        std::string::npos);
}

TEST_CASE("removed: mounts of one inode have one label") {
  MountTable table = live(R"(
.  8:1 /c ext4
  t 0:60 / tmpfs
  u 0:60 /in tmpfs
  v 0:60 /a/x//deleted tmpfs
  w 0:60 /a/x//deleted tmpfs
  x 0:60 /x//deleted tmpfs
  y 0:60 /x//deleted tmpfs
)");
  at(table, "/v").root_inode = at(table, "/w").root_inode = numbered(dir(0700, 1), 7);
  at(table, "/x").root_inode = numbered(symlink("/to"), 8);
  at(table, "/y").root_inode = numbered(device(InodeKind::character, 1, 3), 9);
  const std::string text = written(table);
  CHECK(text == R"([filesystem.t]
type = "tmpfs"
[root]
source = "parent:/c"
target = "/t"
source = "fs:t"
target = "/u"
source = "fs:t/in"
target = "/v"
source = "fs:t"
deleted = "x"
kind = "dir"
mode = "0700"
uid = 1
gid = 1
target = "/w"
source = "fs:t"
deleted = "x"
kind = "dir"
mode = "0700"
uid = 1
gid = 1
target = "/x"
source = "fs:t"
deleted = "x-2"
kind = "symlink:/to"
target = "/y"
source = "fs:t"
deleted = "x-3"
kind = "char:1:3"
)");
  // As they are after they were made again.
  at(table, "/v").root = at(table, "/w").root = "/.mntcr-deleted/x//deleted";
  at(table, "/x").root = "/.mntcr-deleted/x-2//deleted";
  at(table, "/y").root = "/.mntcr-deleted/x-3//deleted";
  CHECK(written(table) == text);
}

TEST_CASE("removed: a label that looks numbered keeps its number") {
  MountTable table = live(
      ". 8:1 /c ext4\n  a 0:60 /x-2//deleted tmpfs\n"
      "  b 0:60 /x//deleted tmpfs\n  c 0:60 /y/x//deleted tmpfs\n"
      "  d 0:61 /x//deleted tmpfs\n");
  const auto labels = label_deleted(table, {});
  CHECK(labels == std::map<std::uint32_t, std::string>{{1, "x-2"}, {2, "x"}, {3, "x-3"}, {4, "x"}});
  const auto kept = label_deleted(table, {{3, "x"}});
  CHECK(kept.at(3) == "x");
  CHECK(kept.at(2) == "x-3");
}

TEST_CASE("removed: a long name is a label of 200 bytes") {
  const std::string name(250, 'n');
  MountTable table = live(". 8:1 /c ext4\n  a 0:60 /" + name + "//deleted tmpfs\n  b 0:60 /d/" +
                          name + "//deleted tmpfs\n");
  const auto labels = label_deleted(table, {});
  CHECK(labels.at(1) == std::string(200, 'n'));
  CHECK(labels.at(2) == std::string(198, 'n') + "-2");
}

TEST_CASE("removed: what was not looked at is taken for a directory, and says so") {
  MountTable table = live(". 8:1 /c ext4\n  a 0:60 /x//deleted tmpfs\n");
  CHECK(written(table) == R"([filesystem.a]
type = "tmpfs"
[root]
source = "parent:/c"
# nobody could look at it; taken for a directory
target = "/a"
source = "fs:a"
deleted = "x"
kind = "dir"
)");
}

TEST_CASE("removed: what cannot be made again says why") {
  MountTable table = live(R"(
.  8:1 /c ext4
  a 0:60 /x//deleted tmpfs
  b 0:60 / tmpfs
  c 0:70 /y//deleted tmpfs
  d 8:1 /z//deleted ext4
  e 0:80 /1//deleted proc
)");
  at(table, "/a").root_inode = file(5);
  at(table, "/e").root_inode = dir();
  CHECK(written(table, ". 8:1 / ext4\n  run 0:70 / tmpfs\n") == R"([root]
source = "parent:/c"
# it is a removed file, and its 5 bytes would be lost
target = "/a"
source = "device:0:60/x//deleted"
target = "/b"
type = "tmpfs"
# it was removed from a filesystem of the parent
target = "/c"
source = "device:0:70/y//deleted"
# it was removed from a filesystem of the parent
target = "/d"
source = "device:8:1/z//deleted"
# it was removed, and nothing like it can be made on proc
target = "/e"
source = "device:0:80/1//deleted"
)");
}

TEST_CASE("removed: of a filesystem of the base") {
  MountTable table = live(". 8:1 / ext4\n  t 0:50 / tmpfs\n  x 0:50 /a//deleted tmpfs\n");
  at(table, "/x").root_inode = facts(InodeKind::fifo, 0600);
  const std::string mount = R"(
# appeared: fs:NAME
[[mount]]
target = "/x"
source = "fs:NAME"
deleted = "a"
kind = "fifo"
mode = "0600"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)";
  const auto called = [&](const std::string& name) {
    std::string text = mount;
    for (auto found = text.find("NAME"); found != std::string::npos; found = text.find("NAME")) {
      text.replace(found, 4, name);
    }
    return text;
  };
  const Case unnamed(desired(". parent:/\n  t tmpfs\n"), table, "/ = 8:1 /");
  const std::string head = "spec = 1\nextends = [\"web.toml\"]\n";
  CHECK(unnamed.toml() == head + "\n[filesystem.x]\nof = \"/t\"\n" + called("x"));
  const Case named(desired(". parent:/\n  t tmpfs=scratch\n"), table, "/ = 8:1 /");
  CHECK(named.toml() == head + called("scratch"));
}

TEST_CASE("removed: a name that only looks so") {
  MountTable table =
      live(". 0:50 / tmpfs\n  a 0:50 /x(deleted) tmpfs\n  b 0:50 /y/deleted tmpfs\n");
  CHECK(written(table) == R"toml([root]
type = "tmpfs"
target = "/a"
source = "self:/x(deleted)"
target = "/b"
source = "self:/y/deleted"
)toml");
}

TEST_CASE("parameters: numbers of users only where they are the reader's") {
  MountTable table = live(". 0:50 / tmpfs size=4k,uid=1000,gid=1000,mode=700\n");
  CHECK(write_spec("c", table, {}).find("\"size=4k\", \"mode=700\", \"uid=1000\"") !=
        std::string::npos);
  table.ids_are_ours = false;
  CHECK(write_spec("c", table, {}).find("\"size=4k\", \"mode=700\"]") != std::string::npos);
}

TEST_CASE("symlinks: a bind of one does not follow it") {
  MountTable table = live(
      ". 8:1 /c ext4\n  l 8:1 /srv/link ext4\n  s 0:50 / tmpfs\n"
      "    m 0:50 /link tmpfs\n");
  at(table, "/l").root_inode = symlink("/x");
  at(table, "/s/m").root_inode = symlink("/x");
  CHECK(written(table) == R"([root]
source = "parent:/c"
target = "/l"
source = "parent:/srv/link"
follow = false
target = "/s"
type = "tmpfs"
target = "/s/m"
source = "self:/s/link"
)");
}

TEST_CASE("namespace files: by the parent, or said to be one") {
  const MountTable table = live(". 8:1 /c ext4\n  n 0:4 net:[4026531840] nsfs\n");
  CHECK(written(table, ". 8:1 / ext4\n  run/netns/a 0:4 net:[4026531840] nsfs\n") ==
        "[root]\nsource = \"parent:/c\"\ntarget = \"/n\"\nsource = \"parent:/run/netns/a\"\n");
  CHECK(
      written(table) ==
      "[root]\nsource = \"parent:/c\"\n# the file of a net namespace, which cannot be made again\n"
      "target = \"/n\"\nsource = \"device:0:4net:[4026531840]\"\n");
}

}  // namespace
}  // namespace mntcr::test
