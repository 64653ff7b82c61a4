#include "runtime/diff/layer_sources.h"

#include <algorithm>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

/// Whether `path` is one that a spec can say and the kernel can be given again.
bool can_be_said(const LiveLayer& layer) {
  return path::is_normal_absolute(layer.path) &&
         layer_word(layer.role, layer.path).size() <= longest_layer_word;
}

}  // namespace

std::optional<std::vector<ListedLayer>> layer_sources(const MountTable& live,
                                                      const MountTree& live_tree,
                                                      const std::vector<bool>& unseen,
                                                      const std::vector<std::uint32_t>& mounts) {
  const LiveMount& overlay = live.mounts[mounts.front()];
  std::vector<bool> passed = unseen;
  passed.resize(live.mounts.size(), false);
  for (const std::uint32_t mount : mounts) passed[mount] = true;
  std::vector<ListedLayer> layers;
  for (const LiveLayer& layer : overlay.layers) {
    if (layer.role == LayerRole::data || !can_be_said(layer)) return std::nullopt;
    // Where the walk of a process ends in the overlay itself, the layer is what that covers.
    const std::uint32_t met = live_tree.walk(layer.path);
    const std::uint32_t walked = live_tree.walk(layer.path, passed);
    const LiveMount& shown = live.mounts[walked];
    const bool itself =
        shown.dev_major == overlay.dev_major && shown.dev_minor == overlay.dev_minor;
    const bool own = std::ranges::find(mounts, met) != mounts.end();
    if (layer.in_live && !itself && (met == walked || own)) {
      layers.push_back({layer.role, "self:" + layer.path});
    } else if (layer.in_parent) {
      layers.push_back({layer.role, "parent:" + layer.path});
    } else {
      return std::nullopt;
    }
  }
  if (layers.empty()) return std::nullopt;
  std::ranges::stable_sort(layers, {}, &ListedLayer::role);
  return layers;
}

}  // namespace mntcr
