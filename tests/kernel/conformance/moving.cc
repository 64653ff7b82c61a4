// Moves, attaching beneath, sharing groups, namespaces and pivot_root.
#include <algorithm>

#include "tests/kernel/conformance/world.h"

namespace mntcr::conformance {
namespace {

using Rule = KernelRule;

void from_shared(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.refused(w.move("/a/a", "/b"), EINVAL, "move out of a shared mount");
  w.works(w.change("/a", abi::ms_private), "make it private");
  w.works(w.move("/a/a", "/b"), "move");
}

void locked(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.enter(w.copy_into_userns());
  w.refused(w.move("/a", "/b"), EINVAL, "move");
}

void unbindable(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/b"), "mount /b");
  w.works(w.mount("/b/a"), "mount /b/a");
  w.works(w.change("/b/a", abi::ms_unbindable), "an unbindable mount in the tree");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.refused(w.move("/b", "/a/a"), EINVAL, "move below a shared mount");
  w.works(w.change("/a", abi::ms_private), "make it private");
  w.works(w.move("/b", "/a/a"), "move");
}

void into_itself(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.refused(w.move("/a", "/a/b"), ELOOP, "move into itself");
  w.refused(w.move("/a", "/a/a/b"), ELOOP, "move further down into itself");
}

void kinds(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.refused(w.move("/a", "/f"), EINVAL, "a directory onto a file");
  w.refused(w.bind("/f", "/b"), EINVAL, "a file onto a directory");
  w.works(w.bind("/f", "/b/f"), "a file onto a file");
}

void beneath(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/b"), "mount /b");
  const std::uint64_t upper = w.id("/b");
  const std::uint64_t lower = w.id("/a");
  w.refused(w.attach(w.tmpfs(), "/", abi::move_mount_beneath), EINVAL, "beneath the root");
  w.refused(w.beneath("/a", "/b/a"), EINVAL, "beneath what is no mount");
  w.works(w.beneath("/a", "/b"), "beneath a mount");
  w.expect(w.id("/b") == upper, "which is still on top");
  w.expect(w.parent_id("/b") == lower, "on what was moved");
}

void beneath_covered(World& w) {
  w.works(w.mount("/a"), "mount /a");
  const Fd below = w.open("/a");
  w.works(w.mount("/a"), "mount over it");
  w.works(w.mount("/b"), "mount /b");
  w.refused(w.attach(below, "/b", abi::move_mount_beneath), EINVAL, "the covered one beneath");
}

void beneath_ancestor(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.refused(w.beneath("/a/a", "/a"), EINVAL, "beneath what it stands on");
}

void beneath_peer(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a/a", "/a/a"), "a peer on its own directory");
  w.works(w.mount("/b"), "mount /b");
  w.refused(w.beneath("/b", "/a/a"), EINVAL, "beneath what would get a copy");
}

void beneath_as_peer(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a/a", "/b"), "bind a part");
  w.works(w.mount("/a/a"), "mount on that part");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.set_group(w.open("/a"), w.open("/b")), "the part is a peer");
  w.refused(w.beneath("/b", "/a/a"), EINVAL, "the part beneath, with a copy on itself");
}

void give(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.refused(w.set_group(w.open("/a"), w.open("/b")), EINVAL, "nothing to give");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.set_group(w.open("/a"), w.open("/b")), "give");
}

void given(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b/a"), "bind");
  w.works(w.bind("/a", "/b/b"), "bind again");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.set_group(w.open("/a"), w.open("/b/a")), "give the group");
  w.expect(w.peers("/a", "/b/a"), "they are peers");
  w.works(w.change("/b/a", abi::ms_slave), "make it a slave");
  w.works(w.set_group(w.open("/b/a"), w.open("/b/b")), "give the master");
  w.expect(w.master("/b/b") == w.group("/a"), "a slave of the same master");
  w.expect(w.group("/b/b") == 0, "and not shared");
}

void give_superblock(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/b"), "mount /b");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.refused(w.set_group(w.open("/a"), w.open("/b")), EINVAL, "to another superblock");
}

void give_wider(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a/a", "/b"), "bind a part");
  w.works(w.change("/b", abi::ms_shared), "share the part");
  w.refused(w.set_group(w.open("/b"), w.open("/a")), EINVAL, "to the whole");
}

void give_taken(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.change("/b", abi::ms_shared), "share /b");
  w.refused(w.set_group(w.open("/a"), w.open("/b")), EINVAL, "to what is shared");
}

void give_locked(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.enter(w.copy_into_userns());
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.refused(w.set_group(w.open("/a"), w.open("/b")), EINVAL, "from what has a locked mount");
}

void give_unbindable(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.change("/b", abi::ms_unbindable), "make the other unbindable");
  w.works(w.set_group(w.open("/a"), w.open("/b")), "give");
  w.expect(!w.unbindable("/b"), "it is bindable");
}

void userns_slaves(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  const std::uint64_t group = w.group("/a");
  w.enter(w.copy_into_userns());
  w.expect(w.master("/a") == group, "the copy is a slave");
  w.expect(w.group("/a") == 0, "and not shared");
}

void userns_locks(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.enter(w.copy_into_userns());
  w.refused(w.umount("/a"), EINVAL, "umount");
  w.refused(w.umount("/a/a"), EINVAL, "umount of the lower one");
}

void bindable(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_unbindable), "make it unbindable");
  w.enter(w.copy_namespace());
  w.expect(!w.unbindable("/a"), "the copy is bindable");
}

int pivot(World& w, const std::string& to, const std::string& old) {
  const auto done = w.kernel.pivot_root(to, old);
  return done ? 0 : done.error().number;
}

void pivot_shared(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.refused(pivot(w, "/a", "/a/a"), EINVAL, "with a shared put_old");
  w.works(w.change("/a", abi::ms_private), "make it private");
  w.refused(pivot(w, "/", "/a/a"), EBUSY, "to the root itself");
  w.works(pivot(w, "/a", "/a/a"), "with a private one");
  w.expect(w.is_mount("/a"), "the old root is there");
}

void pivot_locked(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.enter(w.copy_into_userns());
  w.refused(pivot(w, "/a", "/a/a"), EINVAL, "to a locked mount");
}

void pivot_elsewhere(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/b"), "mount /b");
  w.refused(pivot(w, "/a", "/b"), EINVAL, "with put_old elsewhere");
}

void closing(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  Fd tree = w.tree("/a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.change("/b", abi::ms_slave), "slave");
  w.works(w.change("/a", abi::ms_private), "make the first private");
  w.expect(w.master("/b") != 0, "the detached peer is the master");
  tree.reset();
  w.expect(w.master("/b") == 0, "until it is closed");
}

void dominating(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  const Fd middle = w.tree("/a");
  w.need(w.kernel.mount_setattr(middle.get(), "", 0, {.propagation = abi::ms_slave}));
  w.need(w.kernel.mount_setattr(middle.get(), "", 0, {.propagation = abi::ms_shared}));
  const Fd last = w.need(w.kernel.open_tree(middle.get(), "", abi::open_tree_clone));
  w.need(w.kernel.mount_setattr(last.get(), "", 0, {.propagation = abi::ms_slave}));
  w.works(w.attach(last, "/b"), "attach a slave of a slave");
  const Fd info = w.need(w.kernel.openat2(w.proc().get(), "thread-self/mountinfo", {}));
  const std::string text = w.need(w.kernel.read_all(info.get()));
  const std::string expected = " propagate_from:" + std::to_string(w.group("/a")) + " ";
  w.expect(text.find(expected) != std::string::npos, "it is shown to propagate from the first");
}

}  // namespace

std::vector<Case> moving_cases() {
  return {
      {"a move out of a shared mount", {Rule::move_from_shared}, false, from_shared},
      {"a move of a locked mount", {Rule::move_locked}, true, locked},
      {"an unbindable mount below a shared one", {Rule::unbindable_into_shared}, false, unbindable},
      {"a move into itself", {Rule::move_into_itself}, false, into_itself},
      {"directories and files", {Rule::move_same_kind}, false, kinds},
      {"beneath a mount", {Rule::beneath_a_mount}, true, beneath},
      {"beneath with a covered root", {Rule::beneath_uncovered_source}, true, beneath_covered},
      {"beneath what it stands on", {Rule::beneath_own_ancestor}, true, beneath_ancestor},
      {"beneath a peer of the parent", {Rule::beneath_copy_on_target}, true, beneath_peer},
      {"a peer of the parent beneath", {Rule::beneath_copy_on_source}, true, beneath_as_peer},
      {"a group from what has none", {Rule::set_group_nothing_to_give}, false, give},
      {"a group given", {Rule::set_group_gives}, true, given},
      {"a group for another superblock", {Rule::set_group_superblock}, false, give_superblock},
      {"a group for what is wider", {Rule::set_group_wider_root}, false, give_wider},
      {"a group for what has one", {Rule::set_group_private_taker}, false, give_taken},
      {"a group from what hides something", {Rule::set_group_locked_child}, true, give_locked},
      {"a group for what is unbindable",
       {Rule::set_group_clears_unbindable},
       true,
       give_unbindable},
  };
}

std::vector<Case> namespace_cases() {
  return {
      {"slaves in a new user namespace", {Rule::new_namespace_slaves}, true, userns_slaves},
      {"locks in a new user namespace", {Rule::new_namespace_locked}, true, userns_locks},
      {"a copied namespace has nothing unbindable", {Rule::new_namespace_bindable}, true, bindable},
      {"pivot_root with something shared", {Rule::pivot_unshared}, false, pivot_shared},
      {"pivot_root to something locked", {Rule::pivot_locked}, true, pivot_locked},
      {"pivot_root with put_old elsewhere", {Rule::pivot_below_root}, false, pivot_elsewhere},
      {"a detached tree is closed", {Rule::close_dissolves}, true, closing},
      {"a master that is not seen", {Rule::propagates_from_dominating}, true, dominating},
  };
}

}  // namespace mntcr::conformance
