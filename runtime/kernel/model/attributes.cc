// mount_setattr: attributes, idmaps and propagation, of one mount or of all below it; all or
// nothing.
#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/base/mount_options.h"
#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {
namespace {

constexpr auto idmappable_types = std::to_array<std::string_view>(
    {"tmpfs", "ext4", "xfs", "btrfs", "squashfs", "erofs", "unknown"});

constexpr std::uint64_t lockable =
    mount_attr::rdonly | mount_attr::nosuid | mount_attr::nodev | mount_attr::noexec;
constexpr std::uint64_t atime_bits = mount_attr::atime_mask | mount_attr::nodiratime;

std::uint64_t changed(std::uint64_t attrs, const AttrChange& change) {
  return (attrs & ~change.clear) | change.set;
}

}  // namespace

/// What another user namespace shall not reveal or loosen.
void MountModel::lock_tree(Mount& tree, bool with_root) const {
  for (Mount* mount : tree_of(tree)) {
    mount->locked_attrs = (mount->attrs & lockable) | atime_bits;
    if (mount != &tree || with_root) mount->locked = true;
  }
}

int MountModel::refuse_change(const Mount& mount, const AttrChange& change) const {
  const std::uint64_t touched = mount.attrs ^ changed(mount.attrs, change);
  if ((touched & mount.locked_attrs) != 0 && follows(KernelRule::locked_attributes)) return EPERM;
  if (!change.idmap) return 0;
  if (mount.idmap) return EPERM;
  if (std::ranges::find(idmappable_types, mount.superblock->type) == idmappable_types.end()) {
    return EINVAL;
  }
  const bool detached = mount.ns != nullptr && mount.ns->detached;
  return detached || !follows(KernelRule::idmap_while_detached) ? 0 : EINVAL;
}

Outcome<void> MountModel::set_attributes(Namespace& caller, const Place& at, bool recursive,
                                         const AttrChange& change) {
  Mount& top = *at.mount;
  if (at.inode != top.root && follows(KernelRule::attributes_of_mounts_only)) {
    return Refusal(EINVAL);
  }
  if (top.ns == nullptr) return Refusal(EINVAL);
  if (top.ns != &caller) {
    const bool inside = top.parent != nullptr || !top.ns->detached;
    const bool spared = top.ns->detached && !follows(KernelRule::no_change_inside_detached);
    if (inside && !spared) return Refusal(EINVAL);
  }
  const std::vector<Mount*> mounts = recursive ? tree_in_order(top) : std::vector<Mount*>{&top};
  for (const Mount* mount : mounts) {
    if (const int error = refuse_change(*mount, change); error != 0) return Refusal(error);
  }
  for (Mount* mount : mounts) {
    mount->attrs = changed(mount->attrs, change);
    if (change.idmap) mount->idmap = change.idmap;
    if (change.propagation) this->change(*mount, *change.propagation);
  }
  return {};
}

}  // namespace mntcr::model
