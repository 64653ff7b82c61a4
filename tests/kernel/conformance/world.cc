#include "tests/kernel/conformance/world.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "runtime/capture/capture.h"

namespace mntcr::conformance {
namespace {

constexpr std::uint32_t mode = 0755;
constexpr int depth_of_root = 3;
constexpr int depth_of_mount = 2;

int number(const Result<void>& result) { return result ? 0 : result.error().number; }

std::string words(int error) { return error == 0 ? "success" : strerrorname_np(error); }

/// A letter for each value, in the order of appearance.
class Letters {
 public:
  std::string of(std::uint64_t value) {
    const auto [found, added] = seen_.try_emplace(value, seen_.size());
    return std::to_string(found->second);
  }

 private:
  std::map<std::uint64_t, std::size_t> seen_;
};

/// The mounts of one namespace as indented lines.
class Picture {
 public:
  Picture(std::vector<MountStatus> mounts, Letters& groups, Letters& superblocks,
          std::vector<std::string>& lines)
      : mounts_(std::move(mounts)), groups_(groups), superblocks_(superblocks), lines_(lines) {}

  void draw(std::uint64_t above, int depth) {  // NOLINT(misc-no-recursion): as deep as mounts are
    std::vector<const MountStatus*> below;
    for (const MountStatus& mount : mounts_) {
      if (mount.parent_id == above && mount.id != above) below.push_back(&mount);
    }
    std::ranges::sort(below, {}, &MountStatus::mountpoint);
    for (const MountStatus* mount : below) {
      lines_.push_back(line(*mount, depth));
      draw(mount->id, depth + 1);
    }
  }

 private:
  std::string line(const MountStatus& mount, int depth) {
    std::string text(static_cast<std::size_t>(depth) * 2, ' ');
    text += fmt::format("{} {}:{}", mount.mountpoint, superblocks_.of(mount.dev_minor), mount.root);
    if (mount.peer_group != 0) text += " group " + groups_.of(mount.peer_group);
    if (mount.master != 0) text += " master " + groups_.of(mount.master);
    if ((mount.propagation & abi::ms_unbindable) != 0) text += " unbindable";
    return text + fmt::format(" {:#x}", mount.attrs);
  }

  std::vector<MountStatus> mounts_;
  Letters& groups_;
  Letters& superblocks_;
  std::vector<std::string>& lines_;
};

}  // namespace

World::World(Kernel& with, UsernsClone clone) : kernel(with), clone_(std::move(clone)) {
  proc_ = need(open_proc(kernel));
}

void World::begin() {
  fill(open("/").get(), depth_of_root);
  outside_ = own_namespace();
  need(kernel.unshare(abi::clone_newns));
  namespaces_.push_back(own_namespace());
}

// NOLINTNEXTLINE(misc-no-recursion): three deep
void World::fill(int dir, int depth) {
  need(kernel.openat2(dir, "f", {.flags = O_WRONLY | O_CREAT | O_EXCL, .mode = mode}));
  if (depth == 0) return;
  for (const char* name : {"a", "b"}) {
    need(kernel.mkdirat(dir, name, mode));
    const Fd made = need(kernel.openat2(dir, name, {.flags = O_PATH}));
    fill(made.get(), depth - 1);
  }
}

Fd World::open(const std::string& path) {
  return need(kernel.openat2(Kernel::at_fdcwd, path, {.flags = O_PATH}));
}

Fd World::tree(const std::string& path, bool recursive) {
  const unsigned flags =
      abi::open_tree_clone | (recursive ? static_cast<unsigned>(abi::at_recursive) : 0U);
  return need(kernel.open_tree(Kernel::at_fdcwd, path, flags));
}

Fd World::tmpfs() {
  const Fd context = need(kernel.fsopen("tmpfs"));
  need(kernel.fsconfig_create(context.get()));
  Fd made = need(kernel.fsmount(context.get(), 0));
  fill(made.get(), depth_of_mount);
  return made;
}

Fd World::own_namespace() {
  return need(kernel.openat2(proc_.get(), "thread-self/ns/mnt", {.flags = O_RDONLY}));
}

int World::mount(const std::string& path) { return attach(tmpfs(), path); }

int World::bind(const std::string& from, const std::string& to, bool recursive) {
  const unsigned flags =
      abi::open_tree_clone | (recursive ? static_cast<unsigned>(abi::at_recursive) : 0U);
  const auto made = kernel.open_tree(Kernel::at_fdcwd, from, flags);
  return made ? attach(*made, to) : made.error().number;
}

int World::move(const std::string& from, const std::string& to, unsigned flags) {
  return number(kernel.move_mount(Kernel::at_fdcwd, from, Kernel::at_fdcwd, to, flags));
}

int World::umount(const std::string& path, int flags) {
  return number(kernel.umount2(path, flags));
}

int World::change(const std::string& path, std::uint64_t type, bool recursive) {
  const unsigned flags = recursive ? static_cast<unsigned>(abi::at_recursive) : 0U;
  return number(kernel.mount_setattr(Kernel::at_fdcwd, path, flags, {.propagation = type}));
}

int World::attach(const Fd& tree, const std::string& path, unsigned flags) {
  return number(kernel.move_mount(tree.get(), "", Kernel::at_fdcwd, path, flags));
}

int World::attach_in(const Fd& tree, const Fd& parent, const std::string& path) {
  return number(kernel.move_mount(tree.get(), "", parent.get(), path, 0));
}

int World::set_group(const Fd& from, const Fd& to) {
  return number(kernel.move_mount(from.get(), "", to.get(), "", abi::move_mount_set_group));
}

int World::set_attrs(const std::string& path, std::uint64_t set, std::uint64_t clear) {
  const MountAttr attr{.attr_set = set, .attr_clr = clear};
  return number(kernel.mount_setattr(Kernel::at_fdcwd, path, 0, attr));
}

int World::copy_namespace() {
  const Fd here = own_namespace();
  need(kernel.unshare(abi::clone_newns));
  namespaces_.push_back(own_namespace());
  need(kernel.setns(here.get(), abi::clone_newns));
  return static_cast<int>(namespaces_.size()) - 1;
}

int World::copy_into_userns() {
  namespaces_.push_back(need(clone_(*this, own_namespace().get())));
  return static_cast<int>(namespaces_.size()) - 1;
}

void World::enter(int number) {
  need(kernel.setns(namespaces_[static_cast<std::size_t>(number)].get(), abi::clone_newns));
}

bool World::is_mount(const std::string& path) {
  return need(kernel.statx(Kernel::at_fdcwd, path, 0)).is_mount_root;
}

std::uint64_t World::id(const std::string& path) {
  return need(kernel.statx(Kernel::at_fdcwd, path, 0)).mount_id;
}

MountStatus World::status(const std::string& path) {
  return need(kernel.statmount(id(path), 0, StatmountPart::everything));
}

MountStatus World::status_of(std::uint64_t id) {
  return need(kernel.statmount(id, 0, StatmountPart::everything));
}

MountStatus World::status(const Fd& file) {
  return status_of(need(kernel.statx(file.get(), "", 0)).mount_id);
}

std::uint64_t World::above(std::uint64_t id, int steps) {
  for (int step = 0; step < steps; ++step) id = status_of(id).parent_id;
  return id;
}

bool World::is_mount_in(const Fd& tree, const std::string& path) {
  return need(kernel.statx(tree.get(), path, 0)).is_mount_root;
}

std::size_t World::count() {
  constexpr std::size_t most = 256;
  std::array<std::uint64_t, most> ids{};
  return need(kernel.listmount(0, Kernel::lsmt_root, 0, ids));
}

std::uint64_t World::parent_id(const std::string& path) { return status(path).parent_id; }
std::uint64_t World::group(const std::string& path) { return status(path).peer_group; }
std::uint64_t World::master(const std::string& path) { return status(path).master; }

bool World::unbindable(const std::string& path) {
  return (status(path).propagation & abi::ms_unbindable) != 0;
}

bool World::peers(const std::string& a, const std::string& b) {
  return group(a) != 0 && group(a) == group(b) && id(a) != id(b);
}

void World::expect(bool true_thing, const std::string& what) {
  if (!true_thing) complain(what);
}

void World::refused(int number, int expected, const std::string& what) {
  if (number != expected) {
    complain(fmt::format("{}: {}, not {}", what, words(number), words(expected)));
  }
}

std::vector<std::string> World::picture() {
  std::vector<std::string> lines;
  Letters groups;
  Letters superblocks;
  need(kernel.setns(outside_.get(), abi::clone_newns));
  for (const Fd& ns : namespaces_) {
    const std::uint64_t ns_id = need(kernel.ioctl_ns_get_mntns_id(ns.get()));
    constexpr std::size_t most = 256;
    std::array<std::uint64_t, most> ids{};
    const std::size_t count = need(kernel.listmount(ns_id, Kernel::lsmt_root, 0, ids));
    std::vector<MountStatus> mounts;
    for (const std::uint64_t mount : std::span(ids).first(count)) {
      mounts.push_back(need(kernel.statmount(mount, ns_id, StatmountPart::everything)));
    }
    lines.push_back("namespace");
    if (mounts.empty()) continue;
    // The rootfs is not listed: it is what the first mount stands on.
    std::uint64_t above = mounts.front().parent_id;
    for (const MountStatus& mount : mounts) {
      const bool known = std::ranges::any_of(
          mounts, [&](const MountStatus& other) { return other.id == mount.parent_id; });
      if (!known) above = mount.parent_id;
    }
    Picture(std::move(mounts), groups, superblocks, lines).draw(above, 1);
  }
  return lines;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& some : {attaching_cases(), cloning_cases(), changing_cases(), umounting_cases(),
                           moving_cases(), namespace_cases(), file_cases()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace mntcr::conformance
