// [[mount]] and [root].
#pragma once

#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads a [[mount]].
MountDecl decode_mount(Context& context, const syntax::Node& node);

/// Reads [root], the mount at "/".
MountDecl decode_root(Context& context, const syntax::Node& node);

}  // namespace mntcr::spec
