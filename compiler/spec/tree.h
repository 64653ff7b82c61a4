// What a new filesystem holds before anything is mounted on it (`tree`), and inodes that have no
// name any more (`deleted`): both say an inode's kind, mode and owner.
#pragma once

#include <vector>

#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads `tree` of a filesystem of `type` ("" where it is not known). Of several entries for one
/// path those of later files count; the rest are in the order written.
std::vector<TreeEntry> decode_tree(Context& context, TableReader& table, std::string_view type);

/// Reads `deleted`, and `kind`, `mode`, `uid` and `gid`, which only go with it.
void decode_deleted(Context& context, TableReader& table, MountDecl& mount);

/// A kind of inode in a sentence: "a directory", "a block device".
std::string_view inode_name(NodeKind kind);

}  // namespace mntcr::spec
