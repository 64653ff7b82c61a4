// The two kernels that a case is run on. On Linux it has a thread with a mount namespace of its
// own.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "runtime/kernel/model/model_kernel.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/conformance/world.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::conformance {
namespace {

/// The child makes the namespace and waits until it has been opened.
Result<Fd> clone_on_linux(World& world, int /*ns*/) {
  std::array<int, 2> ready{};
  std::array<int, 2> opened{};
  if (::pipe2(ready.data(), O_CLOEXEC) != 0 || ::pipe2(opened.data(), O_CLOEXEC) != 0) {
    return fail("pipe2", errno);
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    char said = ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 'y' : 'n';
    ::close(opened[1]);
    if (::write(ready[1], &said, 1) == 1) static_cast<void>(::read(opened[0], &said, 1) == 1);
    ::_exit(0);
  }
  ::close(ready[1]);
  ::close(opened[0]);
  char said = 'n';
  static_cast<void>(::read(ready[0], &said, 1) == 1);
  Result<Fd> ns = fail("unshare(CLONE_NEWUSER)", EPERM);
  if (said == 'y') {
    ns = world.kernel.openat2(world.proc().get(), fmt::format("{}/ns/mnt", pid), {});
  }
  ::close(opened[1]);
  ::close(ready[0]);
  ::waitpid(pid, nullptr, 0);
  return ns;
}

/// A tmpfs as the root of a namespace of the thread's own.
void stand_on_new_root(World& world) {
  Kernel& kernel = world.kernel;
  world.need(kernel.unshare(abi::clone_newns | abi::clone_fs));
  world.need(kernel.mount_setattr(Kernel::at_fdcwd, "/", static_cast<unsigned>(abi::at_recursive),
                                  {.propagation = abi::ms_private}));
  const Fd context = world.need(kernel.fsopen("tmpfs"));
  world.need(kernel.fsconfig_create(context.get()));
  const Fd root = world.need(kernel.fsmount(context.get(), 0));
  world.need(kernel.move_mount(root.get(), "", Kernel::at_fdcwd, sandbox::scratch(), 0));
  world.need(kernel.fchdir(root.get()));
  world.need(kernel.pivot_root(".", "."));
  world.need(kernel.umount2(".", abi::mnt_detach));
}

Verdict judge(World& world, const Case& tried, bool reads) {
  try {
    world.begin();
    tried.run(world);
    if (reads) return {world.complaints(), world.picture()};
  } catch (const Unexpected& error) {
    world.complain(error.what());
  }
  return {world.complaints(), {}};
}

}  // namespace

Verdict run_on_model(const Case& tried, std::optional<KernelRule> broken) {
  ModelKernel kernel(broken);
  World world(kernel,
              [&](World&, int ns) { return kernel.clone_namespace_in_new_user_namespace(ns); });
  return judge(world, tried, true);
}

Verdict run_on_linux(const Case& tried, bool reads) {
  Verdict verdict;
  const auto run = join_thread([&] {
    try {
      World world(sandbox::linux_kernel(), clone_on_linux);
      stand_on_new_root(world);
      verdict = judge(world, tried, reads);
    } catch (const Unexpected& error) {
      verdict.complaints.emplace_back(error.what());
    }
  });
  if (!run) verdict.complaints.push_back(run.error().message);
  return verdict;
}

}  // namespace mntcr::conformance
