// Files: opening, making, removing, asking.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/mount_options.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_failure.h"
#include "runtime/kernel/model/model_kernel.h"

namespace mntcr {

using model::failed;
using model::Inode;
using model::InodeKind;
using model::Refusal;

namespace {

constexpr std::uint32_t permission_bits = 07777;

bool is_read_only(const model::Place& place) {
  return (place.mount->attrs & mount_attr::rdonly) != 0 ||
         (place.mount->superblock->flags & fs_flag::rdonly) != 0;
}

InodeKind kind_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFIFO:
      return InodeKind::fifo;
    case S_IFSOCK:
      return InodeKind::socket;
    case S_IFCHR:
      return InodeKind::character;
    case S_IFBLK:
      return InodeKind::block;
    default:
      return InodeKind::file;
  }
}

bool has_entries(const Inode& inode) {
  for (const auto& [name, entry] : inode.entries) {
    if (entry != nullptr) return true;
  }
  return false;
}

}  // namespace

Result<Fd> ModelKernel::openat2(int dir, const std::string& path, const OpenHow& how) {
  const bool creates = (how.flags & O_CREAT) != 0;
  const Walking walking{.resolve = how.resolve,
                        .follow = (how.flags & O_NOFOLLOW) == 0 &&
                                  (how.flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL)};
  auto place = resolve(dir, path, walking);
  if (place && creates && (how.flags & O_EXCL) != 0) return failed("openat2", EEXIST);
  if (!place && place.error() == ENOENT && creates) {
    std::string name;
    const auto parent = resolve_parent(dir, path, how.resolve, name);
    if (!parent) return failed("openat2", parent.error());
    if (name.empty() || name == "." || name == "..") return failed("openat2", EISDIR);
    if (parent->inode->deleted) return failed("openat2", ENOENT);
    if (is_read_only(*parent)) return failed("openat2", EROFS);
    const auto permissions = static_cast<std::uint32_t>(how.mode) & permission_bits;
    place = Place{parent->mount,
                  &model::make_inode(*parent->inode, name, InodeKind::file, permissions)};
  }
  if (!place) return failed("openat2", place.error());
  return open_place(*place, how);
}

Result<Fd> ModelKernel::open_place(const Place& place, const OpenHow& how) {
  const bool path_only = (how.flags & O_PATH) != 0;
  if ((how.flags & O_DIRECTORY) != 0 && !place.inode->fits_directory()) {
    return failed("openat2", ENOTDIR);
  }
  if (!path_only && place.inode->kind == InodeKind::symlink) return failed("openat2", ELOOP);
  const bool writes = (how.flags & O_ACCMODE) != O_RDONLY && !path_only;
  if (writes && !place.inode->fits_file()) return failed("openat2", EISDIR);
  if (writes && is_read_only(place)) return failed("openat2", EROFS);
  File file;
  file.at = pin(place);
  file.path_only = path_only;
  if (place.inode->kind == InodeKind::ns_file) {
    model::Namespace* ns = mounts_.find_namespace(place.inode->namespace_id);
    if (ns == nullptr) return failed("openat2", ENOENT);
    file.ns = ns->hold.lock();
  }
  return open(std::move(file));
}

/// A new inode, if the name is free and the place can be written.
model::Outcome<Inode*> ModelKernel::make(int dir, const std::string& path, InodeKind kind,
                                         std::uint32_t permissions) {
  std::string name;
  const auto parent = resolve_parent(dir, path, 0, name);
  if (!parent) return Refusal(parent.error());
  if (name.empty() || name == "." || name == ".." ||
      model::lookup(*parent->inode, name) != nullptr) {
    return Refusal(EEXIST);
  }
  if (parent->inode->deleted) return Refusal(ENOENT);
  if (is_read_only(*parent)) return Refusal(EROFS);
  return &model::make_inode(*parent->inode, name, kind, permissions & permission_bits);
}

Result<void> ModelKernel::mkdirat(int dir, const std::string& path, std::uint32_t mode) {
  const auto made = make(dir, path, InodeKind::directory, mode);
  if (!made) return failed("mkdirat", made.error());
  return {};
}

Result<void> ModelKernel::mknodat(int dir, const std::string& path, std::uint32_t mode,
                                  std::uint32_t major, std::uint32_t minor) {
  const auto made = make(dir, path, kind_of(mode), mode);
  if (!made) return failed("mknodat", made.error());
  (*made)->rdev_major = major;
  (*made)->rdev_minor = minor;
  return {};
}

Result<void> ModelKernel::symlinkat(const std::string& target, int dir, const std::string& path) {
  constexpr std::uint32_t of_symlinks = 0777;
  const auto made = make(dir, path, InodeKind::symlink, of_symlinks);
  if (!made) return failed("symlinkat", made.error());
  (*made)->target = target;
  return {};
}

/// A name on which something is mounted in the caller's namespace stays; what is mounted there in
/// others goes with it.
Result<void> ModelKernel::unlinkat(int dir, const std::string& path, int flags) {
  std::string name;
  const auto parent = resolve_parent(dir, path, 0, name);
  if (!parent) return failed("unlinkat", parent.error());
  const bool directory = (flags & abi::at_removedir) != 0;
  if (name.empty()) return failed("unlinkat", EBUSY);
  if (name == "." || name == "..") return failed("unlinkat", directory ? EINVAL : EISDIR);
  if (is_read_only(*parent)) return failed("unlinkat", EROFS);
  Inode* inode = model::lookup(*parent->inode, name);
  if (inode == nullptr) return failed("unlinkat", ENOENT);
  if (directory && !inode->fits_directory()) return failed("unlinkat", ENOTDIR);
  if (!directory && !inode->fits_file()) return failed("unlinkat", EISDIR);
  for (const auto& [id, mount] : inode->mounted) {
    if (mount->ns == &own_namespace()) return failed("unlinkat", EBUSY);
  }
  if (directory && has_entries(*inode)) return failed("unlinkat", ENOTEMPTY);
  model::remove_inode(*inode);
  mounts_.detach_mounts_on(*inode);
  return {};
}

Result<void> ModelKernel::fchownat(int dir, const std::string& path, std::uint32_t uid,
                                   std::uint32_t gid, int flags) {
  const auto place = resolve(dir, path,
                             {.follow = (flags & abi::at_symlink_nofollow) == 0,
                              .may_be_empty = (flags & abi::at_empty_path) != 0});
  if (!place) return failed("fchownat", place.error());
  if (is_read_only(*place)) return failed("fchownat", EROFS);
  place->inode->uid = uid;
  place->inode->gid = gid;
  if (!place->inode->fits_directory()) {
    place->inode->permissions &= ~static_cast<std::uint32_t>(S_ISUID | S_ISGID);
  }
  return {};
}

Result<void> ModelKernel::fchmodat(int dir, const std::string& path, std::uint32_t mode) {
  const auto place = resolve(dir, path, {});
  if (!place) return failed("fchmodat", place.error());
  if (is_read_only(*place)) return failed("fchmodat", EROFS);
  place->inode->permissions = mode & permission_bits;
  return {};
}

Result<std::string> ModelKernel::readlinkat(int dir, const std::string& path) {
  const auto place = resolve(dir, path, {.follow = false, .may_be_empty = true});
  if (!place) return failed("readlinkat", place.error());
  const Inode& link = *place->inode;
  if (link.kind == InodeKind::symlink) return link.target;
  if (link.kind != InodeKind::magic) return failed("readlinkat", path.empty() ? ENOENT : EINVAL);
  const auto target = follow_magic(link);
  if (!target) return failed("readlinkat", target.error());
  if (target->mount == nsfs_) return target->inode->name;
  std::string shown = path_of(*target, task().root.place());
  if (shown.empty()) shown = "/" + model::path_below(*target->inode, *target->mount->root);
  if (target->inode->deleted) shown += " (deleted)";
  return shown;
}

Result<FileStatus> ModelKernel::statx(int dir, const std::string& path, int flags) {
  const auto place =
      resolve(dir, path, {.follow = (flags & abi::at_symlink_nofollow) == 0, .may_be_empty = true});
  if (!place) return failed("statx", place.error());
  const Inode& inode = *place->inode;
  FileStatus status;
  status.mode = model::mode_of(inode);
  status.uid = inode.uid;
  status.gid = inode.gid;
  status.inode = inode.number;
  status.size = inode.target.size();
  status.dev_minor = inode.superblock->dev_minor;
  status.rdev_major = inode.rdev_major;
  status.rdev_minor = inode.rdev_minor;
  status.mount_id = place->mount->id;
  status.mount_id_unique = true;
  status.is_mount_root = place->inode == place->mount->root;
  return status;
}

Result<std::uint64_t> ModelKernel::fstatfs_type(int fd) {
  const auto file = file_of(fd, FileKind::path);
  if (!file) return failed("fstatfs", file.error());
  return model::magic_of((*file)->at.mount->superblock->type);
}

/// Files are empty but for those of proc.
std::string ModelKernel::content_of(const Inode& inode) {
  if (inode.superblock->type != "proc") return {};
  if (inode.target == "mountinfo") return mountinfo();
  return inode.target.ends_with("id_map") ? "         0          0 4294967295\n" : "";
}

Result<std::string> ModelKernel::read_all(int fd) {
  const auto file = file_of(fd, FileKind::path);
  if (!file) return failed("read", file.error());
  if ((*file)->path_only) return failed("read", EBADF);
  const Inode& inode = *(*file)->at.inode;
  if (!inode.fits_file()) return failed("read", EISDIR);
  return content_of(inode);
}

/// One thread at a time: nothing changes while anybody looks.
Result<bool> ModelKernel::poll_priority(int fd) {
  const auto file = file_of(fd, FileKind::path);
  if (!file) return failed("poll", file.error());
  return false;
}

Result<std::vector<std::string>> ModelKernel::getdents(int fd) {
  const auto file = file_of(fd, FileKind::path);
  if (!file) return failed("getdents64", file.error());
  if ((*file)->path_only) return failed("getdents64", EBADF);
  if (!(*file)->at.inode->fits_directory()) return failed("getdents64", ENOTDIR);
  std::vector<std::string> names;
  for (const auto& [name, entry] : (*file)->at.inode->entries) {
    if (entry != nullptr) names.push_back(name);
  }
  return names;
}

}  // namespace mntcr
