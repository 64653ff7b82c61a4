// Where a walk leads is told by the table, and where it must not be tried.
#include "runtime/capture/table_walk.h"

#include <catch2/catch.hpp>

#include "runtime/base/filesystems.h"
#include "runtime/base/overlay.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/filesystem_types.h"

namespace mntcr {
namespace {

const char* const table_text =
    "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "21 20 0:30 /share /home rw - nfs4 server:/ rw\n"
    "22 20 0:31 / /net rw - autofs auto rw\n"
    "23 22 8:2 / /net/disk rw - ext4 /dev/sda2 rw\n"
    "24 20 0:32 / /data rw - autofs auto rw\n"
    "25 24 8:3 / /data rw - xfs /dev/sda3 rw\n"
    "26 20 0:33 / /s rw - fuse.sshfs me@there: rw\n"
    "27 26 0:34 / /s/t rw - tmpfs tmpfs rw\n"
    "28 20 0:35 / /home2 rw - tmpfs tmpfs rw\n";

/// "MAJ:MIN root/below", with "!" where it must not be touched.
std::string walk(const TableWalk& walk, const std::string& path) {
  std::vector<std::string> components;
  for (const auto component : path::components(path)) components.emplace_back(component);
  const TableWalk::Place place = walk.at(components);
  return std::to_string(place.mount->dev_major) + ':' + std::to_string(place.mount->dev_minor) +
         ' ' + path::join(place.mount->root, place.below) + (place.untouchable ? "!" : "");
}

TEST_CASE("a walk by the table stops touching where an answer may never come") {
  const auto table = parse_mountinfo(table_text);
  REQUIRE(table.has_value());
  const TableWalk tree(*table);
  CHECK(tree.needs_care());
  CHECK(walk(tree, "/") == "8:1 /");
  CHECK(walk(tree, "/srv/a") == "8:1 /srv/a");
  CHECK(walk(tree, "/home") == "0:30 /share!");
  CHECK(walk(tree, "/home/me/x") == "0:30 /share/me/x!");
  CHECK(walk(tree, "/home2/x") == "0:35 /x");
  CHECK(walk(tree, "/net") == "0:31 /!");
  CHECK(walk(tree, "/net/disk/a") == "8:2 /a!");
  CHECK(walk(tree, "/data/a") == "8:3 /a");  // nothing looks into the autofs below it
  CHECK(walk(tree, "/s/t/u") == "0:34 /u!");
}

TEST_CASE("no care is needed on local disks, nor for the root itself") {
  const auto local =
      parse_mountinfo("20 1 8:1 / / rw - ext4 d rw\n21 20 0:5 / /p rw - proc p rw\n");
  REQUIRE(local.has_value());
  CHECK_FALSE(TableWalk(*local).needs_care());
  const auto net =
      parse_mountinfo("20 1 0:9 / / rw - nfs4 s:/ rw\n21 20 0:5 / /p rw - proc p rw\n");
  REQUIRE(net.has_value());
  CHECK_FALSE(TableWalk(*net).needs_care());
  CHECK(walk(TableWalk(*net), "/p/x") == "0:5 /x");
  CHECK(walk(TableWalk(*net), "/q") == "0:9 /q");
}

TEST_CASE("what the kernel makes out of nothing answers by itself; an overlay as its layers do") {
  for (const Filesystem& filesystem : filesystems())
    CHECK(answers_by_itself(filesystem.type) == (filesystem.type != overlay_type));
  CHECK_FALSE(may_hang(overlay_type));
}

TEST_CASE("only the kernel's own filesystems and local disks answer always") {
  for (const char* type :
       {"tmpfs", "proc", "ext4", "btrfs", "zfs", "overlay", "fusectl", "cgroup2"})
    CHECK_FALSE(may_hang(type));
  for (const char* type : {"fuse", "fuse.sshfs", "fuseblk", "nfs", "nfs4", "cifs", "smb3", "9p",
                           "ceph", "afs", "autofs", "virtiofs", "what-is-this"})
    CHECK(may_hang(type));
}

}  // namespace
}  // namespace mntcr
