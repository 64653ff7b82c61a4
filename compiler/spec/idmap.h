// The key `idmap` of mounts, and [userns], which names a map once for several of them.
#pragma once

#include <optional>

#include "compiler/spec/keys.h"
#include "runtime/base/idmap.h"
#include "runtime/base/span.h"

namespace mntcr::spec {

/// Reads [userns] into the context, where there is one.
void decode_userns(Context& context, TableReader& top);

/// Reads `idmap` of a mount; nothing when there is none, or a faulty one.
std::optional<Spanned<IdMap>> decode_idmap(Context& context, TableReader& table);

}  // namespace mntcr::spec
