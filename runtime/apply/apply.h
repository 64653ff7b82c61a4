// Makes the mounts of a plan in new mount namespaces: all or nothing, and proven.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/apply/host_mountpoints.h"
#include "runtime/base/diagnostic.h"
#include "runtime/capture/container.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// How a plan is applied.
struct ApplyOptions {
  /// The container's parent namespace, where bind sources are looked up; -1 is the caller's.
  int parent = -1;
  /// The namespaces will be pinned in the caller's, so their ids must be larger (new_namespace.h).
  bool for_pinning = false;
};

/// A container whose mounts stand, and are proven to be those of the plan. Until keep() is called
/// it is on trial: without it the mountpoints made on the parent's filesystems go again with this
/// object.
class Built {
 public:
  Built(std::vector<Fd> namespaces, HostMountpoints mountpoints)
      : mountpoints_(std::move(mountpoints)), namespaces_(std::move(namespaces)) {}

  /// The file of a mount namespace, by its place in Plan::namespaces; the first is main. The
  /// namespace lives as long as it is open, pinned or entered.
  [[nodiscard]] const Fd& ns(std::size_t index = 0) const { return namespaces_.at(index); }
  [[nodiscard]] const std::vector<Fd>& namespaces() const { return namespaces_; }
  void keep() { mountpoints_.keep(); }

 private:
  HostMountpoints mountpoints_;
  std::vector<Fd> namespaces_;  ///< closed first, so that nothing is mounted on what is removed
};

/// What apply made of `plan`, with the names of Plan::namespaces; it must outlive the result.
std::vector<NamedNamespace> named_namespaces(const Plan& plan, const std::vector<Fd>& namespaces);

/// Builds the namespaces on a thread of its own, so the caller's namespace, root and directory stay
/// as they are, then reads them from outside and compares them with the plan. On any failure adds
/// why to `diagnostics` (their spans are in plan.sources), returns nothing and leaves the machine
/// as it was. Directories made follow the caller's umask.
std::optional<Built> apply(Kernel& kernel, const Plan& plan, const ApplyOptions& options,
                           Diagnostics& diagnostics);

}  // namespace mntcr
