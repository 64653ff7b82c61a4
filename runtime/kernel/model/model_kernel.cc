// Fds, tasks and the world to begin with.
#include "runtime/kernel/model/model_kernel.h"

#include <algorithm>
#include <cerrno>

#include "runtime/base/path.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_failure.h"

namespace mntcr {

using model::failed;
using model::Inode;
using model::InodeKind;
using model::Mount;
using model::Refusal;

namespace {

constexpr std::uint32_t made_mode = 0755;
constexpr std::uint32_t readable = 0444;

Inode& folder_in(Inode& directory, std::string_view name) {
  return model::make_inode(directory, name, InodeKind::directory, made_mode);
}

void fill_proc(Inode& root) {
  for (const char* self : {"self", "thread-self"}) {
    Inode& folder = folder_in(root, self);
    model::make_inode(folder_in(folder, "ns"), "mnt", InodeKind::magic, made_mode).target =
        "ns/mnt";
    model::make_inode(folder, "fd", InodeKind::fd_folder, made_mode);
    for (const char* text : {"mountinfo", "uid_map", "gid_map"}) {
      model::make_inode(folder, text, InodeKind::file, readable).target = text;
    }
  }
}

/// The inode at `path` below the root of `superblock`; directories that are missing are made.
Inode& reach(model::Superblock& superblock, std::string_view path) {
  Inode* at = &superblock.root();
  for (const std::string_view name : path::components(path)) {
    Inode* next = model::lookup(*at, name);
    at = next != nullptr ? next : &folder_in(*at, name);
  }
  return *at;
}

}  // namespace

ModelKernel::ModelKernel(std::optional<KernelRule> broken)
    : mounts_(broken), userns_(mounts_.new_userns()) {
  make_proc();
  const auto hidden = mounts_.new_superblock("rootfs");
  Mount& rootfs = mounts_.new_mount(hidden, hidden->root());
  auto ns = mounts_.new_namespace(rootfs, userns_);
  const auto visible = mounts_.new_superblock("tmpfs");
  Mount& root = mounts_.new_mount(visible, visible->root());
  mounts_.put(root, {&rootfs, rootfs.root});
  const Place place{&root, root.root};
  tasks_.push_back({std::this_thread::get_id(), std::move(ns), pin(place), pin(place)});
}

/// Files first: they hold trees and namespaces.
ModelKernel::~ModelKernel() {
  files_.clear();
  tasks_.clear();
}

void ModelKernel::make_proc() {
  const auto proc = mounts_.new_superblock("proc");
  fill_proc(proc->root());
  proc_ = &mounts_.new_mount(proc, proc->root());
  const auto nsfs = mounts_.new_superblock("nsfs");
  nsfs_ = &mounts_.new_mount(nsfs, nsfs->root());
}

/// A thread that calls has seen those end that it started.
ModelKernel::Task& ModelKernel::task() {
  const std::thread::id caller = std::this_thread::get_id();
  const auto known = std::ranges::find(tasks_, caller, &Task::thread);
  if (known == tasks_.end()) {
    Task begun = tasks_.back();
    begun.thread = caller;
    tasks_.push_back(std::move(begun));
  } else {
    tasks_.erase(known + 1, tasks_.end());
  }
  return tasks_.back();
}

ModelKernel::Pinned ModelKernel::pin(const Place& place) {
  return {place.mount->shared_from_this(), place.inode};
}

Fd ModelKernel::open(File file) {
  files_.emplace(++last_fd_, std::move(file));
  return {*this, last_fd_};
}

const ModelKernel::File* ModelKernel::find(int fd) const {
  const auto found = files_.find(fd);
  return found == files_.end() ? nullptr : &found->second;
}

model::Outcome<const ModelKernel::File*> ModelKernel::file_of(int fd, FileKind kind) const {
  const File* file = find(fd);
  if (file == nullptr) return Refusal(EBADF);
  if (file->kind != kind) return Refusal(EINVAL);
  return file;
}

/// The last file of a detached tree takes it along, unless it was attached meanwhile.
void ModelKernel::close(int fd) {
  const auto found = files_.find(fd);
  if (found == files_.end()) return;
  const File closed = std::move(found->second);
  files_.erase(found);
  if (!closed.dissolves || !mounts_.follows(KernelRule::close_dissolves)) return;
  model::Namespace* ns = closed.at.mount->ns;
  if (ns != nullptr && ns->detached && ns->root == closed.at.mount.get()) mounts_.dissolve(*ns);
}

std::uint64_t ModelKernel::mount_of(int fd) const {
  const File* file = find(fd);
  return file == nullptr || file->kind != FileKind::path ? 0 : file->at.mount->id;
}

void ModelKernel::make_root_boundless() {
  model::Superblock& superblock = *task().root.mount->superblock;
  superblock.boundless = true;
  superblock.type = "unknown";
}

Result<void> ModelKernel::make_file(const std::string& path) {
  const auto place = resolve(at_fdcwd, path, {});
  if (!place) return failed("make_file", place.error());
  place->inode->kind = InodeKind::file;
  return {};
}

Result<std::uint64_t> ModelKernel::add_mount(const ModelMount& wanted) {
  const Place above = task().root.place();
  auto reached = resolve(at_fdcwd, wanted.path, {});
  if (!reached) {
    Inode* at = above.inode;
    for (const std::string_view name : path::components(wanted.path)) {
      Inode* next = model::lookup(*at, name);
      at = next != nullptr ? next : &folder_in(*at, name);
    }
    reached = resolve(at_fdcwd, wanted.path, {});
  }
  if (!reached) return failed("add_mount", reached.error());
  auto superblock = wanted.superblock;
  if (!superblock) {
    superblock = mounts_.new_superblock(wanted.type);
    superblock->boundless = wanted.boundless;
  }
  Inode& root = reach(*superblock, wanted.root);
  Mount& mount = mounts_.new_mount(superblock, root);
  mounts_.put(mount, model::topmost(*reached));
  const model::AttrChange change{.propagation = wanted.propagation};
  const auto changed = mounts_.set_attributes(own_namespace(), {&mount, mount.root}, false, change);
  if (!changed) return failed("add_mount", changed.error());
  if (wanted.peer_outside) mounts_.outside_relative(mount, false);
  if (wanted.slave_of_outside) mounts_.outside_relative(mount, true);
  return mount.id;
}

Result<Fd> ModelKernel::clone_namespace_in_new_user_namespace(int ns_fd) {
  const auto file = file_of(ns_fd, FileKind::path);
  if (!file) return failed("unshare", file.error());
  if (!(*file)->ns) return failed("unshare", EINVAL);
  std::unordered_map<Mount*, Mount*> copies;
  auto made = mounts_.clone_namespace((*file)->ns->ns, mounts_.new_userns(), copies);
  if (!made) return failed("unshare", EPERM);
  File shown;
  shown.at = pin({nsfs_, &inode_of(made->ns)});
  shown.ns = std::move(made);
  return open(std::move(shown));
}

}  // namespace mntcr
