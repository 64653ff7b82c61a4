// The running kernel as a machine for the fuzzer. Its base namespace is made once and never
// changed, so that a sequence costs one unshare of two mounts.
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/fuzz/machine.h"

namespace mntcr::fuzz {
namespace {

/// What parent and child have in common.
struct Birth {
  int proc = -1;
  int file = -1;
  int error = 0;
};

/// The child: it is in the new namespaces and leaves a file of one of them behind. It has the
/// parent's memory and files, and the parent waits, so it makes system calls only.
int leave_namespace_file(void* argument) {
  auto* birth = static_cast<Birth*>(argument);
  birth->file = ::openat(birth->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
  birth->error = birth->file < 0 ? errno : 0;
  return 0;
}

class LinuxMachine final : public Machine {
 public:
  explicit LinuxMachine(Kernel& kernel) : kernel_(kernel) {}

  Result<void> set_up() {
    auto proc = new_proc(kernel_);
    if (!proc) return Failure(proc.error());
    proc_ = std::move(*proc);
    if (auto unshared = kernel_.unshare(abi::clone_newns); !unshared) return unshared;
    if (auto entered = make_root(); !entered) return entered;
    auto user_namespace = new_user_namespace(kernel_, proc_);
    if (!user_namespace) return Failure(user_namespace.error());
    user_namespace_ = std::move(*user_namespace);
    auto base = current_namespace();
    if (!base) return Failure(base.error());
    base_ = std::move(*base);
    return {};
  }

  Kernel& kernel() override { return kernel_; }
  [[nodiscard]] int base() const override { return base_.get(); }
  [[nodiscard]] int user_namespace() const override { return user_namespace_.get(); }
  [[nodiscard]] int proc() const override { return proc_.get(); }

  Result<Fd> current_namespace() override {
    return kernel_.openat2(proc_.get(), "thread-self/ns/mnt", OpenHow{});
  }

  /// vfork and not fork: the copy of a test's memory would cost more than all the rest.
  Result<Fd> clone_in_new_user_namespace(int /*ns*/) override {
    constexpr std::size_t stack_size = 65536;
    alignas(16) std::array<std::byte, stack_size> stack;
    Birth birth{proc_.get()};
    const pid_t child = ::clone(
        leave_namespace_file, stack.data() + stack.size(),
        CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, &birth);
    if (child < 0) return fail("clone", errno);
    // Its root and working directory hold mounts of the new namespace until it is gone.
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (birth.file < 0) return fail("opening the child's namespace", birth.error);
    return Fd(kernel_, birth.file);
  }

 private:
  /// A new filesystem takes the place of all that was there: by pivot_root with one directory for
  /// both, which puts the old root over the new one.
  Result<void> make_root() {
    const auto root = new_filesystem(kernel_);
    if (!root) return Failure(root.error());
    if (auto moved = kernel_.move_mount(root->get(), "", Kernel::at_fdcwd, "/", 0); !moved)
      return moved;
    if (auto inside = kernel_.fchdir(root->get()); !inside) return inside;
    if (auto turned = kernel_.pivot_root(".", "."); !turned) return turned;
    return kernel_.umount2(".", abi::mnt_detach);
  }

  Kernel& kernel_;
  Fd proc_;
  Fd user_namespace_;
  Fd base_;
};

}  // namespace

Result<std::unique_ptr<Machine>> make_linux_machine(Kernel& kernel) {
  auto machine = std::make_unique<LinuxMachine>(kernel);
  if (auto ready = machine->set_up(); !ready) return Failure(ready.error());
  return machine;
}

}  // namespace mntcr::fuzz
