// Peer groups and masters: joining, leaving, receiving.
#include <algorithm>
#include <cerrno>
#include <functional>

#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {

PeerGroup& MountModel::new_group() {
  auto made = std::make_unique<PeerGroup>();
  if (free_groups_.empty()) {
    made->id = ++last_group_;
  } else {
    std::ranges::pop_heap(free_groups_, std::greater<>());
    made->id = free_groups_.back();
    free_groups_.pop_back();
  }
  PeerGroup& group = *made;
  groups_.emplace(group.id, std::move(made));
  return group;
}

void MountModel::join(Mount& mount, PeerGroup& group) {
  mount.group = &group;
  group.members.emplace(mount.id, &mount);
}

void MountModel::set_master(Mount& mount, PeerGroup* master) {
  if (mount.master == master) return;
  if (mount.master != nullptr) mount.master->slaves.erase(mount.id);
  mount.master = master;
  if (master != nullptr) master->slaves.emplace(mount.id, &mount);
}

/// Takes `mount` out of its group, which dies with its last member. Returns what its master is to
/// be if it becomes a slave: the group that it left, or its master.
PeerGroup* MountModel::leave(Mount& mount) {
  PeerGroup* left = mount.group;
  if (left == nullptr) return mount.master;
  mount.group = nullptr;
  left->members.erase(mount.id);
  if (!left->members.empty()) return left;

  PeerGroup* heir = follows(KernelRule::group_death_rehomes) ? mount.master : nullptr;
  const MountSet orphans = std::move(left->slaves);
  left->slaves.clear();
  for (const auto& [id, orphan] : orphans) {
    orphan->master = nullptr;
    set_master(*orphan, heir);
  }
  free_groups_.push_back(left->id);
  std::ranges::push_heap(free_groups_, std::greater<>());
  groups_.erase(left->id);
  return mount.master;
}

void MountModel::change(Mount& mount, Propagation propagation) {
  if (propagation == Propagation::shared) {
    if (mount.group == nullptr) join(mount, new_group());
    if (follows(KernelRule::shared_clears_unbindable)) mount.unbindable = false;
    return;
  }
  const bool sole = mount.group != nullptr && mount.group->members.size() == 1;
  if (propagation == Propagation::slave) {
    if (sole && !follows(KernelRule::sole_member_keeps_master)) return;
    PeerGroup* master = leave(mount);
    if (follows(KernelRule::slave_of_left_group)) set_master(mount, master);
    if (!follows(KernelRule::slave_keeps_unbindable)) mount.unbindable = false;
    return;
  }
  leave(mount);
  if (follows(KernelRule::private_clears_master)) set_master(mount, nullptr);
  mount.unbindable = propagation == Propagation::unbindable;
}

/// All that gets what is attached below `parent`, without `parent`, wherever it is.
std::vector<Mount*> MountModel::receivers(const Mount& parent) const {
  std::vector<Mount*> all;
  if (parent.group == nullptr) return all;
  std::vector<const PeerGroup*> todo{parent.group};
  std::unordered_set<const PeerGroup*> seen{parent.group};
  while (!todo.empty()) {
    const PeerGroup& group = *todo.back();
    todo.pop_back();
    for (const auto& [id, member] : group.members) {
      if (member != &parent) all.push_back(member);
    }
    for (const auto& [id, slave] : group.slaves) {
      if (slave->group == nullptr) {
        all.push_back(slave);
      } else if (seen.insert(slave->group).second) {
        todo.push_back(slave->group);
      }
    }
  }
  return all;
}

/// The errno with which MOVE_MOUNT_SET_GROUP is refused; 0 if it is not.
int MountModel::refuse_group(const Place& from, const Place& to) const {
  const Mount& giver = *from.mount;
  const Mount& taker = *to.mount;
  if (giver.ns == nullptr || taker.ns == nullptr) return EINVAL;
  if (from.inode != giver.root || to.inode != taker.root) return EINVAL;
  const auto checked = [&](KernelRule rule, bool wrong) { return wrong && follows(rule); };
  const bool one_superblock = giver.superblock == taker.superblock;
  if (checked(KernelRule::set_group_superblock, !one_superblock)) return EINVAL;
  if (checked(KernelRule::set_group_wider_root,
              one_superblock && !is_at_or_below(*taker.root, *giver.root))) {
    return EINVAL;
  }
  if (checked(KernelRule::set_group_locked_child, has_locked_child(giver, *taker.root))) {
    return EINVAL;
  }
  if (checked(KernelRule::set_group_private_taker,
              taker.group != nullptr || taker.master != nullptr)) {
    return EINVAL;
  }
  if (checked(KernelRule::set_group_nothing_to_give,
              giver.group == nullptr && giver.master == nullptr)) {
    return EINVAL;
  }
  return 0;
}

Outcome<void> MountModel::set_group(const Place& from, const Place& to) {
  if (const int error = refuse_group(from, to); error != 0) return Refusal(error);
  if (!follows(KernelRule::set_group_gives)) return {};
  Mount& taker = *to.mount;
  PeerGroup* group = from.mount->group;
  PeerGroup* master = from.mount->master;
  if (taker.group != nullptr && taker.group == group) return {};
  leave(taker);
  set_master(taker, master);
  if (group == nullptr) return {};
  join(taker, *group);
  if (follows(KernelRule::set_group_clears_unbindable)) taker.unbindable = false;
  return {};
}

std::uint64_t MountModel::propagates_from(const Mount& mount) const {
  const PeerGroup* first = mount.master;
  for (const PeerGroup* group = first; group != nullptr;) {
    for (const auto& [id, member] : group->members) {
      const bool seen = member->ns == mount.ns && mount.ns != nullptr &&
                        is_reachable({member, member->root}, root_of(*mount.ns));
      if (!seen) continue;
      if (group == first) return 0;
      return follows(KernelRule::propagates_from_dominating) ? group->id : 0;
    }
    group = group->members.begin()->second->master;
  }
  return 0;
}

}  // namespace mntcr::model
