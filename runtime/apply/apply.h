// Makes the mounts of a plan in a new mount namespace: all or nothing, and proven.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "runtime/apply/host_mountpoints.h"
#include "runtime/base/diagnostic.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// How a plan is applied.
struct ApplyOptions {
  /// The container's parent namespace, where bind sources are looked up; -1 is the caller's.
  int parent = -1;
  /// The namespace will be pinned in the caller's, so its id must be the larger (new_namespace.h).
  bool for_pinning = false;
};

/// A container whose mounts stand, and are proven to be those of the plan. Until keep() is called
/// it is on trial: without it the mountpoints made on the parent's filesystems go again with this
/// object.
class Built {
 public:
  Built(Fd ns, HostMountpoints mountpoints)
      : mountpoints_(std::move(mountpoints)), ns_(std::move(ns)) {}

  /// The mount namespace's file; the namespace lives as long as it is open, pinned or entered.
  [[nodiscard]] const Fd& ns() const { return ns_; }
  void keep() { mountpoints_.keep(); }

 private:
  HostMountpoints mountpoints_;
  Fd ns_;  ///< closed first, so that nothing is mounted any more on what is removed
};

/// Builds the namespace on a thread of its own, so the caller's namespace, root and directory stay
/// as they are, then reads it from outside and compares it with the plan. On any failure adds why
/// to `diagnostics` (their spans are in plan.sources), returns nothing and leaves the machine as it
/// was. Directories made follow the caller's umask.
std::optional<Built> apply(Kernel& kernel, const Plan& plan, const ApplyOptions& options,
                           Diagnostics& diagnostics);

}  // namespace mntcr
