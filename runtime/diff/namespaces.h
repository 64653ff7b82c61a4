// Which namespace of a plan is which live one: they go by their names.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Of each namespace of the plan the live one; no_index where there is none.
std::vector<std::uint32_t> pair_namespaces(const Plan& plan, const MountTable& live);

/// Namespaces that only one side has, by index there.
struct OddNamespaces {
  std::vector<std::uint32_t> gone;
  std::vector<std::uint32_t> appeared;
};
OddNamespaces odd_namespaces(const Plan& plan, const MountTable& live);

/// Whether a live mount stands in the container's first namespace.
bool is_in_main(const MountTable& live, const LiveMount& mount);

}  // namespace mntcr
