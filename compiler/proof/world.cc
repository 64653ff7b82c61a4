#include "compiler/proof/world.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "runtime/apply/new_namespace.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

/// Where superblocks of the parent are presumed to be mounted. Two paths are two superblocks, save
/// that the sources of a crossing group's members are on the mount that has the group; apply finds
/// out whether that is so.
class Presumption {
 public:
  explicit Presumption(const Plan& plan) {
    for (const DesiredGroup& group : plan.groups) {
      if (!group.parent.empty()) mountpoints_.insert(group.parent);
    }
    for (const DesiredMount& mount : plan.mounts) {
      for (const std::uint32_t group : {mount.group, mount.master}) {
        if (group == no_index || plan.groups[group].parent.empty()) continue;
        members_.emplace(plan.superblocks[mount.superblock].path, plan.groups[group].parent);
      }
    }
    for (const DesiredSuperblock& superblock : plan.superblocks) {
      const bool is_own = superblock.kind == DesiredSuperblock::Kind::parent;
      if (is_own && !holder_of(superblock.path)) mountpoints_.insert(superblock.path);
    }
  }

  /// By bytes, so that those above come before those below.
  [[nodiscard]] const std::set<std::string>& mountpoints() const { return mountpoints_; }

  /// The mountpoint whose mount shows `path`.
  [[nodiscard]] std::string mountpoint_of(const std::string& path) const {
    return holder_of(path).value_or(path);
  }

 private:
  /// The path of the crossing group on whose mount `path` is: that of a member's source, and all
  /// between it and the group's path.
  [[nodiscard]] std::optional<std::string> holder_of(const std::string& path) const {
    for (const std::string& from : {path, path == "/" ? path : path + "/"}) {
      const auto member = members_.lower_bound({from, {}});
      if (member == members_.end() || !path::is_at_or_below(member->first, path)) continue;
      if (path::is_at_or_below(path, member->second)) return member->second;
    }
    return std::nullopt;
  }

  std::set<std::string> mountpoints_;
  std::set<std::pair<std::string, std::string>> members_;  ///< a source, its group's path
};

std::string fingerprint(const model::Mount& mount) {
  const auto id = [](const auto* thing) { return thing == nullptr ? 0 : thing->id; };
  return fmt::format("{} on {} at {} of {} {} {} {}", mount.id, id(mount.parent),
                     mount.mountpoint == nullptr ? 0 : mount.mountpoint->number, id(mount.group),
                     id(mount.master), mount.unbindable, mount.attrs);
}

}  // namespace

ProofWorld::ProofWorld(const Plan& plan) {
  kernel_.make_root_boundless();
  kernel_.make_filled_boundless();
  proc_ = kept(open_proc(kernel_));
  const Presumption presumption(plan);
  for (const std::string& path : presumption.mountpoints()) {
    if (path != "/")
      check(kernel_.add_mount({.path = path, .superblock = {}, .root = {}, .propagation = {}}));
  }
  make_files(plan);
  add_relatives();
  for (std::uint32_t index = 0; index < plan.superblocks.size(); ++index) {
    const DesiredSuperblock& superblock = plan.superblocks[index];
    if (superblock.kind != DesiredSuperblock::Kind::parent) continue;
    const std::string mountpoint = presumption.mountpoint_of(superblock.path);
    if (const model::Mount* mount = mount_at(mountpoint)) {
      places_[index] = {mount->superblock.get(),
                        path::join("/", path::relative_to(superblock.path, mountpoint))};
    }
  }
  for (std::uint32_t index = 0; index < plan.groups.size(); ++index) {
    const std::string& path = plan.groups[index].parent;
    const model::Mount* mount = path.empty() ? nullptr : mount_at(path);
    if (mount != nullptr) groups_[index] = mount->group;
  }
  before_ = fingerprints();
}

/// What nothing is known of fits a file and a directory alike, but a mountpoint that is made for it
/// is of one kind: a bind that asks for a file, or lies on one, is one of a file.
void ProofWorld::make_files(const Plan& plan) {
  std::set<std::pair<std::uint32_t, std::string>> files;
  for (const DesiredNode& node : plan.nodes) {
    if (node.kind != NodeKind::directory) files.emplace(node.superblock, node.path);
  }
  std::vector<bool> is_file(plan.mounts.size(), false);
  for (const Op& op : plan.ops) {
    if (op.kind == OpKind::make_mountpoint && op.create == Create::file && op.mount != no_index)
      is_file[op.mount] = true;
  }
  for (std::uint32_t index = 0; index < plan.mounts.size(); ++index) {
    const DesiredMount& mount = plan.mounts[index];
    if (mount.parent != no_index) {
      const DesiredMount& parent = plan.mounts[mount.parent];
      const bool on_file =
          mount.mountpoint.empty()
              ? is_file[mount.parent]
              : files.contains({parent.superblock, path::join(parent.root, mount.mountpoint)});
      is_file[index] = is_file[index] || on_file;
    }
    const DesiredSuperblock& superblock = plan.superblocks[mount.superblock];
    if (is_file[index] && superblock.kind == DesiredSuperblock::Kind::parent)
      check(kernel_.make_file(path::join(superblock.path, mount.root)));
  }
}

void ProofWorld::add_relatives() {
  const auto own_namespace = [&] {
    Fd own = kept(open_own_namespace(kernel_, proc_));
    const Result<std::uint64_t> id = kernel_.ioctl_ns_get_mntns_id(own.get());
    check(id);
    if (id) outside_.push_back(*id);
    return own;
  };
  check(
      kernel_.mount_setattr(Kernel::at_fdcwd, "/", AT_RECURSIVE, {.propagation = abi::ms_shared}));
  peers_ = own_namespace();
  check(kernel_.unshare(abi::clone_newns));
  slaves_ = own_namespace();
  check(kernel_.mount_setattr(Kernel::at_fdcwd, "/", AT_RECURSIVE, {.propagation = abi::ms_slave}));
  check(kernel_.setns(peers_.get(), abi::clone_newns));
  check(kernel_.unshare(abi::clone_newns));
  parent_ = own_namespace();
}

/// The parent's mount that a walk along `path` ends on.
const model::Mount* ProofWorld::mount_at(const std::string& path) {
  const Fd found = kept(kernel_.openat2(Kernel::at_fdcwd, path, {.flags = O_PATH}));
  if (!found || outside_.empty()) return nullptr;
  const model::Namespace* parent = kernel_.state().find_namespace(outside_.back());
  const auto mount = parent->mounts.find(kernel_.mount_of(found.get()));
  return mount == parent->mounts.end() ? nullptr : mount->second;
}

const model::PeerGroup* ProofWorld::group(std::uint32_t index) const {
  const auto known = groups_.find(index);
  return known == groups_.end() ? nullptr : known->second;
}

bool ProofWorld::is_untouched() { return fingerprints() == before_; }

std::vector<std::string> ProofWorld::fingerprints() {
  std::vector<std::string> all;
  for (const std::uint64_t id : outside_) {
    const model::Namespace* ns = kernel_.state().find_namespace(id);
    if (ns == nullptr) continue;
    for (const auto& [number, mount] : ns->mounts) all.push_back(fingerprint(*mount));
  }
  return all;
}

}  // namespace mntcr
