// Refusals of the model as failures of calls.
#pragma once

#include <fmt/format.h>

#include <cstring>

#include "runtime/base/result.h"
#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {

/// "<call>: <text of errno>", as LinuxKernel says it.
inline Failure failed(const char* call, int number) {
  const char* text = strerrordesc_np(number);
  return fail(fmt::format("{}: {}", call, text != nullptr ? text : "unknown error"), number);
}

inline Result<void> done(const char* call, const Outcome<void>& outcome) {
  if (!outcome) return failed(call, outcome.error());
  return {};
}

}  // namespace mntcr::model
