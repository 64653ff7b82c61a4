// What the process itself has to be like while mounts are made, and becoming the container's
// command.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace mntcr::driver {

/// For its lifetime the process may open as many files as its hard limit allows, because every bind
/// source is held open until its mount stands, and makes files with the modes that are asked for.
/// Both are as before afterwards, so that the command inherits nothing of it.
class BuildingProcess {
 public:
  BuildingProcess();
  BuildingProcess(const BuildingProcess&) = delete;
  BuildingProcess& operator=(const BuildingProcess&) = delete;
  ~BuildingProcess();

 private:
  unsigned long soft_limit_ = 0;
  unsigned umask_ = 0;
};

/// Replaces the process by `argv`, found through PATH. The command inherits stdin, stdout and
/// stderr and no other file. Returns only when it cannot be run.
Error become(const std::vector<std::string>& argv);

}  // namespace mntcr::driver
