// The key `propagation` of mounts ("slave:spool shared:logs"), and `propagate`.
#pragma once

#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads `propagation` of a [[mount]] or [root]. After a complaint the mount has none.
void decode_propagation(Context& context, TableReader& table, MountDecl& mount);

/// What to write in place of a word of mount(8) or the OCI runtime specification: "rslave" is
/// `propagation = "slave:parent"`.
std::string_view propagation_for(std::string_view word);

}  // namespace mntcr::spec
