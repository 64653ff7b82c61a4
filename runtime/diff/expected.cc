#include "runtime/diff/expected.h"

#include <map>
#include <string_view>
#include <utility>

#include "runtime/base/path.h"
#include "runtime/diff/expected_layers.h"
#include "runtime/diff/inodes.h"

namespace mntcr {

MountTable expected_parent(const Plan& plan) {
  std::map<std::string, std::uint32_t> superblocks = {{"/", no_index}};
  for (std::uint32_t index = 0; index < plan.superblocks.size(); ++index) {
    const DesiredSuperblock& superblock = plan.superblocks[index];
    if (superblock.kind == DesiredSuperblock::Kind::parent)
      superblocks.insert_or_assign(superblock.path, index);
  }
  MountTable table;
  std::map<std::string, std::uint32_t> known;
  for (const auto& [path, superblock] : superblocks) {
    LiveMount mount;
    mount.dev_minor = superblock + 1;
    mount.root = "/";
    mount.mountpoint = path;
    std::string_view above = path;
    while (above != "/" && mount.parent == no_index) {
      above = path::parent(above);
      const auto found = known.find(std::string(above));
      if (found != known.end()) mount.parent = found->second;
    }
    if (path != "/") mount.below_parent = path::relative_to(path, above);
    known.emplace(path, static_cast<std::uint32_t>(table.mounts.size()));
    table.mounts.push_back(std::move(mount));
  }
  return table;
}

std::uint64_t expected_group(std::uint32_t group) { return std::uint64_t{group} + 1; }

OutsideGroups expected_outside(const Plan& plan) {
  OutsideGroups outside;
  for (std::uint32_t index = 0; index < plan.groups.size(); ++index) {
    const DesiredGroup& group = plan.groups[index];
    if (!group.parent.empty())
      outside.emplace(expected_group(index), OutsideGroup{group.parent, group.exact});
  }
  return outside;
}

MountTable expected_table(const Plan& plan) {
  MountTable table;
  table.namespaces.clear();
  for (const DesiredNamespace& ns : plan.namespaces) table.namespaces.push_back(ns.name);
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
    mount.ns = desired.ns;
    if (desired.group != no_index) mount.peer_group = expected_group(desired.group);
    if (desired.master != no_index) mount.master = expected_group(desired.master);
    mount.unbindable = desired.unbindable;
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
