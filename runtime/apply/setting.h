// What the steps of a plan need to know of the place where they run.
#pragma once

#include <cstdint>

#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Where a plan is run.
struct ExecutorSetting {
  const Fd& proc;              ///< /proc of the caller
  std::uint64_t id_above = 0;  ///< the new namespaces' ids shall be larger; 0: whatever they are
  /// The parent's mounts, where the plan has groups of the parent's: without them a mount that is
  /// in no group is told only by what the kernel answers.
  const MountTable* parent = nullptr;
};

}  // namespace mntcr
