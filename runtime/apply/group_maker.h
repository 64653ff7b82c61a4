// Peer groups: which of the parent's a plan takes, and how mounts get theirs.
#pragma once

#include <expected>
#include <unordered_map>

#include "runtime/apply/failure.h"
#include "runtime/apply/setting.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Whether the plan puts mounts into groups that others are in, which needs MOVE_MOUNT_SET_GROUP.
bool joins_groups(const Plan& plan);

/// Runs the steps of the phase `sharing`, and open_group, on the executor's thread.
class GroupMaker {
 public:
  GroupMaker(Kernel& kernel, const Plan& plan, const ExecutorSetting& setting)
      : kernel_(kernel), plan_(plan), setting_(setting) {}

  /// The root of the mount below `parent_root`, a directory of the parent namespace itself, that
  /// holds the path of group op.b. It is only ever taken a group from.
  std::expected<Fd, StepFailure> open_group(const Op& op, const Fd& parent_root);
  Step set_propagation(const Op& op, const Fd& mount);
  Step set_group(const Op& op, const Fd& from, const Fd& to);

 private:
  /// What a path leads to, and the root of the mount that holds it.
  struct Place {
    Fd root;
    FileStatus status;           ///< of the root
    bool is_mountpoint = false;  ///< the path itself is that root
  };
  Result<Place> find_mount(const Fd& parent_root, const std::string& path);
  Result<void> climb(Place& place);
  Result<Fd> open_in(const Fd& parent_root, std::string_view path);
  Step check_shared(const Op& op, const Place& place);
  StepFailure joining_failure(const Op& op, const Error& error) const;

  Kernel& kernel_;
  const Plan& plan_;
  const ExecutorSetting& setting_;
  std::unordered_map<Slot, std::uint32_t> crossing_;  ///< groups of the parent's, by register
};

}  // namespace mntcr
