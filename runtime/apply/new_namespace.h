// A new mount namespace whose id the kernel will accept for pinning.
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// The calling thread's mount-namespace file.
Result<Fd> open_own_namespace(Kernel& kernel, const Fd& proc);

/// Moves the calling thread into a new mount namespace and returns its file. With `id_above` not 0
/// its id is larger than that, for the kernel lets a namespace be bound only in one with a smaller
/// id and takes ids from per-CPU batches: the thread tries the CPUs it may use, and then lets one
/// CPU's batch run out. The thread's affinity is as before afterwards.
Result<Fd> enter_new_namespace(Kernel& kernel, const Fd& proc, std::uint64_t id_above);

}  // namespace mntcr
