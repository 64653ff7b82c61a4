// Clones of mounts and trees: what they take over, what they leave out, and when there can be none.
#include <cerrno>

#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {

Mount& MountModel::clone(Mount& of, Inode& root, const Cloning& how) {
  Mount& made = new_mount(of.superblock, root);
  made.idmap = of.idmap;
  made.shows = of.shows;
  if (follows(KernelRule::copies_take_attributes)) made.attrs = of.attrs;
  made.locked_attrs = of.locked_attrs;
  const bool peer = of.group != nullptr && !how.slave && follows(KernelRule::clone_keeps_group);
  if (how.slave && of.group != nullptr) {
    set_master(made, &of);
  } else if (follows(KernelRule::clone_keeps_master) || peer) {
    follow_master(made, of);
  }
  if (peer) {
    join_behind(made, of);
  } else if (how.make_shared) {
    join(made, new_group());
  }
  if (how.unbindables && !follows(KernelRule::new_namespace_bindable)) {
    made.unbindable = of.unbindable;
  }
  return made;
}

/// A clone of `of` from `root` on, with the mounts below it. It is in no namespace yet.
Outcome<Mount*> MountModel::clone_tree(Mount& of, Inode& root, const Cloning& how,
                                       std::unordered_map<Mount*, Mount*>* copies) {
  struct Pair {
    Mount* from;
    Mount* to;
  };
  Mount& made = clone(of, root, how);
  std::vector<Pair> done{{&of, &made}};
  for (std::size_t next = 0; next < done.size(); ++next) {
    const Pair pair = done[next];
    for (Mount* child : children_in_order(*pair.from)) {
      const bool outside = next == 0 && !is_at_or_below(*child->mountpoint, root);
      if (outside && follows(KernelRule::only_below_clone_root)) continue;
      const bool prunes = follows(KernelRule::recursive_prunes_unbindable);
      if (child->unbindable && !how.unbindables && prunes) {
        if (!child->locked || !follows(KernelRule::locked_unbindable)) continue;
        drop(made);
        return Refusal(EPERM);
      }
      if (child->shows && !how.namespace_files) continue;
      Mount& copy = clone(*child, *child->root, how);
      copy.locked = child->locked;
      attach(copy, *pair.to, *child->mountpoint);
      done.push_back({child, &copy});
    }
  }
  if (copies != nullptr) {
    for (const Pair& pair : done) copies->emplace(pair.from, pair.to);
  }
  return &made;
}

/// Forgets a tree that is in no namespace.
void MountModel::drop(Mount& tree) {
  std::vector<Mount*> all = tree_of(tree);
  take_off(all);
}

Outcome<Mount*> MountModel::clone_detached(Namespace& caller, const Place& from, bool recursive) {
  Mount& source = *from.mount;
  const bool shows_namespace = from.inode->kind == InodeKind::ns_file;
  if (source.unbindable && follows(KernelRule::clone_of_unbindable)) return Refusal(EINVAL);
  if (!shows_namespace) {
    if (source.ns == nullptr) return Refusal(EINVAL);
    const bool own = source.ns == &caller;
    const bool detached =
        source.ns->detached && (source.ns->origin == 0 || source.ns->origin == caller.id);
    if (!own && !detached) return Refusal(EINVAL);
  }
  if (!recursive && follows(KernelRule::locked_child_below) &&
      has_locked_child(source, *from.inode)) {
    return Refusal(EINVAL);
  }
  Outcome<Mount*> made = recursive ? clone_tree(source, *from.inode, {.namespace_files = true})
                                   : Outcome<Mount*>(&clone(source, *from.inode, {}));
  if (!made) return made;
  std::uint64_t origin = caller.id;
  if (source.ns != nullptr) origin = source.ns->detached ? source.ns->origin : source.ns->id;
  new_detached(**made, caller.userns, origin);
  return made;
}

std::shared_ptr<NamespaceHold> MountModel::clone_namespace(
    Namespace& from, std::uint64_t userns, std::unordered_map<Mount*, Mount*>& copies) {
  const bool crosses = userns != from.userns;
  const bool slaves = crosses && follows(KernelRule::new_namespace_slaves);
  const auto made =
      clone_tree(*from.root, *from.root->root, {.slave = slaves, .unbindables = true}, &copies);
  if (!made) return nullptr;
  if (crosses) lock_tree(**made, false);
  if (crosses && !follows(KernelRule::new_namespace_locked)) {
    for (Mount* mount : tree_of(**made)) mount->locked = false;
  }
  return new_namespace(**made, userns);
}

}  // namespace mntcr::model
