// The tables that are about the sharing of the whole: [group.NAME] and [policy].
#pragma once

#include "compiler/spec/files.h"
#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// What a `propagation` calls the group that the mount's source has in the parent namespace.
inline constexpr std::string_view parent_group = "parent";

/// Reads [policy] of each file: `escape` of a later file counts, `copies` holds for the mounts of
/// its own and is noted in the context. Before the mounts are read.
void decode_policies(Context& context, const SpecFiles& files, TableReader& top, Spec& spec);

/// Reads the tables [group.NAME].
void decode_groups(Context& context, TableReader& top, Spec& spec);

/// Adds the groups that a `propagation` names and no table declares.
void add_undeclared_groups(Spec& spec);

}  // namespace mntcr::spec
