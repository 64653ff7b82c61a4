// Which inodes mounts need, and which roots have been removed.
#include "runtime/capture/inodes.h"

#include <catch2/catch.hpp>

#include "runtime/capture/capture.h"

namespace mntcr {
namespace {

using Paths = std::set<std::string>;

MountTable table_of(const std::string& text) {
  auto table = parse_mountinfo(text);
  if (!table) FAIL(table.error().message);
  return std::move(*table);
}

TEST_CASE("roots that have been removed end in //deleted") {
  CHECK(is_deleted_root("/a//deleted"));
  CHECK(is_deleted_root("/.mntcr-deleted/a//deleted"));
  CHECK(deleted_path("/a//deleted") == "/a");
  CHECK_FALSE(is_deleted_root("/a/deleted"));
  CHECK_FALSE(is_deleted_root("/deleted"));
  CHECK_FALSE(is_deleted_root("/a (deleted)"));
}

TEST_CASE("mounts need their roots, their mountpoints, and every directory above") {
  const MountTable table = table_of(
      "10 1 0:50 / / rw - tmpfs x rw\n"
      "11 10 0:51 / /run/app rw - tmpfs x rw\n"
      "12 10 0:51 /in/side /etc rw - tmpfs x rw\n"
      "13 12 0:52 / /etc/a/b rw - proc x rw\n"
      "14 13 0:53 / /etc/a/b/sys rw - tmpfs x rw\n"
      "15 10 0:51 /gone//deleted /old rw - tmpfs x rw\n"
      "16 10 0:51 /.mntcr-deleted/x//deleted /older rw - tmpfs x rw\n");
  std::vector<std::uint32_t> all;
  for (std::uint32_t mount = 0; mount < table.mounts.size(); ++mount) all.push_back(mount);
  const auto needed = needed_paths(table, all);
  CHECK(needed.at({0, 50}) == Paths{"etc", "old", "older", "run", "run/app"});
  CHECK(needed.at({0, 51}) == Paths{"in", "in/side", "in/side/a", "in/side/a/b"});
  CHECK_FALSE(needed.contains({0, 52}));
  CHECK(needed_paths(table, {0}).at({0, 50}).empty());
}

}  // namespace
}  // namespace mntcr
