#include "runtime/diff/layer_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "runtime/base/path.h"
#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

/// Whether `path` is one that a spec can say and the kernel can be given again.
bool can_be_said(const LiveLayer& layer) {
  return path::is_normal_absolute(layer.path) &&
         layer_word(layer.role, layer.path).size() <= longest_layer_word;
}

bool same_device(const LiveMount& a, const LiveMount& b) {
  return a.dev_major == b.dev_major && a.dev_minor == b.dev_minor;
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
    if (!layer.named.empty()) {
      layers.push_back({layer.role, "fs:" + layer.named});
      continue;
    }
    if (layer.role == LayerRole::data || !can_be_said(layer)) return std::nullopt;
    // Where the walk of a process ends in the overlay itself, the layer is what that covers.
    const std::uint32_t met = live_tree.walk(overlay.ns, layer.path);
    const std::uint32_t walked = live_tree.walk(overlay.ns, layer.path, passed);
    const bool itself = walked == no_index || same_device(live.mounts[walked], overlay);
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
  // By role; the order of the lower ones means something and stays.
  std::vector<ListedLayer> ordered;
  for (const LayerRole role : {LayerRole::lower, LayerRole::upper, LayerRole::work}) {
    std::ranges::copy_if(layers, std::back_inserter(ordered),
                         [&](const ListedLayer& layer) { return layer.role == role; });
  }
  return ordered;
}

TomlKeys layer_keys(const std::vector<ListedLayer>& layers) {
  TomlKeys keys;
  std::vector<std::string> lower;
  for (const ListedLayer& layer : layers) {
    if (layer.role == LayerRole::lower) lower.push_back(layer.source);
  }
  if (!lower.empty()) keys.emplace_back("lower", toml_array(lower));
  for (const ListedLayer& layer : layers) {
    if (layer.role != LayerRole::lower)
      keys.emplace_back(layer_key(layer.role), toml_string(layer.source));
  }
  return keys;
}

void unset_layers(const DesiredSuperblock& desired, std::vector<std::string>& keys) {
  for (const LayerRole role : {LayerRole::lower, LayerRole::upper, LayerRole::work}) {
    if (std::ranges::find(desired.layers, role, &DesiredLayer::role) != desired.layers.end())
      keys.emplace_back(layer_key(role));
  }
}

std::string why_no_layers(const LiveMount& overlay) {
  for (const LiveLayer& layer : overlay.layers) {
    if (layer.role == LayerRole::data)
      return "overlay: it has data-only layers, for which specs have no word";
    if (!layer.in_live && !layer.in_parent) {
      return fmt::format("overlay: neither the parent nor the container shows its {} layer {}",
                         layer_key(layer.role), layer.path);
    }
  }
  return "overlay: its layers cannot be told apart from what covers them";
}

}  // namespace mntcr
