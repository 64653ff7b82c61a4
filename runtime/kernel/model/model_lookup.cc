// From directory fds and paths to places, and back to paths.
#include <cerrno>
#include <charconv>

#include "runtime/base/path.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_kernel.h"

namespace mntcr {

using model::Inode;
using model::InodeKind;
using model::PathWalk;
using model::Refusal;

model::Outcome<model::Place> ModelKernel::start_of(int dir) {
  if (dir == at_fdcwd) return task().cwd.place();
  const File* file = find(dir);
  if (file == nullptr) return Refusal(EBADF);
  if (file->kind != FileKind::path) return Refusal(ENOTDIR);
  return file->at.place();
}

/// Nothing is mounted on /proc of the world to begin with, but what works on mounts looks there.
bool ModelKernel::is_hidden_proc(const std::string& path, std::uint64_t flags) {
  if (!path.starts_with('/')) return false;
  if ((flags & (abi::resolve_in_root | abi::resolve_beneath)) != 0) return false;
  const auto names = path::components(path);
  if (names.empty() || names.front() != "proc") return false;
  const Place root = task().root.place();
  const auto known = root.inode->entries.find("proc");
  if (known == root.inode->entries.end()) return true;
  return known->second != nullptr && known->second->kind == InodeKind::unknown &&
         model::child_at(*root.mount, *known->second) == nullptr;
}

model::Outcome<model::Place> ModelKernel::resolve(int dir, const std::string& path,
                                                  const Walking& how) {
  if (path.empty() && how.may_be_empty) return start_of(dir);
  model::WalkSetting setting{{}, task().root.place(), how.resolve, how.follow};
  const bool anywhere = path.starts_with('/') && (how.resolve & abi::resolve_in_root) == 0;
  const auto start = anywhere ? Outcome<Place>(setting.root) : start_of(dir);
  if (!start) return start;
  setting.start = *start;
  const model::MagicTarget magic = [this](const Inode& link) { return follow_magic(link); };
  if (!is_hidden_proc(path, how.resolve)) return PathWalk(setting, magic).walk(path);
  setting.start = {proc_, proc_->root};
  const std::string rest = path::relative_to(path, "/proc");
  return PathWalk(setting, magic).walk(rest.empty() ? "." : rest);
}

model::Outcome<model::Place> ModelKernel::resolve_parent(int dir, const std::string& path,
                                                         std::uint64_t flags, std::string& name) {
  model::WalkSetting setting{{}, task().root.place(), flags, true};
  const auto start = start_of(path.starts_with('/') && flags == 0 ? at_fdcwd : dir);
  if (!start) return start;
  setting.start = *start;
  const model::MagicTarget magic = [this](const Inode& link) { return follow_magic(link); };
  return PathWalk(setting, magic).walk_to_parent(path, name);
}

model::Outcome<model::Place> ModelKernel::follow_magic(const Inode& link) {
  if (link.target == "ns/mnt") return Place{nsfs_, &inode_of(own_namespace())};
  const std::string_view number = std::string_view(link.target).substr(link.target.find('/') + 1);
  int fd = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (error != std::errc() || end != number.data() + number.size()) return Refusal(ENOENT);
  const File* file = find(fd);
  if (file == nullptr || file->kind != FileKind::path) return Refusal(ENOENT);
  return file->at.place();
}

/// The file of a namespace.
Inode& ModelKernel::inode_of(model::Namespace& ns) {
  const auto known = ns_inodes_.find(ns.id);
  if (known != ns_inodes_.end()) return *known->second;
  constexpr std::uint32_t readable = 0444;
  Inode& made = model::make_inode(*nsfs_->root, "mnt:[" + std::to_string(ns.id) + "]",
                                  InodeKind::ns_file, readable);
  made.namespace_id = ns.id;
  ns_inodes_.emplace(ns.id, &made);
  return made;
}

/// The path that leads from `root` to `place`; empty if none does.
std::string ModelKernel::path_of(const Place& place, const Place& root) const {
  std::vector<std::string_view> names;
  for (Place at = place; at != root;) {
    if (at.inode != at.mount->root && at.inode->parent != nullptr) {
      names.push_back(at.inode->name);
      at.inode = at.inode->parent;
    } else if (at.mount->parent != nullptr) {
      at = {at.mount->parent, at.mount->mountpoint};
    } else {
      return {};
    }
  }
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    path += '/';
    path += *name;
  }
  return path.empty() ? "/" : path;
}

}  // namespace mntcr
