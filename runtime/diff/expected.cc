#include "runtime/diff/expected.h"

#include "runtime/diff/expected_layers.h"

namespace mntcr {

MountTable expected_table(const Plan& plan) {
  MountTable table;
  table.mounts.reserve(plan.mounts.size());
  for (const DesiredMount& desired : plan.mounts) {
    const DesiredSuperblock& superblock = plan.superblocks[desired.superblock];
    LiveMount mount;
    mount.id = table.mounts.size() + 1;
    mount.parent = desired.parent;
    mount.dev_minor = desired.superblock + 1;
    mount.root = '/' + desired.root;
    mount.mountpoint = desired.target;
    mount.below_parent = desired.mountpoint;
    mount.attrs = desired.attrs.value;
    mount.attrs_known = desired.attrs.mask;
    if (desired.idmap != no_index) mount.idmap = plan.idmaps[desired.idmap];
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
