// The proof of a plan: its operations are run on the model of the kernel, by the very executor that
// will run them on Linux, and what stands then must be what the plan says it wants. It does not
// trust diff, which judges the real result: each is a second opinion on the other.
//
// What the proof takes for granted about the machine is a table in specs/plan.md.
#pragma once

#include <optional>
#include <string>

#include "runtime/plan/plan.h"

namespace mntcr {

/// Why the operations of `plan` do not lead to its desired state, or reach out of the container;
/// nothing when they are proven. A flaw is an error of the planner's, never of the spec's.
std::optional<std::string> find_flaw(const Plan& plan);

}  // namespace mntcr
