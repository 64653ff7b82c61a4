// How mounts of a plan share, in the words of the language.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan/plan.h"

namespace mntcr {

/// What a group is called: its name, or "#2" for one that a mount alone asks for.
std::string group_words(const Plan& plan, std::uint32_t group);

/// For each group whether it is there for one mount alone, which is then just `shared`.
std::vector<bool> lone_groups(const Plan& plan);

/// "shared:logs", "slave:spool shared", "slave:spool unbindable"; empty for a private mount. `lone`
/// is what lone_groups() says of the plan.
std::string propagation_words(const Plan& plan, const DesiredMount& mount,
                              const std::vector<bool>& lone);

/// A mount among those of all namespaces: "worker:/tmp", or "/tmp" where there is one namespace.
std::string mount_words(const Plan& plan, const DesiredMount& mount);

/// What stands above the tree of a namespace: "worker, a clone of main".
std::string namespace_words(const Plan& plan, std::uint32_t number);

/// The peer groups with their members and slaves, a paragraph that begins with an empty line; empty
/// where no mount shares.
std::string sharing_text(const Plan& plan);

}  // namespace mntcr
