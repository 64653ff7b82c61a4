// What goes with a umount, what stays, and what is in the way.
#include "tests/kernel/conformance/world.h"

namespace mntcr::conformance {
namespace {

using Rule = KernelRule;

/// /a and /b are peers, with copies of a mount at /a/a and /b/a.
void make_copies(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.expect(w.is_mount("/b/a"), "which has a copy");
}

void propagation(World& w) {
  make_copies(w);
  w.works(w.umount("/a/a"), "umount");
  w.expect(!w.is_mount("/b/a"), "the copy is gone");
  w.expect(!w.is_mount("/a/a"), "and the mount");
}

void detached(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  const Fd tree = w.tree("/a", true);
  w.expect(w.is_mount_in(tree, "a"), "the detached copy has it");
  w.works(w.umount("/a/a"), "umount");
  w.expect(!w.is_mount_in(tree, "a"), "and has it no longer");
}

void foreign(World& w) {
  make_copies(w);
  w.works(w.change("/b/a", abi::ms_private), "make the copy private");
  w.works(w.mount("/b/a/b"), "mount something below it");
  w.works(w.umount("/a/a"), "umount");
  w.expect(w.is_mount("/b/a"), "the copy stays");
  w.expect(w.is_mount("/b/a/b"), "and what is below it");
}

void overmount(World& w) {
  make_copies(w);
  w.works(w.change("/b/a", abi::ms_private), "make the copy private");
  w.works(w.mount("/b/a"), "mount something over it");
  const std::uint64_t over = w.id("/b/a");
  w.works(w.umount("/a/a"), "umount");
  w.expect(w.id("/b/a") == over, "what is over the copy stays");
  w.expect(w.parent_id("/b/a") == w.id("/b"), "and stands in its place");
}

void locked_below(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  const int others = w.copy_into_userns();
  w.works(w.mount("/b"), "mount /b");
  w.works(w.mount("/b/a"), "mount /b/a");
  w.works(w.bind("/b", "/a/a", true), "bind the tree to /a/a");
  w.enter(others);
  w.works(w.mount("/a/a/b"), "mount something there that holds the copy");
  w.enter(0);
  w.works(w.umount("/a/a"), "umount");
  w.enter(others);
  w.expect(w.is_mount("/a/a"), "the copy is held");
  w.expect(w.is_mount("/a/a/a"), "what is locked to it stays");
}

void unlocking(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  const int others = w.copy_into_userns();
  w.works(w.umount("/a/a"), "umount");
  w.enter(others);
  w.expect(!w.is_mount("/a/a"), "the locked copy is gone");
}

void locked(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.enter(w.copy_into_userns());
  w.refused(w.umount("/a"), EINVAL, "umount");
}

void busy(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  w.refused(w.umount("/a", 0), EBUSY, "umount with something below");
  {
    const Fd used = w.open("/a/a/f");
    w.refused(w.umount("/a/a", 0), EBUSY, "umount of what is used");
  }
  w.works(w.umount("/a/a", 0), "umount of what is not");
  w.works(w.umount("/a", 0), "umount with nothing below");
  w.refused(w.umount("/a", 0), EINVAL, "umount of nothing");
}

void busy_elsewhere(World& w) {
  make_copies(w);
  {
    const Fd used = w.open("/b/a/f");
    w.refused(w.umount("/a/a", 0), EBUSY, "umount with a copy in use");
    w.expect(w.is_mount("/a/a"), "it is still there");
  }
  w.works(w.umount("/a/a", 0), "umount with no copy in use");
}

void removed(World& w) {
  const int others = w.copy_namespace();
  w.works(w.mount("/a/a/a/"), "mount on a directory");
  w.enter(others);
  w.need(w.kernel.unlinkat(Kernel::at_fdcwd, "/a/a/a/f", 0));
  w.need(w.kernel.unlinkat(Kernel::at_fdcwd, "/a/a/a", abi::at_removedir));
  w.enter(0);
  const auto gone = w.kernel.statx(Kernel::at_fdcwd, "/a/a/a", 0);
  w.expect(!gone, "the directory is gone, and the mount");
}

void own_mountpoint(World& w) {
  w.works(w.mount("/a/a/a"), "mount on a directory");
  const auto removed = w.kernel.unlinkat(Kernel::at_fdcwd, "/a/a/a", abi::at_removedir);
  w.refused(removed ? 0 : removed.error().number, EBUSY, "rmdir of an own mountpoint");
}

}  // namespace

std::vector<Case> umounting_cases() {
  return {
      {"a umount goes to the peers of the parent", {Rule::umount_propagates}, false, propagation},
      {"a umount goes to detached trees", {Rule::umount_reaches_detached}, true, detached},
      {"a copy with something foreign below stays", {Rule::umount_spares_foreign}, false, foreign},
      {"a copy with something over it goes", {Rule::umount_overmount_slides}, true, overmount},
      {"a copy that is locked to what stays", {Rule::umount_reveals_nothing}, true, locked_below},
      {"a locked copy goes with its original", {Rule::umount_unlocks}, true, unlocking},
      {"a locked mount is not unmounted", {Rule::umount_locked}, true, locked},
      {"a mount that is used", {Rule::umount_busy}, false, busy},
      {"a mount whose copy is used", {Rule::umount_busy_elsewhere}, true, busy_elsewhere},
      {"a directory removed elsewhere takes what is mounted on it", {}, false, removed},
      {"an own mountpoint cannot be removed", {}, false, own_mountpoint},
  };
}

}  // namespace mntcr::conformance
