#include "runtime/kernel/namespace_thread.h"

#include <system_error>
#include <thread>

#include "runtime/kernel/linux_abi.h"

namespace mntcr {

Result<void> join_thread(const std::function<void()>& work) {
  try {
    std::jthread thread(work);
  } catch (const std::system_error& error) {
    return fail("starting a thread: " + error.code().message(), error.code().value());
  }
  return {};
}

Result<void> enter_mount_namespace(Kernel& kernel, int ns) {
  if (auto unshared = kernel.unshare(abi::clone_fs); !unshared) return unshared;
  return kernel.setns(ns, abi::clone_newns);
}

}  // namespace mntcr
