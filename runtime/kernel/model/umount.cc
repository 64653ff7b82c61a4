// Unmounting: what goes with a mount elsewhere, what stays, and where what stays comes to stand.
//
// Of the counterparts that could go too, those stay below which something stays that is not merely
// mounted over their root; then those that are locked to a parent that stays. What remains is the
// largest set that pulls nothing foreign away and uncovers nothing that must stay covered. Both
// steps spread from each mount that stays, so that they cost what they touch.
#include <cerrno>

#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {
namespace {

bool covers_parent(const Mount& mount) { return mount.mountpoint == mount.parent->root; }

/// References besides that of the model: open files, roots, working directories.
bool in_use(const Mount& mount) { return mount.weak_from_this().use_count() > 1; }

}  // namespace

/// Whether a counterpart that would go has somebody who uses it.
bool MountModel::busy_elsewhere(const Mount& mount, const std::vector<Mount*>& around) const {
  if (!follows(KernelRule::umount_busy_elsewhere)) return false;
  for (const Mount* receiver : around) {
    const Mount* child = child_at(*receiver, *mount.mountpoint);
    if (child == nullptr) continue;
    const bool covered_only = child->children.size() == 1 && overmount(*child) != nullptr;
    if (!child->children.empty() && !covered_only) continue;
    if (in_use(*child)) return true;
  }
  return false;
}

MountModel::Mounts MountModel::counterparts(const Mounts& going) const {
  Mounts found;
  if (!follows(KernelRule::umount_propagates)) return found;
  for (const Mount* mount : going) {
    if (mount->parent == nullptr) continue;
    for (const Mount* receiver : receivers(*mount->parent)) {
      if (receiver->ns != nullptr && receiver->ns->detached &&
          !follows(KernelRule::umount_reaches_detached)) {
        continue;
      }
      Mount* child = child_at(*receiver, *mount->mountpoint);
      if (child != nullptr && !going.contains(child)) found.insert(child);
    }
  }
  return found;
}

/// Takes from `also` what has something that stays below, other than over its root.
void MountModel::spare_foreign(Mounts& also, const Mounts& going) const {
  if (!follows(KernelRule::umount_spares_foreign)) return;
  std::vector<Mount*> staying;
  for (const Mount* mount : also) {
    for (const auto& [number, child] : mount->children) {
      if (!also.contains(child) && !going.contains(child)) staying.push_back(child);
    }
  }
  Mounts told;  // has something below that stays, as all above it were told
  for (Mount* from : staying) {
    const Mount* at = from;
    for (Mount* above = at->parent; above != nullptr; at = above, above = above->parent) {
      const bool candidate = also.contains(above);
      if (!candidate && !told.contains(above)) break;
      if (candidate && !covers_parent(*at)) also.erase(above);
      if (!told.insert(above).second) break;
    }
  }
}

/// Takes from `also` what is locked to a parent that stays, then what is locked to that.
void MountModel::spare_locked(Mounts& also, const Mounts& going) const {
  if (!follows(KernelRule::umount_reveals_nothing)) return;
  std::vector<Mount*> todo;
  const auto stays = [&](const Mount* mount) {
    return mount->locked && !also.contains(mount->parent) && !going.contains(mount->parent);
  };
  for (Mount* mount : also) {
    if (stays(mount)) todo.push_back(mount);
  }
  while (!todo.empty()) {
    Mount* mount = todo.back();
    todo.pop_back();
    if (also.erase(mount) == 0) continue;
    for (const auto& [number, child] : mount->children) {
      if (also.contains(child) && child->locked) todo.push_back(child);
    }
  }
}

/// Takes mounts out of everything. What stands on them must be among them, or have been taken off.
/// Each leaves its master at once: it would else be handed from one dying group to the next.
void MountModel::take_off(const std::vector<Mount*>& going) {
  std::vector<std::shared_ptr<Mount>> last;  // they may be the last to hold a namespace
  last.reserve(going.size());
  for (Mount* mount : going) {
    last.push_back(mount->shared_from_this());
    detach(*mount);
    leave(*mount);
    set_master(*mount, nullptr);
  }
  for (Mount* mount : going) forget(*mount);
}

/// What stands on the roots of counterparts that go, and where it comes to stand.
std::vector<MountModel::Sliding> MountModel::find_sliding(const Mounts& also,
                                                          const Mounts& going) const {
  const auto goes = [&](Mount* mount) { return going.contains(mount) || also.contains(mount); };
  MountSet ordered;
  for (Mount* mount : also) ordered.emplace(mount->id, mount);
  std::vector<Sliding> sliding;
  for (const auto& [id, mount] : ordered) {
    Mount* over = overmount(*mount);
    if (over == nullptr || goes(over)) continue;
    Place to{mount->parent, mount->mountpoint};
    while (goes(to.mount)) to = {to.mount->parent, to.mount->mountpoint};
    sliding.push_back({over, to});
  }
  return sliding;
}

/// By id. With a rule broken something may be left that stands on what goes: that goes, too.
std::vector<Mount*> MountModel::all_that_goes(const std::vector<Mount*>& tree, const Mounts& also) {
  MountSet all;
  for (Mount* mount : tree) all.emplace(mount->id, mount);
  for (Mount* mount : also) all.emplace(mount->id, mount);
  for (const Mount* mount : also) {
    for (const auto& [number, child] : mount->children) {
      if (all.contains(child->id)) continue;
      for (Mount* lost : tree_of(*child)) all.emplace(lost->id, lost);
    }
  }
  std::vector<Mount*> ordered;
  ordered.reserve(all.size());
  for (const auto& [id, mount] : all) ordered.push_back(mount);
  return ordered;
}

void MountModel::umount_tree(Mount& mount, bool propagate) {
  const std::vector<Mount*> tree = tree_of(mount);
  const Mounts going(tree.begin(), tree.end());
  Mounts also;
  if (propagate) {
    also = counterparts(going);
    spare_foreign(also, going);
    spare_locked(also, going);
  }
  std::vector<Sliding> sliding;
  if (follows(KernelRule::umount_overmount_slides)) sliding = find_sliding(also, going);
  for (const Sliding& slide : sliding) detach(*slide.mount);
  take_off(all_that_goes(tree, also));
  for (const Sliding& slide : sliding) {
    const Place place = topmost(slide.to);
    attach(*slide.mount, *place.mount, *place.inode);
  }
}

Outcome<void> MountModel::umount(Namespace& caller, const Place& at, bool lazy) {
  Mount& mount = *at.mount;
  if (at.inode != mount.root || mount.ns != &caller) return Refusal(EINVAL);
  if (mount.locked && follows(KernelRule::umount_locked)) return Refusal(EINVAL);
  if (mount.parent == nullptr) return Refusal(EINVAL);
  const std::vector<Mount*> around = receivers(*mount.parent);
  if (!lazy) {
    const bool busy = !mount.children.empty() || in_use(mount);
    if (busy && follows(KernelRule::umount_busy)) return Refusal(EBUSY);
    if (busy_elsewhere(mount, around)) return Refusal(EBUSY);
  }
  if (follows(KernelRule::umount_unlocks)) {
    for (const Mount* receiver : around) {
      Mount* child = child_at(*receiver, *mount.mountpoint);
      if (child != nullptr) child->locked = false;
    }
  }
  umount_tree(mount, true);
  return {};
}

void MountModel::detach_mounts_on(Inode& inode) {
  while (!inode.mounted.empty()) umount_tree(*inode.mounted.begin()->second, false);
}

}  // namespace mntcr::model
