// A user namespace that nobody lives in: what mount_setattr(2) takes an idmap from.
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace mntcr {

/// An fd (close-on-exec, the caller's to close) of a new user namespace with these maps, texts as
/// for /proc/PID/uid_map. `proc` is /proc. Nothing is left behind, whether it succeeds or not.
Result<int> make_user_namespace(int proc, const std::string& uid_map, const std::string& gid_map);

}  // namespace mntcr
