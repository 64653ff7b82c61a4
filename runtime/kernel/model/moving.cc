// Moving mounts and trees, and pivot_root: what is refused, in the kernel's order.
#include <algorithm>
#include <cerrno>

#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {
namespace {

bool are_of_one_kind(const Inode& a, const Inode& b) {
  return (a.fits_directory() && b.fits_directory()) || (a.fits_file() && b.fits_file());
}

}  // namespace

/// Whether what is attached at `mountpoint` below `parent` would get a copy on the root of `mount`.
bool MountModel::would_cover(const Mount& parent, const Mount& mount,
                             const Inode& mountpoint) const {
  if (parent.group == nullptr || mount.root != &mountpoint) return false;
  if (mount.group == parent.group) return true;
  for (const Mount* master = mount.master; master != nullptr; master = master->master) {
    if (master->group == parent.group) return true;
  }
  return false;
}

/// A mount of the caller's namespace leaves its parent; anything else must be a whole detached
/// tree.
int MountModel::refuse_source(Namespace& caller, const Mount& source, const Mount& parent) const {
  if (source.ns == &caller) {
    if (source.parent == nullptr) return EINVAL;
    if (source.locked && follows(KernelRule::move_locked)) return EINVAL;
    if (source.parent->group != nullptr && follows(KernelRule::move_from_shared)) return EINVAL;
    return parent.ns == &caller ? 0 : EINVAL;
  }
  const bool whole = source.ns != nullptr && source.ns->detached && source.ns->root == &source;
  if (!whole || source.ns == parent.ns) return EINVAL;
  if (parent.ns == &caller) return 0;
  const bool usable =
      parent.ns->detached && (parent.ns->origin == 0 || parent.ns->origin == caller.id);
  return usable ? 0 : EINVAL;
}

int MountModel::refuse_beneath(Namespace& caller, const Mount* caller_root, const Mount& source,
                               const Mount& target) const {
  if (follows(KernelRule::beneath_a_mount)) {
    if (target.locked || &target == caller_root || target.parent == caller.root) return EINVAL;
  }
  if (overmount(source) != nullptr && follows(KernelRule::beneath_uncovered_source)) return EINVAL;
  if (stands_on(source, target) && follows(KernelRule::beneath_own_ancestor)) return EINVAL;
  const Mount& parent = *target.parent;
  const Inode& mountpoint = *target.mountpoint;
  if (would_cover(parent, target, mountpoint) && follows(KernelRule::beneath_copy_on_target)) {
    return EINVAL;
  }
  const bool covers_itself = source.ns == &caller && would_cover(parent, source, mountpoint);
  return covers_itself && follows(KernelRule::beneath_copy_on_source) ? EINVAL : 0;
}

Outcome<void> MountModel::move(Namespace& caller, const Mount* caller_root, const Place& from,
                               Place to, bool beneath) {
  Mount& source = *from.mount;
  if (from.inode != source.root) return Refusal(EINVAL);
  if (!are_of_one_kind(*from.inode, *to.inode) && follows(KernelRule::move_same_kind))
    return Refusal(EINVAL);
  if (to.mount->ns == nullptr) return Refusal(ENOENT);
  const Mount* target = nullptr;
  if (beneath) {
    if (to.inode != to.mount->root || to.mount->parent == nullptr) return Refusal(EINVAL);
    target = to.mount;
    to = {to.mount->parent, to.mount->mountpoint};
  } else {
    to = topmost(to);
  }
  if (to.inode->deleted) return Refusal(ENOENT);
  if (const int error = refuse_source(caller, source, *to.mount); error != 0) {
    return Refusal(error);
  }
  if (target != nullptr) {
    const int error = refuse_beneath(caller, caller_root, source, *target);
    if (error != 0) return Refusal(error);
  }
  const std::vector<Mount*> tree = tree_of(source);
  if (to.mount->group != nullptr && follows(KernelRule::unbindable_into_shared) &&
      std::ranges::any_of(tree, &Mount::unbindable)) {
    return Refusal(EINVAL);
  }
  const auto loops = [&](const Mount* mount) {
    return mount->shows && mount->shows->ns.id <= caller.id;
  };
  if (std::ranges::any_of(tree, loops)) return Refusal(ELOOP);
  if (stands_on(*to.mount, source)) {
    // A ring of mounts would be of no use: with the rule broken the call does nothing.
    if (follows(KernelRule::move_into_itself)) return Refusal(ELOOP);
    return {};
  }
  if (topmost({&source, source.root}).inode->deleted && follows(KernelRule::deleted_root))
    return Refusal(ENOENT);
  graft(source, to, caller.userns);
  return {};
}

int MountModel::refuse_pivot(const Namespace& caller, const Place& root, const Place& new_root,
                             const Place& put_old) const {
  const Mount& old_mount = *put_old.mount;
  const auto parent_of = [](const Mount& mount) -> const Mount& {
    return mount.parent == nullptr ? mount : *mount.parent;
  };
  const bool shared = old_mount.group != nullptr || parent_of(*new_root.mount).group != nullptr ||
                      parent_of(*root.mount).group != nullptr;
  if (shared && follows(KernelRule::pivot_unshared)) return EINVAL;
  if (root.mount->ns != &caller || new_root.mount->ns != &caller) return EINVAL;
  if (new_root.mount->locked && follows(KernelRule::pivot_locked)) return EINVAL;
  if (new_root.inode->deleted) return ENOENT;
  if (new_root.mount == root.mount || put_old.mount == root.mount) return EBUSY;
  if (root.inode != root.mount->root || root.mount->parent == nullptr) return EINVAL;
  if (new_root.inode != new_root.mount->root || new_root.mount->parent == nullptr) return EINVAL;
  if (!is_reachable(put_old, new_root)) {
    // A mount that no root leads to would be lost: with the rule broken the errno is another.
    return follows(KernelRule::pivot_below_root) ? EINVAL : EXDEV;
  }
  return is_reachable(new_root, root) ? 0 : EINVAL;
}

Outcome<void> MountModel::pivot_root(Namespace& caller, const Place& root, const Place& new_root,
                                     const Place& put_old) {
  const Place onto = topmost(put_old);
  if (onto.inode->deleted) return Refusal(ENOENT);
  if (const int error = refuse_pivot(caller, root, new_root, onto); error != 0) {
    return Refusal(error);
  }
  Mount& old_mount = *root.mount;
  Mount& new_mount = *new_root.mount;
  Mount& parent = *old_mount.parent;
  Inode& mountpoint = *old_mount.mountpoint;
  detach(new_mount);
  if (old_mount.locked) {
    new_mount.locked = true;
    old_mount.locked = false;
  }
  detach(old_mount);
  attach(new_mount, parent, mountpoint);
  attach(old_mount, *onto.mount, *onto.inode);
  return {};
}

}  // namespace mntcr::model
