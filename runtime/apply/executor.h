// Runs the operations of a plan: one switch, one mount syscall an operation. It decides nothing;
// what to do in which order is the planner's business.
//
// Runs on a thread of its own, because its first operations leave the caller's namespace and root.
// The new namespace is the transaction: when a step fails the thread ends and the namespace dies
// with it. Only mountpoints made on the parent's filesystems outlive it, so they are remembered and
// removed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/apply/failure.h"
#include "runtime/apply/host_mountpoints.h"
#include "runtime/apply/overlay_maker.h"
#include "runtime/base/diagnostic.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Where a plan is run.
struct ExecutorSetting {
  const Fd& proc;              ///< /proc of the caller
  std::uint64_t id_above = 0;  ///< the new namespace's id shall be larger; 0: whatever it is
};

/// See the top of the file. One use, on one thread.
class Executor {
 public:
  Executor(Kernel& kernel, const Plan& plan, const ExecutorSetting& setting,
           HostMountpoints& host_mountpoints);

  /// Runs all operations. On failure adds what went wrong to `diagnostics` and returns an empty Fd;
  /// else the new namespace.
  Fd run(Diagnostics& diagnostics);

 private:
  Step execute(const Op& op);
  Step unshare(const Op& op);
  Step make_private(const Op& op);
  Step stage(const Op& op);
  Step open_source(const Op& op);
  Step new_filesystem(const Op& op);
  Step make_overlay(const Op& op);
  Step make_read_only(const Op& op);
  Step anchor(const Op& op);
  Step change_node(const Op& op);
  Step make_directory(const Op& op);
  Step clone(const Op& op);
  Step set_attributes(const Op& op);
  Step make_mountpoint(const Op& op);
  Step attach_root(const Op& op);
  Step attach(const Op& op);
  Step pivot(const Op& op);
  Step drop(const Op& op);

  Result<void> set_filesystem_flags(const Fd& context, std::uint32_t superblock);
  Step attach_to_staging(const Op& op, const std::string& name);
  Step make_path(const Op& op, bool directory, bool on_host);
  Result<Fd> make_component(const Fd& below, const std::string& name, bool directory, bool on_host);
  Result<Fd> open_below(const Fd& root, const std::string& path);
  StepFailure walk_failure(const Op& op, const Fd& from, std::uint32_t from_mount,
                           const Error& error);
  StepFailure attach_failure(const Op& op, const Fd& mountpoint, const Error& error);
  Result<bool> is_directory(const Fd& file);
  void report(const Op& op, StepFailure failure, Diagnostics& diagnostics) const;

  Kernel& kernel_;
  const Plan& plan_;
  const ExecutorSetting& setting_;
  std::vector<Fd> slots_;
  std::vector<std::uint32_t>
      slot_mounts_;  ///< the desired mount that a register holds, or no_index
  HostMountpoints& host_mountpoints_;
  OverlayMaker overlays_;
  std::vector<Fd> user_namespaces_;  ///< of Plan::idmaps
  Fd namespace_;
  Fd parent_root_;
  Fd staging_;
};

}  // namespace mntcr
