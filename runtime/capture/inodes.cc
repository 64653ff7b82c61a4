#include "runtime/capture/inodes.h"

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/capture/mount_table.h"

namespace mntcr {
namespace {

constexpr std::uint32_t none = UINT32_MAX;
constexpr std::string_view deleted_mark = "//deleted";

/// Adds `path` and the directories above it.
void add_with_parents(std::string_view path, std::set<std::string>& paths) {
  while (!path.empty() && paths.emplace(path).second) path = path::parent(path);
}

/// Adds what lies at `below` of the part that `mount` shows.
void add_place(const LiveMount& mount, std::string_view below,
               std::map<DeviceNumber, std::set<std::string>>& needed) {
  if (what_holds(mount.fs_type) == Holds::nothing || is_deleted_root(mount.root)) return;
  const std::string path = path::join(path::relative_to(mount.root, "/"), below);
  if (path::is_at_or_below(path, restored_folder)) return;
  add_with_parents(path, needed[{mount.dev_major, mount.dev_minor}]);
}

}  // namespace

bool is_deleted_root(std::string_view root) { return root.ends_with(deleted_mark); }

std::string_view deleted_path(std::string_view root) {
  return root.substr(0, root.size() - deleted_mark.size());
}

std::map<DeviceNumber, std::set<std::string>> needed_paths(
    const MountTable& table, const std::vector<std::uint32_t>& mounts) {
  std::map<DeviceNumber, std::set<std::string>> needed;
  for (const std::uint32_t index : mounts) {
    const LiveMount& mount = table.mounts[index];
    add_place(mount, "", needed);
    if (mount.parent != none) add_place(table.mounts[mount.parent], mount.below_parent, needed);
  }
  return needed;
}

}  // namespace mntcr
