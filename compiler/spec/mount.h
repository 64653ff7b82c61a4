// [[mount]] and [root].
#pragma once

#include <string>

#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// Reads a [[mount]].
MountDecl decode_mount(Context& context, const syntax::Node& node);

/// Reads [root], the mount at "/", or the root of another namespace; messages call it `title`.
MountDecl decode_root(Context& context, const syntax::Node& node, std::string title = "[root]");

}  // namespace mntcr::spec
