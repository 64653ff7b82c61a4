// Lines of mountinfo, ordinary and odd.
#include <catch2/catch.hpp>

#include "runtime/base/mount_options.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/mountinfo_grammar.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

MountRow row(const std::string& line) {
  auto rows = parse_mountinfo_rows(line + "\n");
  if (!rows) FAIL(rows.error().message);
  REQUIRE(rows->size() == 1);
  return std::move(rows->front());
}

std::string error_of(const std::string& text) {
  const auto rows = parse_mountinfo_rows(text);
  return rows ? "parsed" : rows.error().message;
}

TEST_CASE("an ordinary line") {
  const MountRow r =
      row("36 35 98:4096 /dir /mnt/a rw,nosuid,relatime shared:7 - ext4 /dev/sda1 ro,errors=x,b");
  CHECK(r.mount.id == 36);
  CHECK(r.parent_id == 35);
  CHECK(r.mount.dev_major == 98);
  CHECK(r.mount.dev_minor == 4096);
  CHECK(r.mount.root == "/dir");
  CHECK(r.mount.mountpoint == "/mnt/a");
  CHECK(r.mount.attrs == mount_attr::nosuid);
  CHECK(r.mount.peer_group == 7);
  CHECK(r.mount.master == 0);
  CHECK_FALSE(r.mount.unbindable);
  CHECK(r.mount.fs_type == "ext4");
  CHECK(r.mount.source == "/dev/sda1");
  CHECK(r.mount.sb_rdonly);
  CHECK(r.mount.fs_options == std::vector<std::string>{"errors=x", "b"});
}

TEST_CASE("optional fields") {
  const MountRow r = row("1 2 0:1 / /a rw shared:3 master:4 propagate_from:2 - proc proc rw");
  CHECK(r.mount.peer_group == 3);
  CHECK(r.mount.master == 4);
  CHECK(r.mount.attrs == mount_attr::strictatime);
  CHECK_FALSE(r.mount.sb_rdonly);
  CHECK(r.mount.fs_options.empty());
  CHECK(row("1 2 0:1 / /a rw unbindable - proc proc rw").mount.unbindable);
  const MountRow unknown = row("1 2 0:1 / /a rw future:x -odd unbindablex - proc proc rw");
  CHECK_FALSE(unknown.mount.unbindable);
  CHECK(unknown.mount.fs_type == "proc");
}

TEST_CASE("the mount's own options") {
  const auto attrs = [](const std::string& options) {
    return row("1 2 0:1 / /a " + options + " - proc proc rw").mount.attrs;
  };
  CHECK(attrs("rw,relatime") == 0);
  CHECK(attrs("rw") == mount_attr::strictatime);
  CHECK(attrs("rw,noatime,relatime") == mount_attr::noatime);
  CHECK(attrs("ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow") ==
        (mount_attr::rdonly | mount_attr::nosuid | mount_attr::nodev | mount_attr::noexec |
         mount_attr::nodiratime | mount_attr::nosymfollow));
  CHECK(attrs("rw,relatime,idmapped") == abi::mount_attr_idmap);
}

TEST_CASE("the superblock's flags come first and are no parameters") {
  const MountRow r = row("1 2 0:1 / /a rw - tmpfs t ro,sync,dirsync,lazytime,size=4k,sync");
  CHECK(filesystem_flags_of(r.mount) == fs_flag::all);
  CHECK(r.mount.fs_options == std::vector<std::string>{"size=4k", "sync"});
  const MountRow plain = row("1 2 0:1 / /a rw - tmpfs t rw,size=4k");
  CHECK(filesystem_flags_of(plain.mount) == 0);
}

TEST_CASE("escapes are undone in paths, sources and options") {
  const MountRow r =
      row("1 2 0:1 /r\\040t /a\\012b\\011c\\134d\\043 rw - t\\040y \\043src\\040x "
          "rw,k=a\\054b,l=\\134");
  CHECK(r.mount.root == "/r t");
  CHECK(r.mount.mountpoint == "/a\nb\tc\\d#");
  CHECK(r.mount.fs_type == "t y");
  CHECK(r.mount.source == "#src x");
  CHECK(r.mount.fs_options == std::vector<std::string>{"k=a,b", "l=\\"});
}

TEST_CASE("what is no escape stands for itself") {
  CHECK(row("1 2 0:1 / /a\\ rw - t s rw").mount.mountpoint == "/a\\");
  CHECK(row("1 2 0:1 / /a\\04 rw - t s rw").mount.mountpoint == "/a\\04");
  CHECK(row("1 2 0:1 / /a\\089 rw - t s rw").mount.mountpoint == "/a\\089");
  CHECK(row("1 2 0:1 / /a#b rw - t s rw").mount.mountpoint == "/a#b");
}

TEST_CASE("an empty source leaves two spaces in a row") {
  const MountRow r = row("1 2 0:1 / /a rw - tmpfs  rw,size=4k");
  CHECK(r.mount.source.empty());
  CHECK(r.mount.fs_options == std::vector<std::string>{"size=4k"});
}

TEST_CASE("deleted roots, subtypes, roots that are no paths") {
  CHECK(row("1 2 0:1 /x//deleted /a rw - t s rw").mount.root == "/x//deleted");
  CHECK(row("1 2 0:1 / /a rw - fuse.sshfs s rw").mount.fs_type == "fuse.sshfs");
  CHECK(row("1 2 0:4 net:[4026531840] /run/ns rw - nsfs nsfs rw").mount.root == "net:[4026531840]");
  CHECK(row("1 2 0:4 /../.. /cg rw - cgroup2 cgroup rw").mount.root == "/../..");
}

TEST_CASE("a line may exceed a page") {
  const std::string layers(5000, 'x');
  const MountRow r = row("1 2 0:1 / /" + layers + " rw - overlay o rw,lowerdir=" + layers);
  CHECK(r.mount.mountpoint.size() == 5001);
  CHECK(r.mount.fs_options == std::vector<std::string>{"lowerdir=" + layers});
}

TEST_CASE("spaces in the superblock's options are theirs") {
  CHECK(row("1 2 0:1 / /a rw - t s rw,a=b c").mount.fs_options ==
        std::vector<std::string>{"a=b c"});
}

TEST_CASE("lines that cannot be read are shown") {
  CHECK(error_of("") == "parsed");
  CHECK(error_of("1 2 0:1 / /a rw - t s rw") == "parsed");
  CHECK_THAT(error_of("\n"), Catch::Contains("line 1, column 1: expected the mount's id"));
  CHECK_THAT(error_of("1 2 0:1 / /a rw - t s rw\n1 x\n"),
             Catch::Contains("line 2, column 3: expected the parent's id: 1 x"));
  CHECK_THAT(error_of("1 2 01 / /a rw - t s rw\n"), Catch::Contains("device as MAJOR:MINOR"));
  CHECK_THAT(error_of("1 2 0:1 / a rw - t s rw\n"), Catch::Contains("an absolute mountpoint"));
  CHECK_THAT(error_of("1 2 0:1 / /a rw,bogus - t s rw\n"),
             Catch::Contains("unknown mount option bogus"));
  CHECK_THAT(error_of("1 2 0:1 / /a rw shared: - t s rw\n"), Catch::Contains("peer group"));
  CHECK_THAT(error_of("1 2 0:1 / /a rw shared:1x - t s rw\n"), Catch::Contains("a space"));
  CHECK_THAT(error_of("1 2 0:1 / /a rw shared:1\n"), Catch::Contains("a space"));
  CHECK_THAT(error_of("1 2 0:1 / /a rw - t\n"), Catch::Contains("a space"));
  CHECK_THAT(error_of("99999999999999999999 2 0:1 / /a rw - t s rw\n"),
             Catch::Contains("number too large"));
  CHECK_THAT(error_of("1 2 0:4294967296 / /a rw - t s rw\n"), Catch::Contains("number too large"));
}

TEST_CASE("a text cut at any length parses or fails with a message") {
  const std::string whole = "36 35 98:0 /d /m rw,nosuid shared:7 master:1 - ext4 /dev/s ro,e=x\n";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto rows = parse_mountinfo_rows(whole.substr(0, size));
    if (!rows) CHECK_THAT(rows.error().message, Catch::StartsWith("mountinfo line 1"));
  }
}

TEST_CASE("the table of a text") {
  const auto table = parse_mountinfo(
      "30 20 0:3 / /b/c rw - tmpfs t rw\n"
      "20 21 0:2 / /b rw - tmpfs t rw\n"
      "21 1 8:1 / / rw - ext4 /dev/sda rw\n"
      "40 21 0:4 / /a rw - tmpfs t rw\n");
  REQUIRE(table);
  CHECK_FALSE(table->unique_ids);
  REQUIRE(table->mounts.size() == 4);
  CHECK(table->mounts[1].mountpoint == "/a");
  CHECK(table->mounts[2].mountpoint == "/b");
  CHECK(table->mounts[3].below_parent == "c");
}

}  // namespace
}  // namespace mntcr
