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

namespace mntcr {

/// Keys with their values as TOML.
using TomlKeys = std::vector<std::pair<std::string, std::string>>;

/// The inodes that `mounts` need and that do not come back by themselves: apply makes what is
/// missing as a directory of 0755, or where another kind of inode is mounted as an empty file of
/// 0644, and all of it belongs to root. Superblocks without any are left out.
NeededInodes trees_of(const MountTable& live, const std::vector<std::uint32_t>& mounts);

/// `tree = […]`, a line for each inode; empty when there are none.
std::string tree_text(const std::vector<NeededInode>& inodes);

/// A comment for each file whose content is not in the tree.
std::string lost_content(const std::vector<NeededInode>& inodes);

/// A label for each mount of a removed inode, unique within its superblock. Mounts for which `kept`
/// holds have theirs by the base; others follow in tree order.
std::map<std::uint32_t, std::string> label_deleted(const MountTable& live,
                                                   const std::vector<bool>& kept);

/// `deleted`, `kind`, `mode` and so on of a mount that shows a removed inode, or `follow` of one
/// that shows a symlink of the parent.
TomlKeys inode_keys(const LiveMount& mount, const ListedSource& from);

/// Why no source can be written for what no path leads to; empty when one can.
std::string why_untraced(const LiveMount& mount, const MountTable& parent);

}  // namespace mntcr
