#include "runtime/capture/bound_namespaces.h"

#include <cerrno>
#include <string>
#include <utility>

namespace mntcr {
namespace {

/// Those of `wanted` that the kernel lists after `oldest`. Fails when it does not list them all.
Result<std::vector<MetNamespace>> by_list(Kernel& kernel, const Fd& oldest,
                                          std::set<std::uint64_t> wanted) {
  std::vector<MetNamespace> found;
  Result<Fd> next = kernel.ioctl_ns_mnt_get_next(oldest.get());
  while (next && !wanted.empty()) {
    const Result<FileStatus> status = kernel.statx(next->get(), "", 0);
    if (!status) return Failure(status.error());
    Result<Fd> after = kernel.ioctl_ns_mnt_get_next(next->get());
    if (wanted.erase(status->inode) != 0) found.push_back({std::move(*next), status->inode, 0});
    next = std::move(after);
  }
  if (!next && next.error().number != ENOENT) return Failure(next.error());
  return found;
}

/// Those of `wanted` that a process is in.
Result<std::vector<MetNamespace>> by_processes(Kernel& kernel, const Fd& proc,
                                               std::set<std::uint64_t> wanted) {
  const Result<std::vector<int>> pids = all_processes(kernel, proc);
  if (!pids) return Failure(pids.error());
  std::vector<MetNamespace> found;
  for (const int pid : *pids) {
    const std::string file = std::to_string(pid) + "/ns/mnt";
    const Result<std::string> link = kernel.readlinkat(proc.get(), file);
    if (!link || !wanted.contains(mount_namespace_inode(*link))) continue;
    Result<Fd> ns = kernel.openat2(proc.get(), file, {});
    if (!ns) continue;
    const Result<FileStatus> status = kernel.statx(ns->get(), "", 0);
    if (status && wanted.erase(status->inode) != 0)
      found.push_back({std::move(*ns), status->inode, pid});
  }
  return found;
}

}  // namespace

std::set<std::uint64_t> bound_namespaces(const MountTable& table) {
  std::set<std::uint64_t> inodes;
  for (const LiveMount& mount : table.mounts) {
    if (mount.fs_type != "nsfs") continue;
    if (const std::uint64_t inode = mount_namespace_inode(mount.root); inode != 0)
      inodes.insert(inode);
  }
  return inodes;
}

Result<std::vector<MetNamespace>> open_namespaces(Kernel& kernel, const Fd& proc, const Fd& oldest,
                                                  const std::set<std::uint64_t>& inodes) {
  Result<std::vector<MetNamespace>> found = by_list(kernel, oldest, inodes);
  return found ? std::move(found) : by_processes(kernel, proc, inodes);
}

}  // namespace mntcr
