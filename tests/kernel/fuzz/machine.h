// What a sequence of operations runs on: a Kernel, and the few things that are no system call of
// the seam or begin differently on each. So the very same interpreter drives Linux and the model.
#pragma once

#include <memory>

#include "runtime/kernel/kernel.h"

namespace mntcr::fuzz {

/// A kernel with a base namespace, of which each sequence takes a copy: below a hidden root one
/// private tmpfs with the directories of make_places.
class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  virtual Kernel& kernel() = 0;
  /// The base namespace's file, for setns by the thread that made this.
  [[nodiscard]] virtual int base() const = 0;
  /// The file of a user namespace with maps.
  [[nodiscard]] virtual int user_namespace() const = 0;
  /// The folder /proc.
  [[nodiscard]] virtual int proc() const = 0;
  /// The file of the namespace that the calling thread is in.
  virtual Result<Fd> current_namespace() = 0;
  /// A copy of `ns` as unshare makes it together with a new user namespace. The calling thread is
  /// in `ns`, and stays there.
  virtual Result<Fd> clone_in_new_user_namespace(int ns) = 0;
};

/// A proc that is mounted nowhere: a base namespace has none.
Result<Fd> new_proc(Kernel& kernel);

/// For idmapped mounts.
Result<Fd> new_user_namespace(Kernel& kernel, const Fd& proc);

/// What can be mounted on, below `dir`: directories named a and b, three levels deep, and a file c.
/// Those that are there stay.
Result<void> make_places(Kernel& kernel, int dir);

/// A new tmpfs with such places, not attached anywhere.
Result<Fd> new_filesystem(Kernel& kernel);

/// The running kernel. The calling thread moves into the base namespace, which it leaves only for
/// copies of it; it must not share root and working directory with threads that should stay.
Result<std::unique_ptr<Machine>> make_linux_machine(Kernel& kernel);

}  // namespace mntcr::fuzz
