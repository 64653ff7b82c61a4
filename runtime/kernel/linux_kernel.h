// The Kernel that is Linux.
#pragma once

#include <memory>

#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Makes the calls. Keeps no state: any number of threads may share one, each acting on its own
/// namespace, root and working directory. It must outlive every Fd that it hands out.
std::unique_ptr<Kernel> make_linux_kernel();

}  // namespace mntcr
