// Namespaces that Linux shows to nobody outside: their root is a mount older than they are, as
// after a pivot_root(2) to a tree that was cloned before. They are read from inside.
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>

#include "runtime/apply/new_namespace.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// A namespace whose root is a clone of the tmpfs at `root`, which has a directory `old`.
Result<Fd> pivoted_to_older(const std::string& root) {
  return run_in_thread([&]() -> Result<Fd> {
    Kernel& kernel = linux_kernel();
    const auto tree = kernel.open_tree(Kernel::at_fdcwd, root, abi::open_tree_clone);
    if (!tree) return Failure(tree.error());
    const auto proc = open_proc(kernel);
    if (!proc) return Failure(proc.error());
    Result<Fd> ns = enter_new_namespace(kernel, *proc, 0);
    if (!ns) return ns;
    const auto attached = kernel.move_mount(tree->get(), "", Kernel::at_fdcwd, root, 0);
    if (!attached) return Failure(attached.error());
    if (const auto done = kernel.pivot_root(root, root + "/old"); !done)
      return Failure(done.error());
    if (::umount2("/old", MNT_DETACH) < 0) return fail("umount /old", errno);
    return ns;
  });
}

/// Whether the kernel shows it from here.
bool is_listed(const Fd& ns) {
  const auto id = linux_kernel().ioctl_ns_get_mntns_id(ns.get());
  REQUIRE(id);
  std::array<std::uint64_t, 1> first{};
  return linux_kernel().listmount(*id, Kernel::lsmt_root, 0, first).has_value();
}

}  // namespace

TEST_CASE("a namespace whose root is older than itself is captured and comes back") {
  if (!reads_by_statmount()) return leave_out("listmount(2)");
  const std::string root = fresh_dir();
  mount_tmpfs(root);
  make_dir(root + "/old");
  make_dir(root + "/data");
  const auto made = pivoted_to_older(root);
  REQUIRE(made);
  inside(*made, [] { mount_tmpfs("/data"); });
  REQUIRE_FALSE(is_listed(*made));
  const MountTable table = read_namespace(*made);
  REQUIRE(table.mounts.size() == 2);
  CHECK(table.unique_ids);
  CHECK(mount_at(table, "/").fs_type == "tmpfs");
  CHECK(mount_at(table, "/data").fs_type == "tmpfs");

  const std::string text = captured("web", *made);
  const Built again = applied(text);
  CHECK(captured("web", again.ns()) == text);
  CHECK(differences(*made, text).empty());

  SECTION("with something over that root nobody can see below it, and that is said") {
    inside(*made, [] { mount_tmpfs("/"); });
    const auto proc = open_proc(linux_kernel());
    REQUIRE(proc);
    const auto covered = capture(linux_kernel(), *proc, *made);
    REQUIRE_FALSE(covered);
    CHECK(covered.error().message.find("something is mounted over it") != std::string::npos);
  }
  unmount(root);
}

}  // namespace mntcr
