// The layers of a live overlay as sources of a spec.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/delta.h"
#include "runtime/diff/inodes.h"
#include "runtime/diff/mount_tree.h"

namespace mntcr {

/// Sources for all layers of the overlay that `mounts`, not empty, show: `self:` where the
/// container shows the layer at its path and a walk of the spec finds it there, else `parent:`
/// where the parent does. Nothing when a layer is at neither, or only holds data. Walks of the spec
/// pass `unseen`, and those of the layers the `mounts` themselves.
std::optional<std::vector<ListedLayer>> layer_sources(const MountTable& live,
                                                      const MountTree& live_tree,
                                                      const std::vector<bool>& unseen,
                                                      const std::vector<std::uint32_t>& mounts);

/// The keys of an overlay's layers.
TomlKeys layer_keys(const std::vector<ListedLayer>& layers);

/// Adds the keys that the layers of `desired` are written in; none where it is no overlay.
void unset_layers(const DesiredSuperblock& desired, std::vector<std::string>& keys);

/// Why there are none.
std::string why_no_layers(const LiveMount& overlay);

}  // namespace mntcr
