// How often a plan takes each way that there is to give mounts their propagation: a test that
// means to have tried them all can show it.
#pragma once

#include <array>
#include <cstddef>

#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file.
struct PlanCounts {
  std::size_t alone = 0;          ///< mounts made shared by themselves
  std::size_t inner_groups = 0;   ///< the container's own that have a helper or are alone
  std::size_t helpers = 0;        ///< of such groups
  std::size_t slave_helpers = 0;  ///< those that slaves only take from
  std::size_t crossing = 0;       ///< groups of the parent's
  std::size_t unbindable = 0;     ///< mounts that are nothing else
  std::size_t unbindable_slaves = 0;
  std::size_t namespaces = 0;
};

/// All of them, to go over.
inline constexpr std::array plan_counts = {&PlanCounts::alone,
                                           &PlanCounts::inner_groups,
                                           &PlanCounts::helpers,
                                           &PlanCounts::slave_helpers,
                                           &PlanCounts::crossing,
                                           &PlanCounts::unbindable,
                                           &PlanCounts::unbindable_slaves,
                                           &PlanCounts::namespaces};

/// Counts them in a sound plan.
PlanCounts count_branches(const Plan& plan);

}  // namespace mntcr
