// Filesystems that a spec makes: [filesystem.NAME], or a [[mount]] with `type`.
#pragma once

#include "compiler/spec/keys.h"
#include "compiler/spec/options.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads `type`, `fsname` and `tree`, which both forms have; its span is that of the value of
/// `type`. An unknown type is complained about and left empty.
FilesystemDecl decode_new_filesystem(Context& context, TableReader& table);

/// Reads the table [filesystem.NAME].
FilesystemDecl decode_filesystem(Context& context, const syntax::Entry& entry);

}  // namespace mntcr::spec
