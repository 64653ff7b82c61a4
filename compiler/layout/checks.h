// What can be known to be wrong, or surely unwanted, before any filesystem is looked at.
#pragma once

#include <optional>
#include <vector>

#include "compiler/layout/contents.h"
#include "compiler/layout/inventory.h"
#include "compiler/layout/overlays.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::layout {

/// A spec with what was found out about it; all mounts have contents.
struct Resolved {
  const spec::Spec& spec;
  const spec::Placement& placement;
  const std::vector<std::optional<Content>>& contents;
  const Layers& layers;
  const Inventory& inventory;
};

/// create = "file" where only a directory can be.
void check_kinds(const Resolved& resolved, Diagnostics& diagnostics);

/// create = "never" on a filesystem that is empty when it is made.
void check_mountpoints(const Resolved& resolved, Diagnostics& diagnostics);

/// A [filesystem] that no mount shows.
void check_unused(const spec::Spec& spec, Diagnostics& diagnostics);

/// The same mounted twice on one target.
void check_twice(const Resolved& resolved, Diagnostics& diagnostics);

/// An idmap of a filesystem of the spec whose mounts cannot have one.
void check_idmaps(const Resolved& resolved, Diagnostics& diagnostics);

}  // namespace mntcr::layout
