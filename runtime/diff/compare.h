// What differs about a mount and its live counterpart, as far as the desired state speaks of it.
#pragma once

#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/identity.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Per-mount flags that the spec decides.
std::vector<Difference> compare_mount(const DesiredMount& desired, const LiveMount& live);

/// Parameters, flags and source name of a filesystem that the plan makes; of one of the
/// parent nothing, for it is not the container's to say. User and group numbers are compared only
/// when `ids_are_ours` (MountTable).
std::vector<Difference> compare_superblock(const DesiredSuperblock& desired, const LiveMount& live,
                                           bool ids_are_ours);

/// The difference between where a mount shall come from and where it does.
Difference compare_source(const DesiredMount& desired, const DesiredSuperblock& superblock,
                          const LiveMount& live, Deleted deleted);

}  // namespace mntcr
