// Whether a plan means something that a compiler could have written. It may come from elsewhere, so
// nothing that apply relies on is taken on trust: registers are filled before they are used, the
// host is out of reach before the first mount is made, paths cannot climb.
#pragma once

#include <optional>
#include <string>

#include "runtime/plan/plan.h"

namespace mntcr {

/// What is wrong with `plan`, as a clause; nothing when it is sound.
std::optional<std::string> plan_fault(const Plan& plan);

}  // namespace mntcr
