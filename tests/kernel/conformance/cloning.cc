// Clones of mounts and trees, and changes of propagation and attributes.
#include "runtime/base/mount_options.h"
#include "tests/kernel/conformance/world.h"

namespace mntcr::conformance {
namespace {

using Rule = KernelRule;

void shared_clone(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.expect(w.peers("/a", "/b"), "peers");
}

void slave_clone(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b/a"), "bind");
  w.works(w.change("/b/a", abi::ms_slave), "slave");
  w.works(w.bind("/b/a", "/b/b"), "bind the slave");
  w.expect(w.master("/b/b") == w.group("/a"), "it has the same master");
  w.expect(w.group("/b/b") == 0, "and no group");
}

void unbindable_clone(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_unbindable), "make it unbindable");
  w.refused(w.bind("/a", "/b"), EINVAL, "bind");
}

void pruned_clone(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.works(w.mount("/a/b"), "mount /a/b");
  w.works(w.change("/a/a", abi::ms_unbindable), "make one unbindable");
  w.works(w.bind("/a", "/b", true), "bind all");
  w.expect(!w.is_mount("/b/a"), "the unbindable one is left out");
  w.expect(w.is_mount("/b/b"), "the other is there");
}

/// /a and below it /a/a, as another user namespace has them; the task is there.
void enter_locked(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.enter(w.copy_into_userns());
}

void locked_unbindable_clone(World& w) {
  enter_locked(w);
  w.works(w.change("/a/a", abi::ms_unbindable), "make the locked one unbindable");
  w.refused(w.bind("/a", "/b", true), EPERM, "bind all");
}

void locked_clone(World& w) {
  enter_locked(w);
  w.refused(w.bind("/a", "/b"), EINVAL, "bind without what is locked below");
  w.works(w.bind("/a/b", "/b"), "bind of a part with nothing locked below");
}

void part_clone(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.works(w.mount("/a/b/a"), "mount /a/b/a");
  const std::size_t before = w.count();
  w.works(w.bind("/a/b", "/b", true), "bind a part with what is below");
  w.expect(w.count() == before + 2, "there are two more");
  w.expect(w.is_mount("/b/a"), "the mount below the part is there");
}

void deleted_clone(World& w) {
  constexpr std::uint32_t mode = 0755;
  w.need(w.kernel.mkdirat(Kernel::at_fdcwd, "/gone", mode));
  const Fd tree = w.tree("/gone");
  w.need(w.kernel.unlinkat(Kernel::at_fdcwd, "/gone", abi::at_removedir));
  w.refused(w.attach(tree, "/a"), ENOENT, "attach");
}

void deleted_cover(World& w) {
  constexpr std::uint32_t mode = 0755;
  w.need(w.kernel.mkdirat(Kernel::at_fdcwd, "/gone", mode));
  const Fd tree = w.tmpfs();
  const Fd cover = w.tree("/gone");
  w.works(w.attach_in(cover, tree, ""), "something over the tree's root");
  w.need(w.kernel.unlinkat(Kernel::at_fdcwd, "/gone", abi::at_removedir));
  w.refused(w.attach(tree, "/a"), ENOENT, "attach");
  w.works(w.attach(w.tmpfs(), "/a"), "attach a tree with nothing over it");
}

void make_shared(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_unbindable), "make it unbindable");
  w.works(w.change("/a", abi::ms_shared), "share it");
  w.expect(!w.unbindable("/a"), "it is bindable");
  w.works(w.bind("/a", "/b"), "and can be bound");
}

void make_slave(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.change("/b", abi::ms_slave), "slave /b");
  w.expect(w.group("/b") == 0, "it left the group");
  w.expect(w.master("/b") == w.group("/a"), "which is its master");
}

void make_sole_slave(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.change("/b", abi::ms_slave), "slave /b");
  w.works(w.change("/b", abi::ms_shared), "share it");
  w.works(w.change("/b", abi::ms_slave), "slave again");
  w.expect(w.group("/b") == 0, "it is not shared");
  w.expect(w.master("/b") == w.group("/a"), "and has the master that it had");
  w.works(w.change("/b", abi::ms_private), "away with it");
  w.works(w.change("/a", abi::ms_slave), "slave /a");
  w.expect(w.status("/a").propagation == abi::ms_private, "without a master it is private");
}

void make_unbindable_slave(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_unbindable), "make it unbindable");
  w.works(w.change("/a", abi::ms_slave), "slave");
  w.expect(w.unbindable("/a"), "it is still unbindable");
}

void make_private(World& w) {
  make_slave(w);
  w.works(w.change("/b", abi::ms_private), "private");
  w.expect(w.status("/b").propagation == abi::ms_private, "it has no master");
}

void group_death(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b/a"), "bind");
  w.works(w.change("/b/a", abi::ms_slave), "slave");
  w.works(w.change("/b/a", abi::ms_shared), "and shared");
  w.works(w.bind("/b/a", "/b/b"), "bind");
  w.works(w.change("/b/b", abi::ms_slave), "a slave of that");
  w.works(w.change("/b/a", abi::ms_private), "the middle goes");
  w.expect(w.master("/b/b") == w.group("/a"), "the slave has its master");
  w.works(w.change("/a", abi::ms_private), "the first goes");
  w.expect(w.status("/b/b").propagation == abi::ms_private, "the slave is private");
}

void not_a_mount(World& w) {
  w.refused(w.change("/a", abi::ms_private), EINVAL, "propagation of a directory");
  w.refused(w.set_attrs("/a", mount_attr::rdonly), EINVAL, "attributes of a directory");
  w.works(w.mount("/a"), "mount /a");
  w.refused(w.change("/a", abi::ms_private | abi::ms_shared), EINVAL, "two at a time");
  w.refused(w.set_attrs("/a", mount_attr::noatime), EINVAL, "atime that is not cleared");
  w.works(w.set_attrs("/a", mount_attr::noatime, mount_attr::atime_mask), "atime");
}

void inside_detached(World& w) {
  const Fd tree = w.tmpfs();
  w.works(w.attach_in(w.tmpfs(), tree, "a"), "attach in a detached tree");
  const auto change = w.kernel.mount_setattr(tree.get(), "a", 0, {.propagation = abi::ms_shared});
  w.refused(change ? 0 : change.error().number, EINVAL, "a change of what is inside");
  w.need(w.kernel.mount_setattr(tree.get(), "", 0, {.propagation = abi::ms_shared}));
}

void locked_attributes(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.set_attrs("/a", mount_attr::rdonly), "make it read-only");
  w.enter(w.copy_into_userns());
  w.refused(w.set_attrs("/a", 0, mount_attr::rdonly), EPERM, "make it writable");
  w.refused(w.set_attrs("/a", mount_attr::noatime, mount_attr::atime_mask), EPERM, "noatime");
  w.works(w.set_attrs("/a", mount_attr::nodev), "nodev");
}

void idmaps(World& w) {
  const auto userns = w.kernel.new_user_namespace(w.proc().get(), "0 0 1\n", "0 0 1\n");
  if (!userns) return;  // some may not make one
  const Fd mount = w.tmpfs();
  const MountAttr attr{.attr_set = abi::mount_attr_idmap, .userns = userns->get()};
  w.works(w.attach(mount, "/a"), "attach");
  const auto late = w.kernel.mount_setattr(mount.get(), "", 0, attr);
  w.refused(late ? 0 : late.error().number, EINVAL, "an idmap for an attached mount");
}

}  // namespace

std::vector<Case> cloning_cases() {
  return {
      {"a clone of a shared mount is its peer", {Rule::clone_keeps_group}, true, shared_clone},
      {"a clone of a slave is a slave", {Rule::clone_keeps_master}, true, slave_clone},
      {"an unbindable mount cannot be bound", {Rule::clone_of_unbindable}, false, unbindable_clone},
      {"a recursive bind leaves out what is unbindable",
       {Rule::recursive_prunes_unbindable},
       false,
       pruned_clone},
      {"a recursive bind of what is locked and unbindable",
       {Rule::locked_unbindable},
       true,
       locked_unbindable_clone},
      {"a bind that would reveal what is locked", {Rule::locked_child_below}, true, locked_clone},
      {"a recursive bind of a part", {Rule::only_below_clone_root}, true, part_clone},
      {"a tree whose root is deleted", {Rule::deleted_root}, false, deleted_clone},
      {"a tree with something deleted over its root", {}, true, deleted_cover},
  };
}

std::vector<Case> changing_cases() {
  return {
      {"shared after unbindable", {Rule::shared_clears_unbindable}, true, make_shared},
      {"slave of the group that was left", {Rule::slave_of_left_group}, true, make_slave},
      {"slave as the only member", {Rule::sole_member_keeps_master}, true, make_sole_slave},
      {"slave after unbindable", {Rule::slave_keeps_unbindable}, true, make_unbindable_slave},
      {"private after slave", {Rule::private_clears_master}, true, make_private},
      {"the last member leaves", {Rule::group_death_rehomes}, true, group_death},
      {"attributes of what is no mount", {Rule::attributes_of_mounts_only}, false, not_a_mount},
      {"attributes inside a detached tree",
       {Rule::no_change_inside_detached},
       true,
       inside_detached},
      {"attributes from another user namespace",
       {Rule::locked_attributes},
       true,
       locked_attributes},
      {"an idmap after attaching", {Rule::idmap_while_detached}, false, idmaps},
  };
}

}  // namespace mntcr::conformance
