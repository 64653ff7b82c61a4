// Whether mounts fit what filesystems of the spec are known to hold.
#pragma once

#include "compiler/layout/checks.h"

namespace mntcr::layout {

/// Mounts inside what is no directory or on an inode without a name, directories on what is none
/// and the other way round, paths that lead through a symlink of a `tree`, and places that mntcr
/// keeps for itself.
void check_inodes(const Resolved& resolved, Diagnostics& diagnostics);

}  // namespace mntcr::layout
