// Paths, files and filesystem contexts, and roots that something is mounted on.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "runtime/base/mount_options.h"
#include "tests/kernel/conformance/world.h"

namespace mntcr::conformance {
namespace {

constexpr std::uint32_t mode = 0755;

template <class T>
int errno_of(const Result<T>& result) {
  return result ? 0 : result.error().number;
}

int walk(World& w, int dir, const std::string& path, std::uint64_t resolve,
         std::uint64_t flags = 0) {
  return errno_of(w.kernel.openat2(dir, path, {.flags = O_PATH | flags, .resolve = resolve}));
}

void limited_walks(World& w) {
  w.works(w.mount("/a"), "mount /a");
  const Fd root = w.open("/");
  const int dir = root.get();
  w.refused(walk(w, dir, "a/a", abi::resolve_no_xdev), EXDEV, "onto a mount");
  w.works(walk(w, dir, "b/a", abi::resolve_no_xdev), "along a filesystem");
  w.refused(walk(w, w.open("/a").get(), "..", abi::resolve_no_xdev), EXDEV, "off a mount");
  w.refused(walk(w, w.open("/b").get(), "..", abi::resolve_beneath), EXDEV, "above the start");
  w.works(walk(w, w.open("/b").get(), "a/..", abi::resolve_beneath), "back to the start");
  w.refused(walk(w, dir, "/b", abi::resolve_beneath), EXDEV, "an absolute path");
  w.works(walk(w, w.open("/b").get(), "/a/../../b", abi::resolve_in_root), "within a root");
  w.refused(walk(w, dir, "f/a", 0), ENOTDIR, "through a file");
  w.refused(walk(w, dir, "c", 0), ENOENT, "to nothing");
  w.refused(walk(w, dir, "", 0), ENOENT, "nowhere");
  w.refused(walk(w, dir, "f", 0, O_DIRECTORY), ENOTDIR, "a file as a directory");
}

void symlinks(World& w) {
  Kernel& kernel = w.kernel;
  w.need(kernel.symlinkat("a/b", Kernel::at_fdcwd, "/b/relative"));
  w.need(kernel.symlinkat("/a", Kernel::at_fdcwd, "/b/absolute"));
  w.need(kernel.symlinkat("ring", Kernel::at_fdcwd, "/b/ring"));
  const Fd dir = w.open("/b");
  w.works(walk(w, dir.get(), "relative/f", 0), "through a symlink");
  w.refused(walk(w, dir.get(), "relative", abi::resolve_no_symlinks), ELOOP, "without symlinks");
  w.works(walk(w, dir.get(), "relative", abi::resolve_no_symlinks, O_NOFOLLOW), "to a symlink");
  w.refused(walk(w, dir.get(), "ring", 0), ELOOP, "in a ring");
  w.refused(walk(w, dir.get(), "absolute", abi::resolve_beneath), EXDEV, "out of the start");
  w.works(walk(w, dir.get(), "absolute/b", abi::resolve_in_root), "as if the start were the root");
  w.expect(w.need(kernel.readlinkat(dir.get(), "relative")) == "a/b", "the target");
  w.refused(errno_of(kernel.readlinkat(dir.get(), "a")), EINVAL, "the target of a directory");
  w.refused(errno_of(kernel.openat2(dir.get(), "ring", {.flags = O_NOFOLLOW})), ELOOP,
            "a symlink to be read");
}

void climbing(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.mount("/a/a"), "mount /a/a");
  const std::uint64_t lower = w.id("/a");
  w.expect(w.id("/a/a/..") == lower, "up from the root of a mount");
  w.expect(w.id("/a/a/a/../..") == lower, "up from below it");
  w.expect(w.id("/../../a") == lower, "not above the root");
  const Fd covered = w.open("/b");
  w.works(w.mount("/b"), "mount over an open directory");
  w.expect(w.need(w.kernel.statx(covered.get(), ".", 0)).mount_id == w.id("/"), "dot stays below");
  w.expect(w.need(w.kernel.statx(covered.get(), "../b", 0)).mount_id == w.id("/b"),
           "up and down leads on top");
}

void inodes(World& w) {
  Kernel& kernel = w.kernel;
  const Fd dir = w.open("/a");
  constexpr std::uint32_t set_ids = 06755;
  w.refused(errno_of(kernel.mkdirat(dir.get(), "a", mode)), EEXIST, "mkdir of what is there");
  w.refused(errno_of(kernel.mkdirat(dir.get(), "c/d", mode)), ENOENT, "mkdir below nothing");
  w.need(kernel.mknodat(dir.get(), "fifo", S_IFIFO | mode, 0, 0));
  w.need(kernel.fchownat(dir.get(), "fifo", 0, 0, AT_SYMLINK_NOFOLLOW));
  w.need(kernel.fchmodat(dir.get(), "fifo", set_ids));
  const FileStatus fifo = w.need(kernel.statx(dir.get(), "fifo", 0));
  w.expect(fifo.mode == (S_IFIFO | set_ids), "type and mode");
  w.expect(fifo.uid == 0 && fifo.gid == 0 && !fifo.is_mount_root, "owner");
  w.refused(errno_of(kernel.unlinkat(dir.get(), "fifo", abi::at_removedir)), ENOTDIR, "rmdir");
  w.refused(errno_of(kernel.unlinkat(dir.get(), "a", 0)), EISDIR, "unlink of a directory");
  w.refused(errno_of(kernel.unlinkat(dir.get(), "a", abi::at_removedir)), ENOTEMPTY, "full");
  w.need(kernel.unlinkat(dir.get(), "fifo", 0));
  w.refused(errno_of(kernel.unlinkat(dir.get(), "fifo", 0)), ENOENT, "unlink of nothing");
  const Fd readable = w.need(kernel.openat2(dir.get(), ".", {.flags = O_RDONLY | O_DIRECTORY}));
  std::vector<std::string> names = w.need(kernel.getdents(readable.get()));
  std::ranges::sort(names);
  w.expect(names == std::vector<std::string>{"a", "b", "f"}, "the names that are left");
}

void read_only(World& w) {
  Kernel& kernel = w.kernel;
  w.works(w.mount("/a"), "mount /a");
  w.works(w.bind("/a", "/b"), "bind");
  w.works(w.set_attrs("/b", mount_attr::rdonly), "make the bind read-only");
  w.refused(errno_of(kernel.mkdirat(Kernel::at_fdcwd, "/b/c", mode)), EROFS, "mkdir there");
  w.refused(errno_of(kernel.mkdirat(Kernel::at_fdcwd, "/b/a", mode)), EEXIST, "of what is there");
  w.refused(errno_of(kernel.unlinkat(Kernel::at_fdcwd, "/b/c", 0)), EROFS, "unlink there");
  w.need(kernel.mkdirat(Kernel::at_fdcwd, "/a/c", mode));
  const Fd context = w.need(kernel.fspick(w.open("/a").get()));
  w.need(kernel.fsconfig_flag(context.get(), "ro"));
  w.need(kernel.fsconfig_reconfigure(context.get()));
  w.refused(errno_of(kernel.mkdirat(Kernel::at_fdcwd, "/a/d", mode)), EROFS, "on the whole");
}

void contexts(World& w) {
  Kernel& kernel = w.kernel;
  const Fd context = w.need(kernel.fsopen("tmpfs"));
  w.refused(errno_of(kernel.fsmount(context.get(), 0)), EINVAL, "a mount of nothing");
  w.need(kernel.fsconfig_string(context.get(), "mode", "0700"));
  w.need(kernel.fsconfig_create(context.get()));
  const Fd mount = w.need(kernel.fsmount(context.get(), mount_attr::nodev));
  w.refused(errno_of(kernel.fsmount(context.get(), 0)), EBUSY, "a second mount");
  w.expect(w.need(kernel.statx(mount.get(), "", 0)).mode == (S_IFDIR | 0700U), "its mode");
  w.works(w.attach(mount, "/a"), "attach");
  w.refused(w.attach_in(w.tree("/b"), w.open("/f"), "a"), ENOTDIR, "to below a file");
}

void gone_place(World& w) {
  w.need(w.kernel.mkdirat(Kernel::at_fdcwd, "/gone", mode));
  const Fd place = w.open("/gone");
  w.need(w.kernel.unlinkat(Kernel::at_fdcwd, "/gone", abi::at_removedir));
  w.refused(w.attach_in(w.tmpfs(), place, ""), ENOENT, "attach");
  w.refused(errno_of(w.kernel.mkdirat(place.get(), "a", mode)), ENOENT, "mkdir");
}

void unmounted_place(World& w) {
  w.works(w.mount("/a"), "mount /a");
  const Fd place = w.open("/a");
  w.works(w.umount("/a"), "umount");
  w.refused(w.attach_in(w.tmpfs(), place, ""), ENOENT, "attach to what is unmounted");
  const auto clone = w.kernel.open_tree(place.get(), "", abi::open_tree_clone);
  w.refused(errno_of(clone), EINVAL, "clone of what is unmounted");
}

void covered_root(World& w) {
  const std::uint64_t below = w.id("/");
  w.works(w.mount("/"), "mount over the root");
  w.expect(w.id("/") == below, "the task stays below");
  w.enter(0);
  w.expect(w.id("/") != below, "who comes anew stands on top");
  w.works(w.umount("/"), "umount");
  w.enter(0);
  w.expect(w.id("/") == below, "and now below again");
}

void dot_on_dot(World& w) {
  w.works(w.mount("/a"), "mount /a");
  const Fd root = w.open("/a");
  const std::uint64_t id = w.id("/a");
  w.need(w.kernel.fchdir(root.get()));
  w.need(w.kernel.pivot_root(".", "."));
  w.expect(w.id("/") == id, "the root is the new one");
  w.works(w.umount("."), "umount of the old one, on top of it");
  w.expect(w.id(".") == id, "the new one is left");
  w.expect(!w.is_mount("/a"), "with nothing on it");
}

void changed_root(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.need(w.kernel.chroot("/a/a"));
  w.expect(w.is_mount("/") == false, "the root is a directory");
  w.expect(w.id("/..") == w.id("/"), "that nothing leads out of");
  w.refused(errno_of(w.kernel.pivot_root("/", "/a")), EBUSY, "pivot_root from there");
  w.enter(0);
  w.expect(w.is_mount("/"), "setns leads out of it");
}

void other_namespaces(World& w) {
  const int other = w.copy_namespace();
  w.works(w.mount("/a"), "mount /a");
  const Fd place = w.open("/a");
  const Fd tree = w.tree("/a");
  w.enter(other);
  w.expect(!w.is_mount("/a"), "another namespace has it not");
  const auto clone = w.kernel.open_tree(place.get(), "", abi::open_tree_clone);
  w.refused(errno_of(clone), EINVAL, "clone of another namespace's mount");
  w.refused(w.attach(place, "/b"), EINVAL, "move of another namespace's mount");
  w.works(w.attach(tree, "/b"), "attach a tree from there");
}

void foreign_copy(World& w) {
  w.works(w.mount("/a"), "mount /a");
  w.works(w.change("/a", abi::ms_shared), "share /a");
  w.enter(w.copy_into_userns());
  w.works(w.change("/a", abi::ms_shared), "share it there");
  w.enter(w.copy_namespace());
  w.refused(w.umount("/a"), EINVAL, "umount in a copy of the copy");
  w.expect(w.group("/a") == 0, "whose mounts are slaves");
}

void pivot_to_gone(World& w) {
  w.need(w.kernel.mkdirat(Kernel::at_fdcwd, "/gone", mode));
  w.works(w.bind("/gone", "/b"), "bind");
  w.need(w.kernel.unlinkat(Kernel::at_fdcwd, "/gone", abi::at_removedir));
  w.enter(w.copy_into_userns());
  w.refused(errno_of(w.kernel.pivot_root("/b", "/b")), ENOENT, "pivot_root to what is gone");
}

/// Linux looks for a namespace's root only among the mounts that are younger than its hidden one.
void out_of_sight(World& w) {
  const Fd tree = w.tree("/a");
  w.enter(w.copy_namespace());
  w.works(w.attach(tree, "/b"), "attach what is older than the namespace");
  w.need(w.kernel.pivot_root("/b", "/b/a"));
  const Fd own = w.own_namespace();
  const std::uint64_t id = w.need(w.kernel.ioctl_ns_get_mntns_id(own.get()));
  w.enter(0);
  std::uint64_t first = 0;
  const auto listed = w.kernel.listmount(id, Kernel::lsmt_root, 0, std::span(&first, 1));
  w.refused(errno_of(listed), ENOENT, "listmount from outside");
  w.need(w.kernel.setns(own.get(), abi::clone_newns));
  w.need(w.kernel.pivot_root("/a", "/a/b"));
  w.enter(0);
  w.expect(w.kernel.listmount(id, Kernel::lsmt_root, 0, std::span(&first, 1)).has_value(),
           "it is seen again");
}

void own_file(World& w) {
  const Fd own = w.own_namespace();
  const auto clone = w.kernel.open_tree(own.get(), "", abi::open_tree_clone);
  const int bound = clone ? w.attach(*clone, "/f") : clone.error().number;
  w.expect(bound != 0, "a namespace cannot hold its own file");
}

}  // namespace

std::vector<Case> file_cases() {
  return {
      {"walks that are limited", {}, false, limited_walks},
      {"symlinks", {}, false, symlinks},
      {"up from mounts", {}, false, climbing},
      {"inodes", {}, false, inodes},
      {"what is read-only", {}, false, read_only},
      {"filesystem contexts", {}, false, contexts},
      {"a place that is gone", {}, false, gone_place},
      {"a place that is unmounted", {}, true, unmounted_place},
      {"a root with something on it", {}, false, covered_root},
      {"pivot_root of dot on dot", {}, false, dot_on_dot},
      {"chroot", {}, false, changed_root},
      {"mounts of other namespaces", {}, false, other_namespaces},
      {"a copy of another user namespace's", {}, true, foreign_copy},
      {"pivot_root to a directory that is gone", {}, true, pivot_to_gone},
      {"a namespace whose root is older than itself", {}, true, out_of_sight},
      {"a namespace's own file", {}, false, own_file},
  };
}

}  // namespace mntcr::conformance
