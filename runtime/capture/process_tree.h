// The mount namespaces that a process and its descendants are in. A mount namespace belongs to a
// thread, so every thread is looked at.
//
// Processes come and go meanwhile. What has ended is passed over: its namespace is gone, or another
// process is in it, or a mount keeps it (bound_namespaces.h).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// A mount namespace that was met, held open.
struct MetNamespace {
  Fd ns;
  std::uint64_t inode = 0;  ///< what tells namespaces apart as long as they are held
  int process = 0;          ///< the first in which it was met; 0 when in none
};

/// What a walk from a process down met.
struct ProcessTree {
  std::vector<MetNamespace> namespaces;  ///< each once, the process's own first
  std::vector<int> refused;              ///< processes that the caller may not look into
  std::vector<int> ended;                ///< those that ended while they were looked at
};

/// How children are found: by /proc/PID/task/TID/children, where the kernel has it, or by the
/// parents of all processes.
enum class Kinship : std::uint8_t { automatic, parents };

/// Opens the mount namespaces of `pid` and of all its descendants. A namespace's own process being
/// no more fails as open_namespace_of_pid() does; anything else that is not there fails nothing.
Result<ProcessTree> walk_process_tree(Kernel& kernel, const Fd& proc, int pid,
                                      Kinship kinship = Kinship::automatic);

/// The numbers of all processes that `proc` shows, ascending.
Result<std::vector<int>> all_processes(Kernel& kernel, const Fd& proc);

/// The inode number in what a link to a mount namespace says, "mnt:[4026531841]"; so does the root
/// of a mount of such a file. 0 when it is of something else.
std::uint64_t mount_namespace_inode(std::string_view link);

}  // namespace mntcr
