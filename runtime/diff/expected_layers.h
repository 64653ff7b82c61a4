// The overlays of a plan as a table shows them, and the filesystems that only they show.
#pragma once

#include <string>

#include "runtime/capture/mount_table.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Fills LiveMount::layers and the options that print them of the overlays of `table`, which has a
/// mount for each of `plan`, in its order.
void expect_layers(const Plan& plan, MountTable& table);

/// A plan of nothing in which the names of filesystems are taken that only layers show.
Plan hidden_names(const Plan& plan);

/// [filesystem.NAME] of each of them, as TOML.
std::string hidden_filesystems(const Plan& plan);

}  // namespace mntcr
