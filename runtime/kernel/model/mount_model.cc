#include "runtime/kernel/model/mount_model.h"

#include <algorithm>

namespace mntcr::model {

std::vector<Mount*> tree_of(Mount& mount) {
  std::vector<Mount*> all{&mount};
  for (std::size_t next = 0; next < all.size(); ++next) {
    for (const auto& [number, child] : all[next]->children) all.push_back(child);
  }
  return all;
}

std::vector<Mount*> children_in_order(const Mount& mount) {
  std::vector<Mount*> all;
  all.reserve(mount.children.size());
  for (const auto& [number, child] : mount.children) all.push_back(child);
  std::ranges::sort(all, {}, &Mount::attached);
  return all;
}

std::vector<Mount*> tree_in_order(Mount& mount) {
  std::vector<Mount*> all;
  std::vector<Mount*> todo{&mount};
  while (!todo.empty()) {
    Mount* next = todo.back();
    todo.pop_back();
    all.push_back(next);
    const std::vector<Mount*> children = children_in_order(*next);
    todo.insert(todo.end(), children.rbegin(), children.rend());
  }
  return all;
}

Mount* child_at(const Mount& mount, const Inode& inode) {
  const auto found = mount.children.find(inode.number);
  return found == mount.children.end() ? nullptr : found->second;
}

Mount* overmount(const Mount& mount) { return child_at(mount, *mount.root); }

Place topmost(Place place) {
  for (Mount* over = child_at(*place.mount, *place.inode); over != nullptr;
       over = child_at(*over, *over->root)) {
    place = {over, over->root};
  }
  return place;
}

Place root_of(const Namespace& ns) { return topmost({ns.root, ns.root->root}); }

bool has_locked_child(const Mount& mount, const Inode& root) {
  for (const auto& [number, child] : mount.children) {
    if (child->locked && is_at_or_below(*child->mountpoint, root)) return true;
  }
  return false;
}

bool stands_on(const Mount& mount, const Mount& above) {
  const Mount* at = &mount;
  while (at != nullptr && at != &above) at = at->parent;
  return at != nullptr;
}

bool is_reachable(const Place& place, const Place& above) {
  Place at = place;
  while (at.mount != above.mount && at.mount->parent != nullptr) {
    at = {at.mount->parent, at.mount->mountpoint};
  }
  return at.mount == above.mount && is_at_or_below(*at.inode, *above.inode);
}

std::string mountpoint_below_parent(const Mount& mount) {
  if (mount.parent == nullptr) return {};
  return path_below(*mount.mountpoint, *mount.parent->root);
}

NamespaceHold::~NamespaceHold() { model.dissolve(ns); }

MountModel::~MountModel() { ending_ = true; }

Namespace* MountModel::find_namespace(std::uint64_t id) const {
  const auto found = namespaces_.find(id);
  return found == namespaces_.end() || found->second->detached ? nullptr : found->second.get();
}

std::shared_ptr<Superblock> MountModel::new_superblock(std::string type) {
  return make_superblock(std::move(type), ++last_dev_minor_);
}

Mount& MountModel::new_mount(std::shared_ptr<Superblock> superblock, Inode& root) {
  auto made = std::make_shared<Mount>();
  made->id = ++last_mount_;
  made->superblock = std::move(superblock);
  made->root = &root;
  Mount& mount = *made;
  mounts_.emplace(mount.id, std::move(made));
  return mount;
}

std::shared_ptr<NamespaceHold> MountModel::new_namespace(Mount& root, std::uint64_t userns) {
  auto made = std::make_unique<Namespace>();
  made->id = ++last_namespace_;
  made->userns = userns;
  made->root = &root;
  Namespace& ns = *made;
  namespaces_.emplace(ns.id, std::move(made));
  enter(root, ns);
  auto hold = std::make_shared<NamespaceHold>(*this, ns);
  ns.hold = hold;
  return hold;
}

Namespace& MountModel::new_detached(Mount& root, std::uint64_t userns, std::uint64_t origin) {
  auto made = std::make_unique<Namespace>();
  made->id = ++last_namespace_;
  made->detached = true;
  made->userns = userns;
  made->origin = origin;
  made->root = &root;
  Namespace& ns = *made;
  namespaces_.emplace(ns.id, std::move(made));
  enter(root, ns);
  return ns;
}

void MountModel::put(Mount& mount, const Place& at) {
  attach(mount, *at.mount, *at.inode);
  enter(mount, *at.mount->ns);
}

Mount& MountModel::outside_relative(Mount& of, bool as_master) {
  Mount& made = new_mount(of.superblock, *of.root);
  if (!as_master) {
    if (of.group == nullptr) change(of, Propagation::shared);
    join_behind(made, of);
    follow_master(made, of);
  } else {
    change(made, Propagation::shared);
    set_master(of, &made);
  }
  return made;
}

/// The place must be free.
void MountModel::attach(Mount& mount, Mount& parent, Inode& mountpoint) {
  mount.parent = &parent;
  mount.mountpoint = &mountpoint;
  mount.attached = ++last_attached_;
  parent.children.insert_or_assign(mountpoint.number, &mount);
  mountpoint.mounted.insert_or_assign(mount.id, &mount);
}

void MountModel::detach(Mount& mount) {
  if (mount.parent == nullptr) return;
  mount.parent->children.erase(mount.mountpoint->number);
  mount.mountpoint->mounted.erase(mount.id);
  mount.parent = nullptr;
  mount.mountpoint = nullptr;
}

/// Moves the whole tree into `ns`. A detached namespace that it leaves with its root is gone.
void MountModel::enter(Mount& tree, Namespace& ns) {
  Namespace* left = tree.ns;
  if (left == &ns) return;
  for (Mount* mount : tree_of(tree)) {
    leave_namespace(*mount);
    mount->ns = &ns;
    ns.mounts.emplace(mount->id, mount);
  }
  if (left != nullptr && left->detached && left->mounts.empty()) namespaces_.erase(left->id);
}

void MountModel::leave_namespace(Mount& mount) {
  if (mount.ns == nullptr) return;
  mount.ns->mounts.erase(mount.id);
  mount.ns = nullptr;
}

/// The mount lives on in the files that are open on it. Its children must be gone.
void MountModel::forget(Mount& mount) {
  leave_namespace(mount);
  hand_over_slaves(mount, leave_group(mount));
  set_master(mount, nullptr);
  mounts_.erase(mount.id);
}

void MountModel::dissolve(Namespace& ns) {
  if (ending_) return;
  std::vector<Mount*> all = tree_in_order(*ns.root);
  std::ranges::reverse(all);
  take_off(all);
  namespaces_.erase(ns.id);
}

}  // namespace mntcr::model
