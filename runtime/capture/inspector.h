// What the inodes are that mounts need. A table of mounts knows the root of a mount as a path; to
// bring the mount back a spec has to know what lay there.
#pragma once

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Fills root_inode and needed of `table`, which capture() read from `ns`. Looks only at
/// filesystems of the kernel's own and of local disks: nothing is asked of a server, so a dead one
/// hangs nobody. When the mounts have changed since, the table is read again and replaced.
///
/// What cannot be looked at, because of privilege, the kernel, or what lies above it, stays without
/// facts, and that is no failure; where that is all, inodes_unknown says why. Fails when the
/// namespace can no longer be read, or never holds still.
Result<void> inspect(Kernel& kernel, const Fd& proc, const Fd& ns, MountTable& table);

}  // namespace mntcr
