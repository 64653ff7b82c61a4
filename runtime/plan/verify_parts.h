// The parts of plan_fault() (verify.h): what is wrong with the desired mounts, and with the
// operations.
#pragma once

#include <optional>
#include <string>

#include "runtime/plan/plan.h"

namespace mntcr {

/// What is wrong, as a clause.
using Fault = std::optional<std::string>;

inline bool is_sound(const AttrDemand& demand) {
  return (demand.mask & ~mount_attr::all) == 0 && (demand.value & ~demand.mask) == 0;
}

/// Namespaces, peer groups and mounts. Superblocks, idmaps and nodes are sound.
Fault mounts_fault(const Plan& plan);

/// The operations. All else is sound.
Fault operations_fault(const Plan& plan);

}  // namespace mntcr
