// Runs the operations of a plan: one switch, one mount syscall an operation. It decides nothing;
// what to do in which order is the planner's business.
//
// Runs on a thread of its own, because its first operations leave the caller's namespace and root.
// The new namespaces are the transaction: when a step fails the thread ends and they die with it.
// Only mountpoints made on the parent's filesystems outlive it, so they are remembered and removed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/apply/failure.h"
#include "runtime/apply/group_maker.h"
#include "runtime/apply/host_mountpoints.h"
#include "runtime/apply/namespaces.h"
#include "runtime/apply/overlay_maker.h"
#include "runtime/apply/setting.h"
#include "runtime/base/diagnostic.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file. One use, on one thread.
class Executor {
 public:
  Executor(Kernel& kernel, const Plan& plan, const ExecutorSetting& setting,
           HostMountpoints& host_mountpoints);

  /// Runs all operations. On failure adds what went wrong to `diagnostics` and returns nothing;
  /// else the new namespaces, in the order of Plan::namespaces.
  std::vector<Fd> run(Diagnostics& diagnostics);

 private:
  Step execute(const Op& op);
  Step enter(const Op& op);
  Step share(const Op& op);
  Step open_source(const Op& op);
  Step new_filesystem(const Op& op);
  Step make_overlay(const Op& op);
  Step make_read_only(const Op& op);
  Step anchor(const Op& op);
  Step change_node(const Op& op);
  Step make_directory(const Op& op);
  Step clone(const Op& op);
  Step reopen(const Op& op);
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
  Namespaces namespaces_;
  GroupMaker groups_;
  std::vector<Fd> user_namespaces_;  ///< of Plan::idmaps
};

}  // namespace mntcr
