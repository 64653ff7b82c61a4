// What older kernels cannot show: found out by probing, left out by the tests that need it, and
// told in their output. A kernel that has everything leaves nothing out.
#pragma once

#include <string>
#include <vector>

#include "runtime/capture/capture.h"
#include "runtime/kernel/features.h"

namespace mntcr::sandbox {

/// Whether the kernel has it.
bool has(Feature feature);

/// Whether capture reads by statmount here. Where it reads by mountinfo it sees nothing below a
/// covered root and says so.
bool reads_by_statmount();

/// Whether a tmpfs can be idmapped here, with numbers that are not the own user namespace's alone.
bool can_idmap();

/// The readers that work here, and leave_out() of the one that does not.
std::vector<Reader> readers();

/// Puts into the test's output what is not tested, and which features the kernel lacks.
void leave_out(const std::string& what);

}  // namespace mntcr::sandbox
