// Peer groups that mounts of the parent are members of, as far as a container has to do with them:
// what sharing across its border is told by.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "runtime/capture/mount_table.h"

namespace mntcr {

/// A peer group with members in the parent namespace.
struct OutsideGroup {
  std::string path;   ///< the mountpoint of the first that a walk meets; empty when it meets none
  bool exact = true;  ///< `path` is a mountpoint; else it lies on the mount
};

/// By the kernel's number.
using OutsideGroups = std::map<std::uint64_t, OutsideGroup>;

/// Those of `parent` that mounts of `live` are members or slaves of; all of them without `live`.
OutsideGroups find_outside(const MountTable& parent, const MountTable* live);

}  // namespace mntcr
