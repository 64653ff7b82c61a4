#include "runtime/capture/mount_watch.h"

#include <cerrno>

#include "runtime/kernel/namespace_thread.h"

namespace mntcr {

Result<MountWatch> MountWatch::of_thread(Kernel& kernel, const Fd& proc) {
  auto mountinfo = kernel.openat2(proc.get(), "thread-self/mountinfo", OpenHow{});
  if (!mountinfo) return Failure(mountinfo.error());
  return MountWatch(kernel, std::move(*mountinfo));
}

Result<MountWatch> MountWatch::of_namespace(Kernel& kernel, const Fd& proc, const Fd& ns) {
  return run_in_thread([&]() -> Result<MountWatch> {
    const auto entered = enter_mount_namespace(kernel, ns.get());
    if (!entered && entered.error().number == EPERM) return MountWatch(kernel, Fd());
    if (!entered) return Failure(entered.error());
    return of_thread(kernel, proc);
  });
}

Result<bool> MountWatch::moved() {
  if (!mountinfo_) return false;
  return kernel_->poll_priority(mountinfo_.get());
}

int equal_readings(std::size_t mounts, bool distrustful) {
  constexpr std::size_t small = 1000;
  if (distrustful) return 6;
  return mounts < small ? 3 : 1;
}

}  // namespace mntcr
