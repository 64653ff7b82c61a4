// Mounts as a reader finds them to MountTable: the same order and the same paths whichever reader.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"

namespace mntcr {

/// A mount whose place is still told by ids: `mount.parent` and `mount.below_parent` are not
/// filled.
struct MountRow {
  LiveMount mount;
  std::uint64_t parent_id = 0;
};

/// The table of `rows`, which may come in any order. The root is the one whose parent is not among
/// them or is itself; its mountpoint must be "/". Fails when there is none or another, or when a
/// mountpoint does not lie below its parent's: then the rows are not a whole namespace.
Result<MountTable> build_mount_table(std::vector<MountRow> rows, bool unique_ids);

}  // namespace mntcr
