// Where a mount's content comes from: "parent:/srv", "self:/tmp", "fs:scratch/sub".
#pragma once

#include <optional>

#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads a source; nothing, after a complaint, when it is none.
std::optional<SourceRef> decode_source(Context& context, const Text& text);

/// Complains, naming `key`, when the bytes of `text` from `begin` on are not a normal path.
bool check_path(Context& context, const Text& text, std::string_view key, std::size_t begin,
                syntax::PathForm form);

}  // namespace mntcr::spec
