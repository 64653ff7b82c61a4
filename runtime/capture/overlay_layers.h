// Where the layers of live overlays are. The kernel prints the path that each had when the overlay
// was made, to whoever made it; whether the container or its parent still shows a directory there
// has to be looked up.
//
// A lookup may hang where it meets a filesystem that asks somebody (nfs, fuse). So only paths are
// looked up on which nothing but filesystems of the kernel and of local disks are mounted.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Whether a lookup of `path` in the namespace of `table` meets only filesystems that answer.
bool answers_at(const MountTable& table, const std::string& path);

/// Fills LiveMount::layers of the overlays of `live`, which was read from the namespace `ns`. The
/// calling thread stands in the parent namespace, of which `parent` was read. Without overlays
/// nothing is done. Whoever may not enter `ns` finds in it what its table alone tells.
Result<void> find_layers(Kernel& kernel, const Fd& ns, const MountTable& parent, MountTable& live);

}  // namespace mntcr
