// The mount namespaces of a container while they are made, and which of them the thread is in.
//
// The first is a copy of the parent's with the staging tmpfs over its root; the others are copies
// of that one. In each the thread's root is kept below the staging tmpfs, on the mount that covers
// the parent's copied mounts: it is what pivot_root(2) moves away.
#pragma once

#include <string>
#include <vector>

#include "runtime/apply/failure.h"
#include "runtime/apply/setting.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file. Runs on the executor's thread.
class Namespaces {
 public:
  Namespaces(Kernel& kernel, const Plan& plan, const ExecutorSetting& setting);

  Step unshare(const Op& op);
  Step make_private(const Op& op);
  Step stage(const Op& op);
  Step make(const Op& op);
  Step enter(const Op& op);

  /// What stands as `name` on the staging tmpfs of the namespace that the thread is in.
  Result<Fd> staged(const std::string& name);

  /// The staging tmpfs of the namespace that the thread is in.
  [[nodiscard]] const Fd& staging() const { return all_[current_].staging; }
  /// Where sources are looked up: the parent's root in the first copy.
  [[nodiscard]] const Fd& parent_root() const { return parent_root_; }
  /// The root in the parent namespace itself; empty where the plan has no group of the parent's.
  [[nodiscard]] const Fd& original_root() const { return original_root_; }
  [[nodiscard]] std::size_t current() const { return current_; }

  /// Lets go of all but the namespaces and returns these, in the order of Plan::namespaces.
  std::vector<Fd> take();

 private:
  struct One {
    Fd file;
    Fd root;  ///< below the staging tmpfs
    Fd staging;
  };

  Result<void> unshare_first();
  Result<void> unshare_next();
  Result<void> go_to(One& one);
  Result<Fd> open_root();

  Kernel& kernel_;
  const Plan& plan_;
  const ExecutorSetting& setting_;
  std::vector<One> all_;
  std::size_t current_ = 0;
  Fd original_root_;
  Fd parent_root_;
};

}  // namespace mntcr
