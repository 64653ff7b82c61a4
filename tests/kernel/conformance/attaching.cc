// What is attached, where copies of it appear, and what they are.
#include "runtime/base/mount_options.h"
#include "tests/kernel/conformance/world.h"

namespace mntcr::conformance {
namespace {

using Rule = KernelRule;

/// /a is shared and /b its peer.
void make_peers(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b"), "bind /a to /b");
}

/// A slave of /a at `path`, shared itself if asked.
void make_slave(World& w, const std::string& path, bool shared) {
  w.works(w.bind("/a", path), "bind /a to " + path);
  w.works(w.change(path, abi::ms_slave), "slave " + path);
  if (shared) w.works(w.change(path, abi::ms_shared), "share " + path);
}

void peers(World& w) {
  make_peers(w);
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.is_mount("/b/a"), "the peer has it");
}

void copies_are_peers(World& w) {
  make_peers(w);
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.peers("/a/a", "/b/a"), "they are peers");
  w.expect(w.master("/b/a") == 0, "and no slaves");
}

void slaves(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  make_slave(w, "/b", false);
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.is_mount("/b/a"), "the slave has it");
  w.works(w.mount("/b/b"), "mount /b/b");
  w.expect(!w.is_mount("/a/b"), "nothing goes from a slave to its master");
}

void shared_slaves(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  make_slave(w, "/b/a", true);
  make_slave(w, "/b/b", false);
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.master("/b/a/a") == w.group("/a/a"), "the copy below a shared slave is a slave");
  w.expect(w.group("/b/a/a") != 0, "and shared");
  w.expect(w.master("/b/b/a") == w.group("/a/a"), "the copy below a slave is a slave");
  w.expect(w.group("/b/b/a") == 0, "and not shared");
}

void slave_groups(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  make_slave(w, "/b/a", true);
  w.works(w.bind("/b/a", "/b/b"), "a peer of the slave");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.peers("/b/a/a", "/b/b/a"), "both copies are peers");
  w.expect(w.master("/b/b/a") == w.group("/a/a"), "and slaves of what was mounted");
}

void chains(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  make_slave(w, "/b/a", true);
  w.works(w.bind("/b/a/b", "/b/b/a"), "a narrow peer of the slave");
  w.works(w.bind("/b/a", "/b/b/b"), "a peer of the slave");
  w.works(w.change("/b/b/b", abi::ms_slave), "which becomes its slave");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.master("/b/b/b/a") == w.group("/b/a/a"), "the copy in the middle is its master");
  w.works(w.umount("/a/a"), "umount /a/a");
  w.works(w.umount("/b/a"), "only the narrow one is left in the middle");
  w.works(w.mount("/a/a"), "mount /a/a again");
  w.expect(w.is_mount("/b/b/b/a"), "the last is reached");
  w.expect(w.master("/b/b/b/a") == w.group("/a/a"), "by the first");
}

/// A slave of `from` at `to`, shared itself if asked.
void add_slave(World& w, const std::string& from, const std::string& to, bool shared) {
  w.works(w.bind(from, to), "bind " + from + " to " + to);
  w.works(w.change(to, abi::ms_slave), "slave " + to);
  if (shared) w.works(w.change(to, abi::ms_shared), "share " + to);
}

void misleading_gap(World& w) {
  w.works(w.mount("/a/a/a"), "mount the first");
  w.works(w.change("/a/a/a", abi::ms_shared), "share it");
  add_slave(w, "/a/a/a", "/a/a/b", true);
  add_slave(w, "/a/a/b", "/a/b/a", false);
  add_slave(w, "/a/a/b", "/a/b/b", true);
  w.works(w.bind("/a/b/b/b", "/b/a/a"), "a narrow peer of the slave's slave");
  add_slave(w, "/a/b/b", "/b/a/b", false);
  w.works(w.umount("/a/b/b"), "only the narrow one is left");
  add_slave(w, "/a/a/b", "/b/b/a", false);
  w.works(w.mount("/a/a/a/a"), "mount");
  const std::uint64_t middle = w.group("/a/a/b/a");
  w.expect(w.master("/b/b/a/a") == middle, "the slave made last, which is the first to get one");
  w.expect(w.master("/b/a/b/a") == middle, "the one beyond the gap");
  w.expect(w.master("/a/b/a/a") == w.group("/a/a/a/a"), "the slave made first is misled");
}

void slaves_in_order(World& w) {
  w.works(w.mount("/a/a/a"), "mount the first");
  w.works(w.change("/a/a/a", abi::ms_shared), "share it");
  add_slave(w, "/a/a/a", "/a/a/b", true);
  add_slave(w, "/a/a/b", "/b/b/b", false);
  add_slave(w, "/a/a/b", "/a/b/b", true);
  w.works(w.bind("/a/b/b/b", "/b/a/a"), "a narrow peer of the slave's slave");
  add_slave(w, "/a/b/b", "/b/a/b", false);
  w.works(w.umount("/a/b/b"), "only the narrow one is left");
  add_slave(w, "/a/a/b", "/b/b/a", false);
  w.works(w.bind("/b/b/a", "/a/b/a"), "a clone comes behind its original");
  w.works(w.change("/b/b/b", abi::ms_slave), "and what is made a slave again comes first");
  w.works(w.mount("/a/a/a/a"), "mount");
  const std::uint64_t middle = w.group("/a/a/b/a");
  w.expect(w.master("/b/b/b/a") == middle, "the slave made again");
  w.expect(w.master("/b/b/a/a") == middle, "the slave made last");
  w.expect(w.master("/a/b/a/a") == middle, "its clone");
  w.expect(w.master("/b/a/b/a") == middle, "the one beyond the gap, which comes last");
}

void narrow_peers(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a/b", "/b"), "bind a part");
  const std::size_t before = w.count();
  w.works(w.mount("/a/a"), "mount outside of the part");
  w.expect(w.count() == before + 1, "there is one more mount");
  w.works(w.mount("/a/b/a"), "mount inside of it");
  w.expect(w.is_mount("/b/a"), "the part has it");
}

void detached_peers(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  const Fd tree = w.tree("/a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(!w.is_mount_in(tree, "a"), "the detached peer has none");
}

void moved_slave(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  make_slave(w, "/b", false);
  w.works(w.move("/b", "/a/a"), "move the slave below its master");
  w.expect(w.group("/a/a") != 0, "it is shared now");
  w.expect(w.is_mount("/a/a/a"), "and has a copy of itself below");
  w.expect(w.group("/a/a/a") == 0, "which is not shared");
}

void below_shared(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/b"), "mount /b");
  w.works(w.mount("/b/a"), "mount /b/a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/b", "/a/b", true), "bind the tree below");
  w.expect(w.group("/a/b") != 0, "its root is shared");
  w.expect(w.group("/a/b/a") != 0, "and what is below");
}

void below_unshared(World& w) {
  w.works(w.mount("/a"), "mount /a");
  const Fd mount = w.tmpfs();
  w.need(w.kernel.mount_setattr(mount.get(), "", 0, {.propagation = abi::ms_shared}));
  w.works(w.attach(mount, "/a/a"), "attach a shared mount");
  w.expect(w.group("/a/a") != 0, "it stays shared");
}

/// /a and /b show the same and are peers, and /b/a is taken.
std::uint64_t take_place(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b"), "bind /a to /b");
  w.works(w.mount("/b/a"), "mount /b/a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.set_group(w.open("/a"), w.open("/b")), "make /b its peer");
  return w.id("/b/a");
}

void taken_places(World& w) {
  const std::uint64_t taken = take_place(w);
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.id("/b/a") == taken, "what was there is still on top");
  w.expect(w.above(taken, 2) == w.id("/b"), "and the copy is beneath");
}

void taken_places_and_covered_roots(World& w) {
  const std::uint64_t taken = take_place(w);
  const Fd tree = w.tmpfs();
  w.works(w.attach_in(w.tmpfs(), tree, ""), "a tree with something over its root");
  w.works(w.attach(tree, "/a/a"), "attach it");
  w.expect(w.id("/b/a") == taken, "what was there is still on top");
  w.expect(w.above(taken, 3) == w.id("/b"), "and both mounts are beneath");
  w.expect(w.status_of(w.above(taken, 1)).mountpoint == "/b/a", "the upper one below it");
  w.expect(w.status_of(w.above(taken, 1)).dev_minor != w.status_of(w.above(taken, 2)).dev_minor,
           "which is another filesystem");
  w.expect(w.status_of(w.above(taken, 2)).dev_minor == w.status(tree).dev_minor,
           "the copy of the root stands on the peer");
}

/// A tree with a mount below is attached at /a/a, where another user namespace sees it.
int attach_for_others(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  const int others = w.copy_into_userns();
  w.works(w.mount("/b"), "mount /b");
  w.works(w.mount("/b/a"), "mount /b/a");
  w.works(w.bind("/b", "/a/a", true), "bind the tree to /a/a");
  w.enter(others);
  return others;
}

void foreign_copies(World& w) {
  attach_for_others(w);
  w.refused(w.umount("/a/a/a"), EINVAL, "umount of what is below the root of the copy");
}

void foreign_roots(World& w) {
  attach_for_others(w);
  w.works(w.umount("/a/a"), "umount of the copy's root");
}

void attributes(World& w) {
  make_peers(w);
  const Fd mount = w.tmpfs();
  w.need(w.kernel.mount_setattr(mount.get(), "", 0, {.attr_set = mount_attr::nodev}));
  w.works(w.attach(mount, "/a/a"), "attach");
  w.expect((w.status("/b/a").attrs & mount_attr::nodev) != 0, "the copy has nodev");
  w.works(w.set_attrs("/a/a", mount_attr::noexec), "set noexec");
  w.expect((w.status("/b/a").attrs & mount_attr::noexec) == 0, "the copy has no noexec");
}

}  // namespace

std::vector<Case> attaching_cases() {
  return {
      {"a mount below a shared mount appears at its peers",
       {Rule::propagates_to_peers},
       false,
       peers},
      {"copies at peers are peers", {Rule::peers_get_peers}, true, copies_are_peers},
      {"a mount below a shared mount appears at its slaves",
       {Rule::propagates_to_slaves},
       false,
       slaves},
      {"a slave's copy is shared as the slave is", {Rule::shared_as_receiver}, true, shared_slaves},
      {"a slave group gets one slave", {Rule::one_copy_per_slave_group}, true, slave_groups},
      {"chains of masters with a gap", {Rule::nearest_visible_master}, true, chains},
      {"a slave after one beyond a gap", {Rule::gap_misleads}, true, misleading_gap},
      {"slaves before one beyond a gap", {}, true, slaves_in_order},
      {"a peer that does not show the place gets nothing",
       {Rule::only_where_visible},
       true,
       narrow_peers},
      {"a detached peer gets nothing", {Rule::not_into_detached}, false, detached_peers},
      {"a slave moved below its master", {Rule::source_unshared_while_copying}, true, moved_slave},
      {"what goes below a shared mount becomes shared",
       {Rule::shared_below_shared},
       true,
       below_shared},
      {"what goes below an unshared mount stays as it is",
       {Rule::unshared_below_unshared},
       true,
       below_unshared},
      {"a copy goes beneath what is there", {Rule::copies_tuck_beneath}, true, taken_places},
      {"a copy with a covered root goes beneath what is there",
       {Rule::tuck_on_topmost},
       true,
       taken_places_and_covered_roots},
      {"a copy for another user namespace is locked",
       {Rule::foreign_copies_locked},
       true,
       foreign_copies},
      {"but not its root", {Rule::copied_root_unlocked}, true, foreign_roots},
      {"copies have the attributes of their source",
       {Rule::copies_take_attributes},
       true,
       attributes},
  };
}

}  // namespace mntcr::conformance
