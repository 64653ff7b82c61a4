// What a Layout comes to, and what the kernel has, as text that is written alike: a difference is a
// line that can be read.
#pragma once

#include <string>

#include "compiler/layout/layout.h"
#include "runtime/apply/apply.h"
#include "runtime/capture/mount_table.h"

namespace mntcr::sandbox {

/// All mounts of all namespaces with what they share, a line each; superblocks and groups are
/// numbered by their order in it.
std::string picture_of(const Layout& layout);
std::string picture_of(const MountTable& table);

/// All namespaces of what was built, with their names.
MountTable read_built(const std::vector<DesiredNamespace>& namespaces, const Built& built);

}  // namespace mntcr::sandbox
