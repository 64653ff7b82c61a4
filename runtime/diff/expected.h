// A plan's desired state as a table, as if it had been applied and captured.
#pragma once

#include "runtime/capture/mount_table.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file. Superblocks get device numbers of their own; what depends on the
/// machine, such as flags that a bind inherits, is not known (LiveMount::attrs_known).
MountTable expected_table(const Plan& plan);

}  // namespace mntcr
