// Linux as LinuxKernel shows it: what the kernel says on failure, what is inherited, how long
// things get.
#include "runtime/kernel/linux_kernel.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "runtime/base/mount_options.h"
#include "runtime/kernel/features.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using sandbox::has;
using sandbox::leave_out;
using sandbox::linux_kernel;

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

Fd open_dir(const std::string& path) {
  return need(linux_kernel().openat2(Kernel::at_fdcwd, path, {O_RDONLY | O_DIRECTORY, 0, 0}));
}

Fd open_file(const std::string& path) {
  return need(linux_kernel().openat2(Kernel::at_fdcwd, path, {}));
}

/// Several threads make user namespaces; whether all could.
bool make_user_namespaces_at_once(const Fd& proc) {
  constexpr int thread_count = 8;
  constexpr int rounds = 100;
  std::atomic<bool> all_made = true;
  std::barrier together(thread_count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < thread_count; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        together.arrive_and_wait();
        const auto ns = linux_kernel().new_user_namespace(proc.get(), "0 0 1\n", "0 0 1\n");
        if (!ns) all_made = false;
      }
    });
  }
  threads.clear();
  return all_made;
}

/// The exit status of a child, or nothing if it does not end soon.
std::optional<int> wait_for(pid_t child) {
  constexpr std::chrono::milliseconds pause(20);
  constexpr int most_pauses = 1500;
  int status = 0;
  for (int i = 0; i < most_pauses; ++i) {
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    std::this_thread::sleep_for(pause);
  }
  return std::nullopt;
}

TEST_CASE("the kernel's own words come with a failure") {
  Kernel& kernel = linux_kernel();
  const Fd context = need(kernel.fsopen("tmpfs"));
  const auto bad_value = kernel.fsconfig_string(context.get(), "size", "much");
  REQUIRE_FALSE(bad_value);
  CHECK(bad_value.error().number == EINVAL);
  CHECK(bad_value.error().message == "fsconfig: Invalid argument");
  CHECK(bad_value.error().kernel_text == "tmpfs: Bad value for 'size'");
  const auto unknown = kernel.fsconfig_flag(context.get(), "bogus");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kernel_text == "tmpfs: Unknown parameter 'bogus'");
}

TEST_CASE("a failure names the call") {
  const auto opened = linux_kernel().openat2(Kernel::at_fdcwd, "/no/such/file", {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message == "openat2: No such file or directory");
  CHECK(opened.error().number == ENOENT);
  CHECK(opened.error().kernel_text.empty());
}

TEST_CASE("no fd is inherited") {
  Kernel& kernel = linux_kernel();
  const auto closes_on_exec = [](const Fd& fd) {
    return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
  };
  const Fd context = need(kernel.fsopen("tmpfs"));
  REQUIRE(kernel.fsconfig_create(context.get()));
  const Fd mount = need(kernel.fsmount(context.get(), 0));
  const Fd tree =
      need(kernel.open_tree(Kernel::at_fdcwd, sandbox::scratch(), abi::open_tree_clone));
  CHECK(closes_on_exec(context));
  CHECK(closes_on_exec(mount));
  CHECK(closes_on_exec(tree));
  CHECK(closes_on_exec(open_dir("/")));
}

TEST_CASE("an empty path means the fd itself") {
  Kernel& kernel = linux_kernel();
  const std::string dir = sandbox::fresh_dir();
  const Fd context = need(kernel.fsopen("tmpfs"));
  REQUIRE(kernel.fsconfig_create(context.get()));
  const Fd mount = need(kernel.fsmount(context.get(), 0));
  REQUIRE(kernel.mount_setattr(mount.get(), "", 0, {mount_attr::noexec, 0, 0}));
  const Fd place = open_dir(dir);
  REQUIRE(kernel.move_mount(mount.get(), "", place.get(), "", 0));
  const FileStatus status = need(kernel.statx(mount.get(), "", 0));
  CHECK(status.is_mount_root);
  if (!has(Feature::statmount)) return leave_out("what statmount says of the new mount");
  CHECK(status.mount_id_unique);
  const MountStatus mounted = need(kernel.statmount(status.mount_id, 0, StatmountPart::everything));
  CHECK(mounted.mountpoint == dir);
  CHECK(mounted.attrs == mount_attr::noexec);
}

TEST_CASE("directories are listed whole") {
  Kernel& kernel = linux_kernel();
  const std::string dir = sandbox::fresh_dir();
  const Fd fd = open_dir(dir);
  CHECK(need(kernel.getdents(fd.get())).empty());
  std::vector<std::string> names;
  for (int i = 0; i < 2000; ++i) {
    names.push_back("name-of-some-length-" + std::to_string(i));
    REQUIRE(kernel.mkdirat(fd.get(), names.back(), 0700));
  }
  std::vector<std::string> listed = need(kernel.getdents(open_dir(dir).get()));
  std::sort(names.begin(), names.end());
  std::sort(listed.begin(), listed.end());
  CHECK(listed == names);
  REQUIRE(kernel.unlinkat(fd.get(), names.front(), abi::at_removedir));
  CHECK(need(kernel.getdents(open_dir(dir).get())).size() == names.size() - 1);
}

TEST_CASE("long answers are read whole") {
  Kernel& kernel = linux_kernel();
  const std::string dir = sandbox::fresh_dir();
  const std::string text(100000, 'x');
  sandbox::make_file(dir + "/file", text);
  const Fd file = need(kernel.openat2(Kernel::at_fdcwd, dir + "/file", {}));
  CHECK(need(kernel.read_all(file.get())) == text);

  const std::string target(3000, 't');
  sandbox::make_symlink(target, dir + "/link");
  CHECK(need(kernel.readlinkat(Kernel::at_fdcwd, dir + "/link")) == target);

  if (!has(Feature::statmount)) return leave_out("long answers of statmount");
  // Root, mountpoint and source together exceed the first buffer given to statmount.
  std::string below;
  for (int i = 0; i < 15; ++i) below += "/" + std::string(250, 'd');
  sandbox::make_dir(dir + "/fs");
  sandbox::mount_new("tmpfs", dir + "/fs", std::string(4000, 's'));
  sandbox::make_dir(dir + "/fs" + below);
  sandbox::mount_bind(dir + "/fs" + below, dir + "/fs" + below);
  const FileStatus status = need(kernel.statx(Kernel::at_fdcwd, dir + "/fs" + below, 0));
  const MountStatus mount = need(kernel.statmount(status.mount_id, 0, StatmountPart::everything));
  CHECK(mount.root == below);
  CHECK(mount.mountpoint == dir + "/fs" + below);
  CHECK(mount.source == std::string(4000, 's'));
}

TEST_CASE("mounts are listed in pieces") {
  if (!has(Feature::listmount)) return leave_out("the list of mounts");
  Kernel& kernel = linux_kernel();
  std::vector<std::uint64_t> whole(4096);
  whole.resize(need(kernel.listmount(0, Kernel::lsmt_root, 0, whole)));
  std::vector<std::uint64_t> pieces;
  for (;;) {
    std::vector<std::uint64_t> piece(3);
    const std::uint64_t last = pieces.empty() ? 0 : pieces.back();
    piece.resize(need(kernel.listmount(0, Kernel::lsmt_root, last, piece)));
    if (piece.empty()) break;
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  CHECK(pieces == whole);
}

TEST_CASE("probing features changes nothing") {
  Kernel& kernel = linux_kernel();
  const auto mountinfo = [&] {
    return need(kernel.read_all(open_file("/proc/thread-self/mountinfo").get()));
  };
  const std::string before = mountinfo();
  const Features features = probe_features(kernel);
  CHECK(mountinfo() == before);
  CHECK(features.missing_for_apply().empty());
}

TEST_CASE("a feature is there exactly when its call works") {
  Kernel& kernel = linux_kernel();
  const FileStatus root = need(kernel.statx(Kernel::at_fdcwd, "/", 0));
  const Fd ns = open_file("/proc/thread-self/ns/mnt");
  std::vector<std::uint64_t> ids(1);
  CHECK(has(Feature::unique_mount_ids) == root.mount_id_unique);
  CHECK(has(Feature::listmount) == kernel.listmount(0, Kernel::lsmt_root, 0, ids).has_value());
  CHECK(has(Feature::statmount) ==
        kernel.statmount(root.mount_id, 0, StatmountPart::everything).has_value());
  CHECK(has(Feature::mount_namespace_ids) == kernel.ioctl_ns_get_mntns_id(ns.get()).has_value());
}

TEST_CASE("mount namespaces are listed by ascending ids, where the kernel lists them") {
  Kernel& kernel = linux_kernel();
  Fd at = open_file("/proc/thread-self/ns/mnt");
  std::uint64_t last = kernel.ioctl_ns_get_mntns_id(at.get()).value_or(0);
  const sandbox::Process in_another([] {});
  for (int steps = 0; steps < 5; ++steps) {
    Result<Fd> next = kernel.ioctl_ns_mnt_get_next(at.get());
    if (!next) {
      CHECK_FALSE((next.error().number == EBADF || next.error().number == EFAULT));
      return;
    }
    const std::uint64_t id = need(kernel.ioctl_ns_get_mntns_id(next->get()));
    CHECK(id > last);
    last = id;
    at = std::move(*next);
  }
}

TEST_CASE("CPUs can be chosen and given back") {
  Kernel& kernel = linux_kernel();
  const auto result = run_in_thread([&]() -> Result<std::vector<int>> {
    const auto all = kernel.sched_getaffinity();
    if (!all) return all;
    const std::vector<int> one{all->front()};
    if (auto set = kernel.sched_setaffinity(one); !set) return Failure(set.error());
    const auto chosen = kernel.sched_getaffinity();
    if (!chosen || *chosen != one) return fail("not the CPU that was chosen");
    if (auto set = kernel.sched_setaffinity(*all); !set) return Failure(set.error());
    if (kernel.sched_getaffinity().value() != *all) return fail("not the CPUs of before");
    return all;
  });
  const std::vector<int> cpus = need(result);
  CHECK(cpus.size() <= static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_CONF)));
  CHECK_FALSE(kernel.sched_setaffinity(std::vector<int>{-1}));
}

TEST_CASE("a thread in another namespace leaves the caller where it was") {
  Kernel& kernel = linux_kernel();
  const sandbox::Process process([] { sandbox::mount_tmpfs("/mnt", "mode=711"); });
  const auto own = [&] {
    const Fd ns = open_file("/proc/thread-self/ns/mnt");
    return need(kernel.statx(ns.get(), "", 0)).inode;
  };
  const std::uint64_t before = own();
  const std::string path = "/proc/" + std::to_string(process.pid()) + "/ns/mnt";
  const Fd ns = need(kernel.openat2(Kernel::at_fdcwd, path, {}));
  const auto seen = run_in_thread([&]() -> Result<FileStatus> {
    if (auto entered = enter_mount_namespace(kernel, ns.get()); !entered) {
      return Failure(entered.error());
    }
    return kernel.statx(Kernel::at_fdcwd, "/mnt", 0);
  });
  CHECK((need(seen).mode & 07777U) == 0711);
  CHECK(own() == before);
  CHECK((need(kernel.statx(Kernel::at_fdcwd, "/mnt", 0)).mode & 07777U) != 0711);
}

TEST_CASE("threads that make user namespaces at once do not wait for each other") {
  const Fd proc = open_dir("/proc");
  if (!linux_kernel().new_user_namespace(proc.get(), "0 0 1\n", "0 0 1\n"))
    return leave_out("user namespaces");
  // In a process group of their own: if they wait for each other, they are ended together.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setpgid(0, 0);
    ::_exit(make_user_namespaces_at_once(proc) ? 0 : 1);
  }
  ::setpgid(child, child);
  const std::optional<int> status = wait_for(child);
  if (!status) {
    ::kill(-child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  REQUIRE(status.has_value());
  CHECK(*status == 0);
}

}  // namespace
}  // namespace mntcr
