// Mountpoints made on the parent's filesystems: the one thing that an apply makes outside of its
// new namespace, and so the one thing that has to be taken back when it fails.
#pragma once

#include <string>
#include <vector>

#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Remembers what was made and removes it, last first, unless it is kept. To be destroyed outside
/// of the new namespace: inside it the mountpoints are still mounted on, and busy.
class HostMountpoints {
 public:
  explicit HostMountpoints(Kernel& kernel) : kernel_(&kernel) {}
  HostMountpoints(HostMountpoints&&) = default;
  HostMountpoints& operator=(HostMountpoints&&) = delete;
  HostMountpoints(const HostMountpoints&) = delete;
  HostMountpoints& operator=(const HostMountpoints&) = delete;
  ~HostMountpoints();

  /// `name` in `directory` was made.
  void made(Fd directory, std::string name, bool is_directory) {
    made_.push_back({std::move(directory), std::move(name), is_directory});
  }

  /// They stay.
  void keep() { made_.clear(); }

 private:
  struct Made {
    Fd directory;
    std::string name;
    bool is_directory;
  };

  Kernel* kernel_;
  std::vector<Made> made_;
};

}  // namespace mntcr
