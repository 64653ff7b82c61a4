// Plan -> the bytes of plan.bin.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/plan/plan.h"

namespace mntcr {

/// Serialises `plan`; equal plans give equal bytes.
std::vector<std::byte> emit_plan(const Plan& plan);

}  // namespace mntcr
