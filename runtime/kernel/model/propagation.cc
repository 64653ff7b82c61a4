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

void MountModel::add_step(CopyPlan& plan, const Copying& step) {
  plan.steps.push_back(step);
  if (step.receiver->master != nullptr) plan.masters.insert(step.receiver->master);
  if (step.receiver->group != nullptr) {
    plan.last_in.insert_or_assign(step.receiver->group, plan.steps.size());
  }
}

/// What a slave copy for `receiver` is made from: by the rules the copy at the nearest group above
/// that has one. Linux climbs from the copy made last, though, until it meets one whose receiver
/// has the same master, and so misses it after a copy that has no such one above it.
std::size_t MountModel::find_master(const Mount& receiver, const CopyPlan& plan) const {
  if (!follows(KernelRule::nearest_visible_master)) return 0;
  if (!follows(KernelRule::gap_misleads)) {
    for (const Mount* at = receiver.master; at != nullptr; at = at->master) {
      const auto found = plan.last_in.find(at->group);
      if (found != plan.last_in.end()) return found->second;
    }
    return 0;
  }
  const Mount* below = &receiver;
  while (below->master != nullptr && !plan.masters.contains(below->master)) below = below->master;
  std::size_t at = plan.steps.size();
  while (at != 0 && !plan.steps[at - 1].beside) {
    const Copying& step = plan.steps[at - 1];
    if (step.receiver->master == below->master) {
      const bool peers = below->group != nullptr && step.receiver->group == below->group;
      return peers ? at : step.master;
    }
    at = step.master;
  }
  return at;
}

/// Plans a slave for the first member of a slave group that gets a copy, and peers of it for the
/// others. `first` is the first member that a walk through slaves meets, or a slave without peers.
void MountModel::plan_group(Mount& first, CopyPlan& plan) const {
  bool had_one = false;
  std::size_t source = 0;
  for (Mount* member : ring_from(first)) {
    if (!gets_copy(*member, plan.parent, plan.mountpoint)) continue;
    const bool slave = !had_one || !follows(KernelRule::one_copy_per_slave_group);
    if (!had_one) source = find_master(*member, plan);
    const std::size_t last = plan.steps.size();
    const bool shared =
        member->group != nullptr && (had_one || follows(KernelRule::shared_as_receiver));
    add_step(plan, {.receiver = member,
                    .source = slave ? source : last,
                    .master = source,
                    .slave = slave,
                    .shared = shared,
                    .beside = false});
    had_one = true;
  }
}

/// The copies to be made when something is attached at `mountpoint` below `parent`, each after the
/// one it is made from. Groups without a visible member are passed through.
std::vector<MountModel::Copying> MountModel::plan_copies(const Mount& parent,
                                                         const Inode& mountpoint) const {
  CopyPlan plan{parent, mountpoint, {}, {}, {}};
  if (parent.group == nullptr) return {};
  if (parent.master != nullptr) plan.masters.insert(parent.master);
  plan.last_in.emplace(parent.group, 0);
  const bool slaves = !follows(KernelRule::peers_get_peers);
  for (Mount* peer : ring_from(**parent.as_member)) {
    if (!follows(KernelRule::propagates_to_peers)) break;
    if (!gets_copy(*peer, parent, mountpoint)) continue;
    add_step(plan, {.receiver = peer,
                    .source = slaves ? 0 : plan.steps.size(),
                    .master = 0,
                    .slave = slaves,
                    .shared = true,
                    .beside = true});
  }
  if (follows(KernelRule::propagates_to_slaves)) plan_slaves(plan);
  return std::move(plan.steps);
}

/// Group by group in the kernel's order: all below a slave group before the next one.
void MountModel::plan_slaves(CopyPlan& plan) const {
  std::vector<Mount*> todo;
  std::unordered_set<const PeerGroup*> seen{plan.parent.group};
  const auto add_slaves = [&](Mount& first) {
    std::vector<Mount*> slaves;
    for (Mount* member : ring_from(first)) {
      for (Mount* slave : member->slaves) {
        if (slave->group == nullptr || seen.insert(slave->group).second) slaves.push_back(slave);
      }
    }
    todo.insert(todo.end(), slaves.rbegin(), slaves.rend());
  };
  add_slaves(**plan.parent.as_member);
  while (!todo.empty()) {
    Mount& first = *todo.back();
    todo.pop_back();
    plan_group(first, plan);
    add_slaves(first);
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
