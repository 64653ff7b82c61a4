// The model of the kernel by itself: the world to begin with, files, and what only a model can be
// asked. That it does what Linux does is shown by tests/kernel/conformance_test.cc.
#include "runtime/kernel/model/model_kernel.h"

#include <fcntl.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>

#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

void need(const Result<void>& result) {
  if (!result) FAIL(result.error().message);
}

Fd tmpfs(Kernel& kernel) {
  const Fd context = need(kernel.fsopen("tmpfs"));
  need(kernel.fsconfig_create(context.get()));
  return need(kernel.fsmount(context.get(), 0));
}

Fd at(Kernel& kernel, const std::string& path) {
  return need(kernel.openat2(Kernel::at_fdcwd, path, {.flags = O_PATH}));
}

Fd own_namespace(Kernel& kernel) {
  return need(kernel.openat2(Kernel::at_fdcwd, "/proc/thread-self/ns/mnt", {}));
}

void propagate(Kernel& kernel, const std::string& path, std::uint64_t type) {
  need(kernel.mount_setattr(Kernel::at_fdcwd, path, 0, {.propagation = type}));
}

TEST_CASE("the model begins with a tmpfs over a hidden rootfs") {
  ModelKernel kernel;
  REQUIRE(kernel.state().namespaces().size() == 1);
  const model::Namespace& ns = *kernel.state().namespaces().begin()->second;
  CHECK(ns.mounts.size() == 2);
  CHECK(ns.root->superblock->type == "rootfs");
  const auto root = need(kernel.statx(Kernel::at_fdcwd, "/", 0));
  CHECK(root.is_mount_root);
  std::array<std::uint64_t, 4> ids{};
  CHECK(need(kernel.listmount(0, Kernel::lsmt_root, 0, ids)) == 1);
  CHECK(ids[0] == root.mount_id);
  const auto status = need(kernel.statmount(root.mount_id, 0, StatmountPart::everything));
  CHECK(status.mountpoint == "/");
  CHECK(status.propagation == abi::ms_private);
}

TEST_CASE("an attached tree stays when its file is closed, a detached one goes") {
  ModelKernel kernel;
  need(kernel.mkdirat(Kernel::at_fdcwd, "/a", 0755));
  const std::size_t before = kernel.state().mount_count();
  {
    const Fd detached = tmpfs(kernel);
    CHECK(kernel.state().mount_count() == before + 1);
  }
  CHECK(kernel.state().mount_count() == before);
  {
    const Fd mount = tmpfs(kernel);
    need(kernel.move_mount(mount.get(), "", Kernel::at_fdcwd, "/a", 0));
  }
  CHECK(kernel.state().mount_count() == before + 1);
  CHECK(need(kernel.statx(Kernel::at_fdcwd, "/a", 0)).is_mount_root);
}

TEST_CASE("a mount below a shared mount appears in the copy of the namespace") {
  ModelKernel kernel;
  need(kernel.mkdirat(Kernel::at_fdcwd, "/a", 0755));
  propagate(kernel, "/", abi::ms_shared);
  const Fd before = own_namespace(kernel);
  need(kernel.unshare(abi::clone_newns));
  const Fd after = own_namespace(kernel);
  CHECK(need(kernel.ioctl_ns_get_mntns_id(after.get())) >
        need(kernel.ioctl_ns_get_mntns_id(before.get())));
  const Fd mount = tmpfs(kernel);
  need(kernel.move_mount(mount.get(), "", Kernel::at_fdcwd, "/a", 0));
  need(kernel.setns(before.get(), abi::clone_newns));
  const auto copy = need(kernel.statx(Kernel::at_fdcwd, "/a", 0));
  CHECK(copy.is_mount_root);
  CHECK(copy.mount_id != kernel.mount_of(mount.get()));
}

TEST_CASE("a namespace goes with its last user, and its mounts with it") {
  ModelKernel kernel;
  const Fd first = own_namespace(kernel);
  need(kernel.unshare(abi::clone_newns));
  CHECK(kernel.state().namespaces().size() == 2);
  const std::size_t mounts = kernel.state().mount_count();
  need(kernel.setns(first.get(), abi::clone_newns));
  CHECK(kernel.state().namespaces().size() == 1);
  CHECK(kernel.state().mount_count() == mounts - 2);
}

TEST_CASE("pivot_root of dot on dot, as an executor does it") {
  ModelKernel kernel;
  need(kernel.mkdirat(Kernel::at_fdcwd, "/new", 0755));
  const Fd mount = tmpfs(kernel);
  need(kernel.move_mount(mount.get(), "", Kernel::at_fdcwd, "/new", 0));
  need(kernel.fchdir(mount.get()));
  need(kernel.pivot_root(".", "."));
  need(kernel.umount2(".", abi::mnt_detach));
  const auto root = need(kernel.statx(Kernel::at_fdcwd, "/", 0));
  CHECK(root.mount_id == kernel.mount_of(mount.get()));
  CHECK(kernel.state().namespaces().begin()->second->mounts.size() == 2);
}

TEST_CASE("every path exists on a boundless filesystem, until it is removed") {
  ModelKernel kernel;
  kernel.make_root_boundless();
  CHECK(kernel.openat2(Kernel::at_fdcwd, "/srv/any/thing", {.flags = O_PATH}));
  need(kernel.unlinkat(Kernel::at_fdcwd, "/srv/any/thing", 0));
  const auto gone = kernel.openat2(Kernel::at_fdcwd, "/srv/any/thing", {.flags = O_PATH});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().number == ENOENT);
}

TEST_CASE("the parent's mounts can have relatives that nobody sees") {
  ModelKernel kernel;
  kernel.make_root_boundless();
  const auto peer = need(kernel.add_mount({.path = "/peer", .peer_outside = true}));
  const auto slave = need(kernel.add_mount({.path = "/slave", .slave_of_outside = true}));
  const auto first = need(kernel.statmount(peer, 0, StatmountPart::everything));
  CHECK(first.propagation == abi::ms_shared);
  CHECK(first.mountpoint == "/peer");
  propagate(kernel, "/peer", abi::ms_slave);
  CHECK(need(kernel.statmount(peer, 0, StatmountPart::everything)).master == first.peer_group);
  CHECK(need(kernel.statmount(slave, 0, StatmountPart::everything)).propagation == abi::ms_slave);
}

TEST_CASE("a broken rule is left out") {
  ModelKernel kernel(KernelRule::move_from_shared);
  need(kernel.mkdirat(Kernel::at_fdcwd, "/a", 0755));
  need(kernel.mkdirat(Kernel::at_fdcwd, "/b", 0755));
  propagate(kernel, "/", abi::ms_shared);
  const Fd mount = tmpfs(kernel);
  need(kernel.move_mount(mount.get(), "", Kernel::at_fdcwd, "/a", 0));
  CHECK(kernel.move_mount(Kernel::at_fdcwd, "/a", Kernel::at_fdcwd, "/b", 0));
}

TEST_CASE("fifty thousand mounts in five thousand groups cost no more each than a few") {
  constexpr int mounts = 50000;
  constexpr int members = 10;
  ModelKernel kernel;
  const Fd root = at(kernel, "/");
  const Fd anchor = tmpfs(kernel);
  std::vector<Fd> group;
  const auto start = std::chrono::steady_clock::now();
  for (int index = 0; index < mounts; ++index) {
    if (index % members == 0) group.clear();
    const std::string name = std::to_string(index);
    need(kernel.mkdirat(root.get(), name, 0755));
    Fd clone = need(kernel.open_tree(anchor.get(), "", abi::open_tree_clone));
    need(kernel.move_mount(clone.get(), "", root.get(), name, 0));
    if (index % members == 0) {
      need(kernel.mount_setattr(clone.get(), "", 0, {.propagation = abi::ms_shared}));
    } else {
      need(kernel.move_mount(group.front().get(), "", clone.get(), "", abi::move_mount_set_group));
    }
    group.push_back(std::move(clone));
  }
  need(kernel.unshare(abi::clone_newns));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const auto id = need(kernel.ioctl_ns_get_mntns_id(own_namespace(kernel).get()));
  CHECK(kernel.state().find_namespace(id)->mounts.size() == mounts + 2);
  CHECK(took.count() < 60);  // a scan over all mounts in any of these calls takes far longer
}

}  // namespace
}  // namespace mntcr
