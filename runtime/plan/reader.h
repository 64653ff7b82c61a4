// plan.bin back into a Plan. The bytes are untrusted: everything that apply and diff rely on is
// verified here, structure first, then meaning.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "runtime/base/diagnostic.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Reads the bytes of a plan file. On anything wrong adds one E05xx to `diagnostics` and returns
/// nothing. `file` is how messages call it.
std::optional<Plan> read_plan(std::span<const std::byte> bytes, const std::string& file,
                              Diagnostics& diagnostics);

/// Whether `bytes` begin as a plan file does, so that a plan and a spec can be told apart.
bool looks_like_plan(std::span<const std::byte> bytes);

}  // namespace mntcr
