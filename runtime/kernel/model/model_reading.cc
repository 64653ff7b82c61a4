// statmount, listmount, and the calls of namespaces and tasks.
#include <algorithm>
#include <cerrno>

#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_failure.h"
#include "runtime/kernel/model/model_kernel.h"

namespace mntcr {

using model::failed;
using model::Mount;
using model::Namespace;
using model::Refusal;

namespace {

std::uint64_t propagation_bits(const Mount& mount) {
  std::uint64_t bits = 0;
  if (mount.group != nullptr) bits |= abi::ms_shared;
  if (mount.master != nullptr) bits |= abi::ms_slave;
  if (mount.unbindable) bits |= abi::ms_unbindable;
  return bits == 0 ? abi::ms_private : bits;
}

MountStatus basics_of(const Mount& mount) {
  MountStatus status;
  status.id = mount.id;
  status.parent_id = mount.parent == nullptr ? mount.id : mount.parent->id;
  status.dev_minor = mount.superblock->dev_minor;
  status.sb_magic = model::magic_of(mount.superblock->type);
  status.sb_flags = mount.superblock->flags;
  status.attrs = mount.attrs;
  status.propagation = propagation_bits(mount);
  status.peer_group = mount.group == nullptr ? 0 : mount.group->id;
  status.master = mount.master == nullptr ? 0 : master_group(mount)->id;
  return status;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

/// Another namespace is seen from the mount that stands on its first one, the own from the own
/// root. Linux looks for that mount among those that are younger than the first one: after a
/// pivot_root to a mount that was cloned before the namespace was there is nothing to see.
model::Outcome<model::Place> ModelKernel::seen_from(Namespace& ns) {
  if (&ns == &own_namespace()) return task().root.place();
  const Mount* oldest = nullptr;
  for (const auto& [number, child] : ns.root->children) {
    if (child->id < ns.root->id) continue;
    if (oldest == nullptr || child->id < oldest->id) oldest = child;
  }
  if (oldest == nullptr) return Refusal(ENOENT);
  const auto found = ns.mounts.find(oldest->id);
  return Place{found->second, found->second->root};
}

model::Outcome<Namespace*> ModelKernel::asked_namespace(std::uint64_t ns_id) {
  Namespace* ns = ns_id == 0 ? &own_namespace() : mounts_.find_namespace(ns_id);
  if (ns == nullptr) return Refusal(ENOENT);
  return ns;
}

Result<std::size_t> ModelKernel::listmount(std::uint64_t ns_id, std::uint64_t below,
                                           std::uint64_t last_id, std::span<std::uint64_t> ids) {
  const auto ns = asked_namespace(ns_id);
  if (!ns) return failed("listmount", ns.error());
  Place scope;
  if (below == lsmt_root) {
    const auto root = seen_from(**ns);
    if (!root) return failed("listmount", root.error());
    scope = *root;
  } else {
    const auto found = (*ns)->mounts.find(below);
    if (found == (*ns)->mounts.end()) return failed("listmount", ENOENT);
    scope = {found->second, found->second->root};
  }
  std::size_t count = 0;
  for (auto at = (*ns)->mounts.upper_bound(last_id);
       at != (*ns)->mounts.end() && count < ids.size(); ++at) {
    const auto& [id, mount] = *at;
    if (id == below || !model::is_reachable({mount, mount->root}, scope)) continue;
    ids[count++] = id;
  }
  return count;
}

Result<MountStatus> ModelKernel::statmount(std::uint64_t mount_id, std::uint64_t ns_id,
                                           StatmountPart part) {
  const auto ns = asked_namespace(ns_id);
  if (!ns) return failed("statmount", ns.error());
  const auto found = (*ns)->mounts.find(mount_id);
  if (found == (*ns)->mounts.end()) return failed("statmount", ENOENT);
  const Mount& mount = *found->second;
  MountStatus status = basics_of(mount);
  if (part == StatmountPart::basics) return status;
  const auto root = seen_from(**ns);
  if (root) status.mountpoint = path_of({found->second, mount.root}, *root);
  if (part == StatmountPart::placement) return status;
  status.root = model::path_in_filesystem(*mount.root);
  status.fs_type = mount.superblock->type;
  status.source = mount.superblock->source;
  status.fs_options = mount.superblock->options;
  if (mount.idmap) {
    status.uid_map = mount.idmap->uid;
    status.gid_map = mount.idmap->gid;
  }
  return status;
}

Result<void> ModelKernel::unshare(int flags) {
  if ((flags & ~(abi::clone_newns | abi::clone_fs)) != 0) return failed("unshare", EINVAL);
  Task& task = this->task();
  if ((flags & abi::clone_fs) != 0 && tasks_.size() > 1) {
    // The first call of a thread, which may have the id of one that has ended.
    const Task& starter = tasks_[tasks_.size() - 2];
    task = {task.thread, starter.ns, starter.root, starter.cwd};
  }
  if ((flags & abi::clone_newns) == 0) return {};
  std::unordered_map<Mount*, Mount*> copies;
  auto made = mounts_.clone_namespace(task.ns->ns, userns_, copies);
  if (!made) return failed("unshare", EPERM);
  for (Pinned* at : {&task.root, &task.cwd}) {
    const auto copy = copies.find(at->mount.get());
    if (copy != copies.end()) *at = pin({copy->second, at->inode});
  }
  task.ns = std::move(made);
  return {};
}

/// The root and the working directory become the namespace's root, as what is topmost on it.
Result<void> ModelKernel::setns(int ns, int type) {
  const auto file = file_of(ns, FileKind::path);
  if (!file) return failed("setns", file.error());
  if (!(*file)->ns || (type != 0 && type != abi::clone_newns)) return failed("setns", EINVAL);
  Task& task = this->task();
  const std::shared_ptr<model::NamespaceHold> entered = (*file)->ns;
  task.root = pin(model::root_of(entered->ns));
  task.cwd = task.root;
  task.ns = entered;
  return {};
}

Result<Fd> ModelKernel::new_user_namespace(int /*proc*/, const std::string& uid_map,
                                           const std::string& gid_map) {
  File file;
  file.kind = FileKind::userns;
  file.idmap =
      std::make_shared<const model::Idmap>(model::Idmap{lines_of(uid_map), lines_of(gid_map)});
  return open(std::move(file));
}

Result<void> ModelKernel::fchdir(int dir) {
  const auto file = file_of(dir, FileKind::path);
  if (!file) return failed("fchdir", file.error());
  if (!(*file)->at.inode->fits_directory()) return failed("fchdir", ENOTDIR);
  task().cwd = (*file)->at;
  return {};
}

Result<void> ModelKernel::chroot(const std::string& path) {
  const auto place = resolve(at_fdcwd, path, {});
  if (!place) return failed("chroot", place.error());
  if (!place->inode->fits_directory()) return failed("chroot", ENOTDIR);
  task().root = pin(*place);
  return {};
}

Result<std::uint64_t> ModelKernel::ioctl_ns_get_mntns_id(int ns) {
  const auto file = file_of(ns, FileKind::path);
  if (!file) return failed("ioctl(NS_GET_MNTNS_ID)", file.error());
  if (!(*file)->ns) return failed("ioctl(NS_GET_MNTNS_ID)", ENOTTY);
  return (*file)->ns->ns.id;
}

Result<int> ModelKernel::ioctl_ns_get_nstype(int ns) {
  const auto file = file_of(ns, FileKind::path);
  if (!file) return failed("ioctl(NS_GET_NSTYPE)", file.error());
  if (!(*file)->ns) return failed("ioctl(NS_GET_NSTYPE)", ENOTTY);
  return abi::clone_newns;
}

/// The model lists no namespaces: it answers as a kernel before 6.12.
Result<Fd> ModelKernel::ioctl_ns_mnt_get_next(int /*ns*/) {
  return failed("ioctl(NS_MNT_GET_NEXT)", ENOTTY);
}

Result<std::vector<int>> ModelKernel::sched_getaffinity() { return std::vector<int>{0}; }

Result<void> ModelKernel::sched_setaffinity(std::span<const int> /*cpus*/) { return {}; }

}  // namespace mntcr
