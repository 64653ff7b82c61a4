// What the layers of overlays are: which filesystem, which part of it, and the path that the kernel
// shall print for each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/layout/contents.h"
#include "compiler/spec/placement.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"
#include "runtime/base/overlay.h"

namespace mntcr::layout {

/// A layer of an overlay.
struct Layer {
  LayerRole role{};
  Content content;
  std::string shown;  ///< absolute
  Span span;
};

/// The layers of every overlay of a spec, in the order of LayerDecl.
using Layers = std::map<Identity, std::vector<Layer>>;

/// Resolves and checks the layers: no overlay comes to be its own layer, `upper` and `work` lie
/// beside each other on one filesystem, no two overlays write to one place, none lies too deep. All
/// mounts must have contents. After an error what is returned is not whole.
///
/// A `self:` layer is walked without the mounts that show the overlay by its name or type. Two
/// `parent:` paths are taken for two filesystems everywhere else; `upper` and `work` are read as
/// two places of the one that their common directory is on, which apply makes sure of.
Layers resolve_layers(const spec::Spec& spec, const spec::Placement& placement,
                      const std::vector<std::optional<Content>>& contents,
                      Diagnostics& diagnostics);

}  // namespace mntcr::layout
