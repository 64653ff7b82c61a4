// Work in another mount namespace without leaving one's own.
//
// A mount namespace belongs to a thread, not to a process, and so do root and working directory
// once they are no longer shared with the other threads: unshare(CLONE_NEWNS) ends the sharing by
// itself, setns(2) demands unshare(CLONE_FS) before. So what apply and capture do in another
// namespace they do on a thread of its own that ends with the work. The caller's namespace, root
// and working directory stay as they are, and nothing has to fork.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Runs `work` on a fresh thread and waits for its end; fails when no thread can be started.
Result<void> join_thread(const std::function<void()>& work);

/// As join_thread, and returns what `work` does: a Result of anything.
template <class Work>
auto run_in_thread(Work work) -> std::invoke_result_t<Work&> {
  std::optional<std::invoke_result_t<Work&>> result;
  if (auto joined = join_thread([&] { result.emplace(work()); }); !joined) {
    return Failure(std::move(joined.error()));
  }
  return std::move(*result);
}

/// Moves the calling thread, and none beside it, into the mount namespace `ns`: one of
/// run_in_thread, or that of a process which is about to become a command. Its root and working
/// directory are then the topmost mount on that namespace's "/".
Result<void> enter_mount_namespace(Kernel& kernel, int ns);

}  // namespace mntcr
