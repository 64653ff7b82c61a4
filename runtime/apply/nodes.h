// Inodes that a filesystem of the plan holds before anything is mounted on it: made with exactly
// the mode and owner that the plan says, whatever the umask, and, those without a name, unlinked
// again.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/kernel/kernel.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Below a mount nothing but plain names: a symlink could lead the walk anywhere, and what was
/// proven would not be what is made (CVE-2019-16884, CVE-2021-30465).
inline constexpr std::uint64_t literal_walk = abi::resolve_beneath | abi::resolve_no_symlinks |
                                              abi::resolve_no_magiclinks | abi::resolve_no_xdev;

/// What lies at `path` below `root`, a mount. The last component may be a symlink where `link`
/// says so, and is then opened itself.
Result<Fd> open_beneath(Kernel& kernel, const Fd& root, const std::string& path, bool link = false);

/// Makes `node` below the root of `filesystem`, where the directory above it must be. What fails
/// after the inode was made leaves it: the filesystem dies with the plan.
Result<void> make_node(Kernel& kernel, const Fd& filesystem, const DesiredNode& node);

/// Takes the name of `node` away.
Result<void> remove_node(Kernel& kernel, const Fd& filesystem, const DesiredNode& node);

}  // namespace mntcr
