#include "runtime/diff/outside_groups.h"

#include <set>

#include "runtime/diff/mount_tree.h"

namespace mntcr {
namespace {

std::set<std::uint64_t> groups_of(const MountTable& table) {
  std::set<std::uint64_t> groups;
  for (const LiveMount& mount : table.mounts) {
    groups.insert(mount.peer_group);
    groups.insert(mount.master);
  }
  groups.erase(0);
  return groups;
}

}  // namespace

OutsideGroups find_outside(const MountTable& parent, const MountTable* live) {
  OutsideGroups outside;
  const std::set<std::uint64_t> wanted = groups_of(live == nullptr ? parent : *live);
  if (wanted.empty()) return outside;
  const MountTree tree(parent);
  for (std::uint32_t mount = 0; mount < parent.mounts.size(); ++mount) {
    const LiveMount& member = parent.mounts[mount];
    if (!wanted.contains(member.peer_group)) continue;
    OutsideGroup& group = outside[member.peer_group];
    const bool better = group.path.empty() && tree.walk(member.ns, member.mountpoint) == mount;
    if (better) group.path = member.mountpoint;
  }
  return outside;
}

}  // namespace mntcr
