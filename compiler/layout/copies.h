// What sharing implies (language.md, "What sharing implies"): a mount on a member of a group has a
// copy at each peer and slave of that member inside the container.
#pragma once

#include "compiler/layout/layout.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::layout {

/// Adds the copies to a Layout whose groups are filled, and lets what the walks of other mounts
/// meet in the finished tree be their parents. Mounts with `implied` set by others before are taken
/// for declared ones.
void add_copies(const spec::Spec& spec, Layout& layout, Diagnostics& diagnostics);

}  // namespace mntcr::layout
