// WHERE on the command line: a PID, a mount-namespace file, or the name of a pinned container.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"

namespace mntcr::driver {

/// Opens the namespace that `where` names. All digits are a PID; what holds a "/" is a file; else
/// it is a name.
Result<Fd> open_where(Kernel& kernel, const std::string& where);

}  // namespace mntcr::driver
