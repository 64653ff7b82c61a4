// The layers of an overlay: the keys `lower`, `upper` and `work`.
#pragma once

#include <string_view>

#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads the layers into `filesystem`, whose type is known, or empty after a complaint. Refuses the
/// keys where it is no overlay.
void decode_layers(Context& context, TableReader& table, FilesystemDecl& filesystem);

/// Complains about each of the keys that is there, because of `reason`.
void refuse_layers(TableReader& table, std::string_view reason);

}  // namespace mntcr::spec
