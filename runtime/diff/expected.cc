#include "runtime/diff/expected.h"

#include <map>
#include <string_view>
#include <utility>

#include "runtime/diff/expected_layers.h"
#include "runtime/diff/inodes.h"

namespace mntcr {

MountTable expected_table(const Plan& plan) {
  MountTable table;
  table.needed_or_not = true;
  std::map<std::pair<std::uint32_t, std::string_view>, InodeFacts> inodes;
  for (const DesiredNode& node : plan.nodes) {
    const NeededInode inode = inode_of(node);
    inodes.emplace(std::pair(node.superblock, std::string_view(node.path)), inode.facts);
    if (!node.deleted) table.needed[{0, node.superblock + 1}].push_back(inode);
  }
  table.mounts.reserve(plan.mounts.size());
  for (const DesiredMount& desired : plan.mounts) {
    const DesiredSuperblock& superblock = plan.superblocks[desired.superblock];
    LiveMount mount;
    mount.id = table.mounts.size() + 1;
    mount.parent = desired.parent;
    mount.dev_minor = desired.superblock + 1;
    mount.root = '/' + desired.root + (desired.deleted ? "//deleted" : "");
    mount.mountpoint = desired.target;
    mount.below_parent = desired.mountpoint;
    mount.attrs = desired.attrs.value;
    mount.attrs_known = desired.attrs.mask;
    if (desired.idmap != no_index) mount.idmap = plan.idmaps[desired.idmap];
    if (const auto inode = inodes.find({desired.superblock, desired.root}); inode != inodes.end())
      mount.root_inode = inode->second;
    if (!superblock.follow && desired.root.empty()) {
      mount.root_inode = InodeFacts{.kind = InodeKind::symlink};
    }
    mount.fs_type = superblock.type;
    mount.source = superblock.fsname;
    mount.sb_rdonly = (superblock.flags.value & fs_flag::rdonly) != 0;
    mount.sb_flags = superblock.flags.value & ~fs_flag::rdonly;
    mount.fs_options = superblock.params;
    table.mounts.push_back(std::move(mount));
  }
  expect_layers(plan, table);
  return table;
}

}  // namespace mntcr
