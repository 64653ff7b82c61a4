// A path leads to a file on a mount. The mount is found in the captured table by its id, the file's
// path within the namespace is what /proc/thread-self/fd/N shows, and taking off the mountpoint
// leaves its path below the mount's root. Both paths start at the namespace's root only when the
// calling thread's root is a mount on "/"; a chrooted caller is refused, not answered wrongly.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

constexpr std::string_view deleted = " (deleted)";

OpenHow how_to_open(bool follow) {
  OpenHow how;
  how.flags = O_PATH | (follow ? 0U : O_NOFOLLOW);
  how.resolve = abi::resolve_in_root;
  return how;
}

constexpr int most_links = 40;  ///< as in the kernel

/// The components of a path, the first one last.
std::vector<std::string> reversed_components(std::string_view path) {
  const std::vector<std::string_view> steps = path::components(path);
  return {steps.rbegin(), steps.rend()};
}

/// The reused id, for kernels whose statx(2) answers with the unique one.
Result<std::uint64_t> mountinfo_id(Kernel& kernel, const Fd& proc, int file) {
  const auto info =
      kernel.openat2(proc.get(), fmt::format("thread-self/fdinfo/{}", file), OpenHow{});
  if (!info) return Failure(info.error());
  const auto text = kernel.read_all(info->get());
  if (!text) return Failure(text.error());
  constexpr std::string_view key = "mnt_id:\t";
  std::uint64_t id = 0;
  const std::size_t at = text->find(key);
  if (at == std::string::npos) return fail("fdinfo shows no mount id");
  std::from_chars(text->data() + at + key.size(), text->data() + text->size(), id);
  return id;
}

/// What the place `below` the root of a mount is.
SourceIdentity identity_of(const LiveMount& mount, const std::string& below) {
  return {mount.dev_major, mount.dev_minor,  path::join(mount.root, below),
          mount.idmap,     mount.peer_group, below.empty()};
}

}  // namespace

Result<std::uint64_t> id_in_table(Kernel& kernel, const Fd& proc, const MountTable& table, int file,
                                  const FileStatus& status) {
  if (status.mount_id_unique && !table.unique_ids) return mountinfo_id(kernel, proc, file);
  return status.mount_id;
}

SourceResolver::SourceResolver(Kernel& kernel, const Fd& proc, const MountTable& table)
    : kernel_(kernel), proc_(proc), table_(table), walk_(table) {
  by_id_.reserve(table.mounts.size());
  for (const LiveMount& mount : table.mounts) by_id_.emplace(mount.id, &mount);
}

Result<SourceResolver::Place> SourceResolver::look_at(int file) {
  const auto status = kernel_.statx(file, "", abi::at_statx_dont_sync);
  if (!status) return Failure(status.error());
  const auto id = id_in_table(kernel_, proc_, table_, file, *status);
  if (!id) return Failure(id.error());
  const auto found = by_id_.find(*id);
  if (found == by_id_.end())
    return fail("its mount was not there when the mounts were read", EAGAIN);
  return Place{found->second, status->is_mount_root, status->inode};
}

Result<const Fd*> SourceResolver::root() {
  if (root_) return &root_;
  OpenHow how;
  how.flags = O_PATH;
  auto opened = kernel_.openat2(Kernel::at_fdcwd, "/", how);
  if (!opened) return Failure(opened.error());
  const auto place = look_at(opened->get());
  if (!place || !place->is_mount_root || place->mount->mountpoint != "/") {
    return fail("the calling process is chrooted: paths cannot be told apart from inside");
  }
  root_ = std::move(*opened);
  return &root_;
}

Result<std::string> SourceResolver::path_of(int file, const Place& place) {
  auto path = kernel_.readlinkat(proc_.get(), fmt::format("thread-self/fd/{}", file));
  if (!path || !path->ends_with(deleted)) return path;
  // Either the name ends so, then it leads to the same file; or the file was removed meanwhile.
  OpenHow how = how_to_open(false);
  how.resolve |= abi::resolve_no_symlinks;
  const auto again = kernel_.openat2(root_.get(), *path, how);
  if (again) {
    const auto same = look_at(again->get());
    if (same && same->mount == place.mount && same->inode == place.inode) return path;
  }
  return fail("it was removed while it was looked at", ENOENT);
}

// A walk of our own: each component is first looked up in the table, and only what lies on a
// filesystem that answers is asked whether it is a symlink.
std::optional<SourceIdentity> SourceResolver::told_by_table(const Fd& root, const std::string& path,
                                                            bool follow) {
  std::vector<std::string> done;
  std::vector<std::string> todo = reversed_components(path);
  for (int links = 0; !todo.empty();) {
    const std::string component = std::move(todo.back());
    todo.pop_back();
    if (component == ".") continue;
    if (component == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(component);
    if (walk_.at(done).untouchable || (todo.empty() && !follow)) continue;
    const auto target = kernel_.readlinkat(root.get(), fmt::format("{}", fmt::join(done, "/")));
    if (!target && target.error().number == EINVAL) continue;
    if (!target || ++links > most_links) return std::nullopt;  // openat2 will say why
    if (target->starts_with('/')) {
      done.clear();
    } else {
      done.pop_back();
    }
    for (std::string& step : reversed_components(*target)) todo.push_back(std::move(step));
  }
  const TableWalk::Place place = walk_.at(done);
  if (!place.untouchable) return std::nullopt;
  return identity_of(*place.mount, place.below);
}

LikelySources::LikelySources(const MountTable& table) {
  sorted_.reserve(table.mounts.size());
  for (const LiveMount& mount : table.mounts) {
    sorted_.emplace_back(mount.dev_major, mount.dev_minor, mount.root);
  }
  std::ranges::sort(sorted_);
}

bool LikelySources::has(const SourceIdentity& identity) const {
  return std::ranges::binary_search(sorted_,
                                    Key{identity.dev_major, identity.dev_minor, identity.root});
}

std::optional<SourceIdentity> SourceResolver::as_likely(const Fd& root, const std::string& path,
                                                        bool follow, const LikelySources& likely) {
  OpenHow how = how_to_open(follow);
  how.resolve |= abi::resolve_no_symlinks;
  const auto file = kernel_.openat2(root.get(), path, how);
  if (!file) return std::nullopt;
  const auto place = look_at(file->get());
  if (!place || !path::is_at_or_below(path, place->mount->mountpoint)) return std::nullopt;
  const LiveMount& mount = *place->mount;
  SourceIdentity identity = identity_of(mount, path::relative_to(path, mount.mountpoint));
  return likely.has(identity) ? std::optional(std::move(identity)) : std::nullopt;
}

Result<SourceIdentity> SourceResolver::resolve(const std::string& path, bool follow,
                                               const LikelySources* likely) {
  const auto dir = root();
  if (!dir) return Failure(dir.error());
  if (walk_.needs_care()) {
    if (auto identity = told_by_table(**dir, path, follow)) return std::move(*identity);
  }
  if (likely != nullptr) {
    if (auto identity = as_likely(**dir, path, follow, *likely)) return std::move(*identity);
  }
  const auto file = kernel_.openat2((*dir)->get(), path, how_to_open(follow));
  if (!file) return in_context(path::printable(path), file.error());
  const auto place = look_at(file->get());
  if (!place) return in_context(path::printable(path), place.error());

  const LiveMount& mount = *place->mount;
  if (place->is_mount_root) return identity_of(mount, {});
  const auto shown = path_of(file->get(), *place);
  if (!shown) return in_context(path::printable(path), shown.error());
  if (!path::is_at_or_below(*shown, mount.mountpoint)) {
    return in_context(path::printable(path),
                      Error{"its mount was moved since the mounts were read", EAGAIN, {}});
  }
  return identity_of(mount, path::relative_to(*shown, mount.mountpoint));
}

}  // namespace mntcr
