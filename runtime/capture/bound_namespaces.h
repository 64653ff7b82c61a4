// Mount namespaces that no process of a container is in and that a mount inside it keeps alive: a
// bind of their file, as pins are. The mount tells the file's inode; what opens the namespace from
// there is the kernel's list of all mount namespaces, or a process that happens to be in it.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/capture/process_tree.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// The inodes of the mount namespaces that mounts of `table` are binds of.
std::set<std::uint64_t> bound_namespaces(const MountTable& table);

/// Opens those of the mount namespaces `inodes` that can be found, by ascending id or, where the
/// kernel lists none, by a process of theirs. `oldest` is a namespace of the container with the
/// least id: the kernel lets a namespace be bound only in one with a smaller id.
Result<std::vector<MetNamespace>> open_namespaces(Kernel& kernel, const Fd& proc, const Fd& oldest,
                                                  const std::set<std::uint64_t>& inodes);

}  // namespace mntcr
