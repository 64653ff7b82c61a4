// Mounts of a base that have no entry: copies that sharing implies of what is mounted on a member
// of a group. A [[change]] or [[remove]] cannot find them. Where the live state has not all of them
// as they are implied, the entry says `propagate = false`, and a delta lists those that there are.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "runtime/diff/diff.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Which mounts of a plan are copies.
struct PlanCopies {
  std::vector<std::uint32_t> original;  ///< of a copy a mount with the entry; else no_index
  /// It is implied by sharing. Other copies are made by a `clone`: entries of later files find them
  /// by their targets.
  std::vector<bool> implied;
};

PlanCopies find_copies(const Plan& plan);

/// What a delta does about copies.
struct CopyChanges {
  std::vector<bool> listed;             ///< implied desired mounts that it lists
  std::vector<std::uint32_t> silenced;  ///< desired mounts that imply no copies any more
};

/// `live_of`: of each desired mount its live one or no_index; `taken`: those that removals take;
/// `relisted`: implied ones that are listed whether they have changed or not.
CopyChanges change_copies(const DiffReport& report, const MountTree& live_tree,
                          const std::vector<std::uint32_t>& live_of, const std::vector<bool>& taken,
                          const std::set<std::uint32_t>& relisted);

}  // namespace mntcr
