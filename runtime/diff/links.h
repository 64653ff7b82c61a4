// The mounts of a base that a delta keeps, and what they hang on: a `self:` source, or the `of` of
// a [filesystem], shows what another mount shows. When that one goes, or the walk to it ends
// elsewhere now, the mount needs another source, although nothing about it changed.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/copies.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// What a delta keeps, as far as it is known before sources are looked for.
struct KeptMounts {
  const Plan& plan;
  const MountTable& live;
  const MountTree& live_tree;
  PlanCopies copies;
  std::vector<std::uint32_t> live_of;     ///< of each desired mount; no_index where it is gone
  std::vector<std::uint32_t> desired_of;  ///< of each live mount that is kept, else no_index
  std::vector<bool> unseen;               ///< live mounts that walks of the delta pass
};

/// The desired mounts among the kept ones whose source does not lead any more to what they show.
std::vector<std::uint32_t> find_broken_links(const KeptMounts& kept);

/// Of each live mount, whether it is kept and depends, however far, on none of the live mounts for
/// which `given` holds: those which get a source by the delta. Only such a mount may lend a new
/// source its content; another could come back to the one that asks.
std::vector<bool> find_independent(const KeptMounts& kept, const std::vector<bool>& given);

}  // namespace mntcr
