// The two ways to read a namespace. capture() chooses.
#pragma once

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// How many times a namespace is read before it is said never to hold still.
inline constexpr int most_readings = 48;

Failure never_holds_still();

/// By listmount(2) and statmount(2). Fails with EOPNOTSUPP or ENOSYS where this kernel, or this
/// namespace, cannot be read in that way.
Result<MountTable> read_by_statmount(Kernel& kernel, const Fd& proc, const Fd& ns);

/// By /proc/thread-self/mountinfo on a thread that enters the namespace.
Result<MountTable> read_by_mountinfo(Kernel& kernel, const Fd& proc, const Fd& ns);

/// Whether `ns` is the mount namespace of the calling thread.
Result<bool> is_own_namespace(Kernel& kernel, const Fd& proc, const Fd& ns);

}  // namespace mntcr
