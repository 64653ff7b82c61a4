// The names of mounts: each given once, and every `on` the name of one that can be lain on.
#pragma once

#include <string_view>

#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::spec {

/// What [root] is called.
inline constexpr std::string_view root_name = "root";

/// Fills MountDecl::on_mount, or complains.
void resolve_names(Spec& spec, Diagnostics& diagnostics);

}  // namespace mntcr::spec
