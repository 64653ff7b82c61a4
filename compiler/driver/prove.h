// The proof as the commands run it: before a plan is written or applied.
#pragma once

#include <string>

#include "runtime/base/diagnostic.h"
#include "runtime/plan/plan.h"

namespace mntcr::driver {

/// Whether the plan of a spec leads to what the spec says (compiler/proof/proof.h). If it does not,
/// that is an error of mntcr's: says so in `diagnostics`, and leaves the plan, which holds the
/// spec, in `reproducer` for whoever looks into it.
bool prove(const Plan& plan, const std::string& reproducer, Diagnostics& diagnostics);

}  // namespace mntcr::driver
