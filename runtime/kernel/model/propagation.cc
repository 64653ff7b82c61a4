// Attaching a tree: who gets a copy, what of, and where it lands.
#include <algorithm>

#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {

/// Whether `mount`, a receiver of `parent`, gets a copy of what is attached at `mountpoint`.
bool MountModel::gets_copy(const Mount& mount, const Mount& parent, const Inode& mountpoint) const {
  if (&mount == &parent || mount.ns == nullptr) return false;
  if (mount.ns->detached && follows(KernelRule::not_into_detached)) return false;
  return is_at_or_below(mountpoint, *mount.root) || !follows(KernelRule::only_where_visible);
}

/// Plans a slave for the first member of a slave group and peers of it for the others; returns
/// what the group's own slaves are copied from, which is `source` if no member gets any.
std::size_t MountModel::plan_group(const PeerGroup& group, std::size_t source, const Mount& parent,
                                   const Inode& mountpoint, std::vector<Copying>& plan) const {
  std::size_t first = 0;
  for (const auto& [id, member] : group.members) {
    if (!gets_copy(*member, parent, mountpoint)) continue;
    const bool slave = first == 0 || !follows(KernelRule::one_copy_per_slave_group);
    const bool shared = first != 0 || follows(KernelRule::shared_as_receiver);
    plan.push_back({member, slave ? source : first, slave, shared});
    if (first == 0) first = plan.size();
  }
  return first == 0 ? source : first;
}

/// The copies to be made when something is attached at `mountpoint` below `parent`, each after the
/// one it is made from. Groups without a visible member are passed through.
std::vector<MountModel::Copying> MountModel::plan_copies(const Mount& parent,
                                                         const Inode& mountpoint) const {
  std::vector<Copying> plan;
  if (parent.group == nullptr) return plan;
  const bool slaves = !follows(KernelRule::peers_get_peers);
  for (const auto& [id, peer] : parent.group->members) {
    if (!follows(KernelRule::propagates_to_peers)) break;
    if (gets_copy(*peer, parent, mountpoint)) plan.push_back({peer, 0, slaves, true});
  }
  if (follows(KernelRule::propagates_to_slaves)) plan_slaves(parent, mountpoint, plan);
  return plan;
}

void MountModel::plan_slaves(const Mount& parent, const Inode& mountpoint,
                             std::vector<Copying>& plan) const {
  struct Level {
    const PeerGroup* group;
    std::size_t source;
  };
  const bool by_level = follows(KernelRule::nearest_visible_master);
  std::vector<Level> todo{{parent.group, 0}};
  std::unordered_set<const PeerGroup*> seen{parent.group};
  while (!todo.empty()) {
    const Level level = todo.back();
    todo.pop_back();
    for (const auto& [id, slave] : level.group->slaves) {
      if (slave->group == nullptr) {
        if (gets_copy(*slave, parent, mountpoint))
          plan.push_back({slave, level.source, true, false});
      } else if (seen.insert(slave->group).second) {
        const std::size_t source =
            plan_group(*slave->group, level.source, parent, mountpoint, plan);
        todo.push_back({slave->group, by_level ? source : 0});
      }
    }
  }
}

/// In the order of the plan.
std::vector<Mount*> MountModel::make_copies(Mount& source, const std::vector<Copying>& plan) {
  std::vector<Mount*> copies;
  copies.reserve(plan.size());
  for (const Copying& step : plan) {
    Mount& from = step.source == 0 ? source : *copies[step.source - 1];
    const auto made =
        clone_tree(from, *from.root, {.slave = step.slave, .make_shared = step.shared});
    copies.push_back(made ? *made : &clone(from, *from.root, {}));
  }
  return copies;
}

/// Attaches `source`, a tree that may be attached elsewhere, and its copies.
void MountModel::graft(Mount& source, const Place& to, std::uint64_t userns) {
  const std::vector<Mount*> tree = tree_of(source);
  const bool shared = to.mount->group != nullptr;
  const auto share_all = [&] {
    for (Mount* mount : tree) {
      if (mount->group == nullptr) join(*mount, new_group());
    }
  };
  if (!follows(KernelRule::source_unshared_while_copying) && shared) share_all();
  std::vector<Copying> plan = plan_copies(*to.mount, *to.inode);
  if (shared) share_all();
  const std::vector<Mount*> copies = make_copies(source, plan);
  if (shared) {
    for (Mount* mount : tree) mount->unbindable = false;
  }
  if (shared && !follows(KernelRule::shared_below_shared)) {
    for (Mount* mount : tree) change(*mount, Propagation::private_);
  }
  if (!shared && !follows(KernelRule::unshared_below_unshared)) {
    for (Mount* mount : tree) change(*mount, Propagation::private_);
  }
  detach(source);
  land(source, to, userns);
  for (std::size_t index = 0; index < copies.size(); ++index) {
    land(*copies[index], {plan[index].receiver, to.inode}, userns);
  }
}

/// Puts a tree at its place; what is there comes to stand on it.
void MountModel::land(Mount& tree, const Place& at, std::uint64_t userns) {
  Mount& parent = *at.mount;
  if (parent.ns != nullptr) {
    enter(tree, *parent.ns);
    if (parent.ns->userns != userns && follows(KernelRule::foreign_copies_locked)) {
      lock_tree(tree, !follows(KernelRule::copied_root_unlocked));
    }
  }
  Mount* there = child_at(parent, *at.inode);
  if (there == nullptr) {
    attach(tree, parent, *at.inode);
    return;
  }
  if (!follows(KernelRule::copies_tuck_beneath)) {
    const Place top = topmost(at);
    attach(tree, *top.mount, *top.inode);
    return;
  }
  detach(*there);
  attach(tree, parent, *at.inode);
  Mount* over = overmount(tree);
  if (over != nullptr && !follows(KernelRule::tuck_on_topmost)) {
    detach(*over);
    attach(*there, tree, *tree.root);
    const Place top = topmost({there, there->root});
    attach(*over, *top.mount, *top.inode);
    return;
  }
  const Place top = topmost({&tree, tree.root});
  attach(*there, *top.mount, *top.inode);
}

}  // namespace mntcr::model
