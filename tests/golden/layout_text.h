// A Layout as text, for the eyes of a reviewer of golden cases.
#pragma once

#include <string>

#include "compiler/layout/layout.h"

namespace mntcr::golden {

/// One line a filesystem, then one line a mount.
std::string layout_text(const Layout& layout);

}  // namespace mntcr::golden
