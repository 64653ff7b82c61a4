// Names of containers: they name specs, pins and folders.
#pragma once

#include <string_view>

namespace mntcr {

/// Whether `name` is a name for a container: [a-z0-9][a-z0-9_-]*, at most 64 bytes. Such a name is
/// one component of a path and is neither an option nor a PID's path.
bool is_container_name(std::string_view name);

}  // namespace mntcr
