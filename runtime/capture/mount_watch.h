// Whether a namespace held still while it was read.
//
// The kernel counts what happens to the mounts of a namespace, and poll(2) of a mountinfo tells
// whether the count moved: mounts, umounts, moves and attributes, whoever makes them and also what
// propagates in. It closes what two equal readings leave open, a mount that went away and came back
// between them. What mount(2) does to propagation it does not count.
#pragma once

#include <cstddef>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// See the top of the file. Without permission to enter the namespace it knows nothing and calls
/// everything still.
class MountWatch {
 public:
  /// Watches the namespace of the calling thread.
  static Result<MountWatch> of_thread(Kernel& kernel, const Fd& proc);
  /// Watches `ns`; a thread enters it to open the mountinfo.
  static Result<MountWatch> of_namespace(Kernel& kernel, const Fd& proc, const Fd& ns);

  /// Whether anything that it knows of happened since it was made or last asked.
  Result<bool> moved();

 private:
  MountWatch(Kernel& kernel, Fd mountinfo) : kernel_(&kernel), mountinfo_(std::move(mountinfo)) {}

  Kernel* kernel_;
  Fd mountinfo_;  ///< empty when it knows nothing
};

/// How many equal readings, after the first, are taken for the truth. One is enough where nothing
/// stirs. Who changes propagation to and fro with mount(2) can do so between two readings, and
/// nothing in the kernel tells: once a reading differed though the watch saw nothing
/// (`distrustful`) a row of them has to be equal. Small tables get a few more at once, for they
/// cost nothing there.
int equal_readings(std::size_t mounts, bool distrustful);

}  // namespace mntcr
