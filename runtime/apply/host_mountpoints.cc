#include "runtime/apply/host_mountpoints.h"

#include <fcntl.h>

namespace mntcr {

HostMountpoints::~HostMountpoints() {
  for (; !made_.empty(); made_.pop_back()) {
    const Made& last = made_.back();
    // Best effort: what somebody has put something into since is no longer ours to remove.
    static_cast<void>(
        kernel_->unlinkat(last.directory.get(), last.name, last.is_directory ? AT_REMOVEDIR : 0));
  }
}

}  // namespace mntcr
