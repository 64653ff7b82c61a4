// Mounts of one peer group, and their slaves, show one filesystem. Where they come from the parent
// by different paths a spec has to say so: `[filesystem.NAME] parent = "/srv"` with `fs:NAME/a`,
// for of two paths nobody but the kernel knows that they lead to one.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/diff/delta.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/diff/names.h"
#include "runtime/diff/showing.h"

namespace mntcr {

/// What sources are united with.
struct SharedSources {
  const DiffReport& report;
  const MountTree& live_tree;
  const std::vector<std::uint32_t>& live_of;  ///< of each desired mount
  const Showing& outside;                     ///< the parent's mounts
  UniqueNames& names;                         ///< of filesystems
};

/// Gives mounts of `delta` such sources where they need them, and mounts of the base as well
/// (Delta::resourced). Where no path of the parent leads to a directory above all of them nothing
/// is changed.
void unite_sources(const SharedSources& with, Delta& delta);

}  // namespace mntcr
