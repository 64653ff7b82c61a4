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
  mount.as_member = group.members.insert(group.members.end(), &mount);
}

void MountModel::join_behind(Mount& mount, const Mount& peer) {
  mount.group = peer.group;
  mount.as_member = peer.group->members.insert(std::next(peer.as_member), &mount);
}

/// Even if it is the master already, `mount` becomes the first of its slaves.
void MountModel::set_master(Mount& mount, Mount* master) {
  if (mount.master != nullptr) mount.master->slaves.erase(mount.as_slave);
  mount.master = master;
  if (master != nullptr) mount.as_slave = master->slaves.insert(master->slaves.begin(), &mount);
}

/// The master of `fellow`, if it has one.
void MountModel::follow_master(Mount& mount, const Mount& fellow) {
  set_master(mount, nullptr);
  mount.master = fellow.master;
  if (mount.master == nullptr) return;
  mount.as_slave = mount.master->slaves.insert(std::next(fellow.as_slave), &mount);
}

std::vector<Mount*> ring_from(Mount& first) {
  if (first.group == nullptr) return {&first};
  const std::list<Mount*>& members = first.group->members;
  const std::list<Mount*>::const_iterator begin = first.as_member;
  std::vector<Mount*> ring(begin, members.end());
  ring.insert(ring.end(), members.begin(), begin);
  return ring;
}

/// Takes `mount` out of its group, which dies with its last member; it keeps its slaves. Returns
/// whose they are to be: the next peer's, or its master's.
Mount* MountModel::leave_group(Mount& mount) {
  PeerGroup* left = mount.group;
  if (left == nullptr) return mount.master;
  const auto behind = left->members.erase(mount.as_member);
  mount.group = nullptr;
  if (!left->members.empty()) {
    return behind != left->members.end() ? *behind : left->members.front();
  }
  free_groups_.push_back(left->id);
  std::ranges::push_heap(free_groups_, std::greater<>());
  groups_.erase(left->id);
  return follows(KernelRule::group_death_rehomes) ? mount.master : nullptr;
}

/// They come before those that the heir has.
void MountModel::hand_over_slaves(Mount& mount, Mount* heir) {
  for (Mount* slave : mount.slaves) slave->master = heir;
  if (heir == nullptr) {
    mount.slaves.clear();
  } else {
    heir->slaves.splice(heir->slaves.begin(), mount.slaves);
  }
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
    Mount* heir = leave_group(mount);
    hand_over_slaves(mount, heir);
    if (follows(KernelRule::slave_of_left_group)) set_master(mount, sole ? mount.master : heir);
    if (!follows(KernelRule::slave_keeps_unbindable)) mount.unbindable = false;
    return;
  }
  hand_over_slaves(mount, leave_group(mount));
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
    for (Mount* member : group.members) {
      if (member != &parent) all.push_back(member);
      for (Mount* slave : member->slaves) {
        if (slave->group == nullptr) {
          all.push_back(slave);
        } else if (seen.insert(slave->group).second) {
          todo.push_back(slave->group);
        }
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
  const Mount& giver = *from.mount;
  if (taker.group != nullptr && taker.group == giver.group) return {};
  hand_over_slaves(taker, leave_group(taker));
  follow_master(taker, giver);
  if (giver.group == nullptr) return {};
  join_behind(taker, giver);
  if (follows(KernelRule::set_group_clears_unbindable)) taker.unbindable = false;
  return {};
}

std::uint64_t MountModel::propagates_from(const Mount& mount) const {
  for (const Mount* master = mount.master; master != nullptr; master = master->master) {
    for (Mount* member : master->group->members) {
      const bool seen = member->ns == mount.ns && mount.ns != nullptr &&
                        is_reachable({member, member->root}, root_of(*mount.ns));
      if (!seen) continue;
      if (master == mount.master) return 0;
      return follows(KernelRule::propagates_from_dominating) ? master->group->id : 0;
    }
  }
  return 0;
}

}  // namespace mntcr::model
