// What the table of a live namespace does not tell by itself and has to be looked up: the inodes
// that mounts need and where the layers of overlays are. Inodes come first, for that look may find
// the mounts changed and read the table again, which knows no layers then.
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// How much of a container is read. What is written as a spec takes the inodes, too.
enum class LiveDepth : std::uint8_t { mounts, inodes };

/// Completes `live`, which capture() read from `ns`, as inspect() and find_layers() do. The calling
/// thread stands in the parent namespace, of which `parent` was read.
Result<void> survey(Kernel& kernel, const Fd& proc, const Fd& ns, LiveDepth depth,
                    const MountTable& parent, MountTable& live);

}  // namespace mntcr
