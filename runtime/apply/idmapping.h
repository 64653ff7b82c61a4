// The idmaps of a plan: user namespaces to take them from, and why the kernel refused one.
#pragma once

#include <optional>
#include <vector>

#include "runtime/apply/failure.h"
#include "runtime/base/diagnostic.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// A user namespace for each of Plan::idmaps. To be called before the thread enters the new mount
/// namespace: there its root gets covered, and the kernel makes no user namespace for a thread that
/// looks chrooted. On failure adds why to `diagnostics` and returns nothing.
std::optional<std::vector<Fd>> make_user_namespaces(Kernel& kernel, const Plan& plan,
                                                    const Fd& proc, Diagnostics& diagnostics);

/// Why the step `op`, which gives `mount` an idmap, failed.
StepFailure idmap_refused(Kernel& kernel, const Plan& plan, const Op& op, const Fd& mount,
                          const Error& error);

}  // namespace mntcr
