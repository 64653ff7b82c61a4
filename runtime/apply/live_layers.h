// Directories that a live overlay writes to. A second overlay on them is only a warning in the
// kernel's log, and each then changes files behind the other's back; so it is refused.
#pragma once

#include "runtime/base/diagnostic.h"
#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Whether the plan has an overlay that writes to a filesystem of the parent.
bool writes_to_layers(const Plan& plan);

/// Adds E0613 for each upper or work layer of the plan that an overlay of the calling thread's
/// namespace, which is the parent, has as its own; overlays that only other namespaces show are not
/// seen. Adds E0615 for one that the parent does not show where the plan will take it: behind a
/// symlink, or on something that is mounted on the way.
Result<void> refuse_live_layers(Kernel& kernel, const Plan& plan, const Fd& proc,
                                Diagnostics& diagnostics);

}  // namespace mntcr
