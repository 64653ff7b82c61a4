// A plan's desired state as a table, as if it had been applied and captured.
#pragma once

#include "runtime/capture/mount_table.h"
#include "runtime/diff/outside_groups.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file. Superblocks get device numbers of their own; what depends on the
/// machine, such as flags that a bind inherits, is not known (LiveMount::attrs_known).
MountTable expected_table(const Plan& plan);

/// What the parent would show of the sources that the plan takes from it.
MountTable expected_parent(const Plan& plan);

/// The number that a group of the plan has in that table.
std::uint64_t expected_group(std::uint32_t group);

/// What the parent would show of the groups across the border.
OutsideGroups expected_outside(const Plan& plan);

}  // namespace mntcr
