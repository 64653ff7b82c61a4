// What a spec says about inodes so that mounts come back: entries of a `tree`, the keys of mounts
// of removed inodes, and the labels of these.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/delta.h"
#include "runtime/diff/toml_text.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// The inodes that `mounts` need and that do not come back by themselves: apply makes what is
/// missing as a directory of 0755, or where another kind of inode is mounted as an empty file of
/// 0644, and all of it belongs to root. Superblocks without any are left out.
NeededInodes trees_of(const MountTable& live, const std::vector<std::uint32_t>& mounts);

/// The same for all mounts, of filesystems that `plan` makes: what it does not make as it is. By
/// device the superblock of the plan that it stands for. What is said by way of a mount among
/// `taken`, which goes, does not count.
NeededInodes trees_beyond(const MountTable& live, const Plan& plan,
                          const std::map<DeviceNumber, std::uint32_t>& superblocks,
                          const std::vector<bool>& taken);

/// What a plan makes.
NeededInode inode_of(const DesiredNode& node);

/// `tree = […]`, a line for each inode; empty when there are none.
std::string tree_text(const std::vector<NeededInode>& inodes);

/// A comment for each file whose content is not in the tree.
std::string lost_content(const std::vector<NeededInode>& inodes);

/// A label for each mount of a removed inode, unique within its superblock. Those in `known`, of
/// the base, keep theirs; others follow in tree order.
std::map<std::uint32_t, std::string> label_deleted(
    const MountTable& live, const std::map<std::uint32_t, std::string>& known);

/// `deleted`, `kind`, `mode` and so on of a mount that shows a removed inode, or `follow` of one
/// that shows a symlink of the parent.
TomlKeys inode_keys(const LiveMount& mount, const ListedSource& from);

/// `mode`, `uid` and `gid` of a mount that shows a removed inode, as far as they are not what the
/// plan makes of it.
TomlKeys changed_inode_keys(const Plan& plan, const DesiredMount& desired, const LiveMount& mount);

/// Why no source can be written for what no path leads to; empty when one can.
std::string why_untraced(const LiveMount& mount, const MountTable& parent);

}  // namespace mntcr
