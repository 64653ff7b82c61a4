// Why a step of a plan failed, in the user's words: which kind of failure an errno means at that
// step, and what can be done about it.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/diagnostic.h"
#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// A failed step before it is tied to its place in the spec.
struct StepFailure {
  Code code{};
  std::string message;
  std::vector<std::string> notes;
  std::vector<std::string> helps;
};

using Step = std::expected<void, StepFailure>;
using StepError = std::unexpected<StepFailure>;

/// What the step was doing, as the start of a sentence: "cannot mount on /data".
std::string doing(const Plan& plan, const Op& op);

/// The failure of a call that has no special meaning at this step: E0604, or what the errno says
/// whatever the step (EPERM, ENOSYS, ENOSPC, EMFILE).
StepFailure refused(const Plan& plan, const Op& op, const Error& error);

/// The step for people: "step 14 of 20: attach /data, flags ro nosuid".
std::string step_note(const Plan& plan, const Op& op);

}  // namespace mntcr
