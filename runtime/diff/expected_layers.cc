#include "runtime/diff/expected_layers.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/diff/expected.h"
#include "runtime/diff/layer_sources.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/diff/names.h"
#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

/// Says of layers where a spec finds them.
class LayerFinder {
 public:
  LayerFinder(const Plan& plan, const MountTable& table) : plan_(plan), tree_(table) {}

  [[nodiscard]] std::vector<LiveLayer> layers_of(std::uint32_t overlay, std::uint32_t ns) const {
    std::vector<bool> unseen;
    for (const DesiredMount& mount : plan_.mounts)
      unseen.push_back(mount.cover || mount.superblock == overlay);
    std::vector<LiveLayer> layers;
    for (const DesiredLayer& desired : plan_.superblocks[overlay].layers) {
      const DesiredSuperblock& holder = plan_.superblocks[desired.superblock];
      LiveLayer& layer = layers.emplace_back(LiveLayer{desired.role, desired.shown});
      layer.in_live = is_at(desired, ns, unseen);
      layer.in_parent = holder.kind == DesiredSuperblock::Kind::parent &&
                        path::join(holder.path, desired.root) == desired.shown;
      if (!layer.in_live && !layer.in_parent && !holder.name.empty())
        layer.named = path::join(holder.name, desired.root);
    }
    return layers;
  }

 private:
  /// Whether the container shows the layer by its path.
  [[nodiscard]] bool is_at(const DesiredLayer& layer, std::uint32_t ns,
                           const std::vector<bool>& unseen) const {
    const MountTree::Met met = tree_.meet(ns, layer.shown, unseen);
    if (met.mount == no_index) return false;
    const DesiredMount& shown = plan_.mounts[met.mount];
    return shown.superblock == layer.superblock && path::join(shown.root, met.rest) == layer.root;
  }

  const Plan& plan_;
  const MountTree tree_;
};

/// The superblocks that layers show and no mount does.
std::set<std::uint32_t> hidden(const Plan& plan) {
  std::set<std::uint32_t> found;
  for (const DesiredSuperblock& superblock : plan.superblocks) {
    for (const DesiredLayer& layer : superblock.layers) {
      if (!plan.superblocks[layer.superblock].name.empty()) found.insert(layer.superblock);
    }
  }
  for (const DesiredMount& mount : plan.mounts) found.erase(mount.superblock);
  return found;
}

}  // namespace

void expect_layers(const Plan& plan, MountTable& table) {
  const LayerFinder finder(plan, table);
  for (std::size_t index = 0; index < plan.mounts.size(); ++index) {
    const std::uint32_t superblock = plan.mounts[index].superblock;
    if (plan.superblocks[superblock].type != overlay_type) continue;
    LiveMount& mount = table.mounts[index];
    mount.layers = finder.layers_of(superblock, mount.ns);
    for (const LiveLayer& layer : mount.layers) {
      mount.fs_options.push_back(
          fmt::format("{}={}", layer_parameter(layer.role), layer_word(layer.role, layer.path)));
    }
  }
}

Plan hidden_names(const Plan& plan) {
  Plan names;
  for (const std::uint32_t index : hidden(plan))
    names.filesystem_names.push_back(plan.superblocks[index].name);
  return names;
}

std::string hidden_filesystems(const Plan& plan) {
  std::string text;
  for (const std::uint32_t index : hidden(plan)) {
    // A plan with one mount, the filesystem's, shows it as any other is shown.
    Plan alone;
    alone.superblocks = plan.superblocks;
    alone.mounts.emplace_back().superblock = index;
    const MountTable table = expected_table(alone);
    const LiveMount& shown = table.mounts.front();
    text += fmt::format("\n[filesystem.{}]\ntype = {}\n", plan.superblocks[index].name,
                        toml_string(shown.fs_type));
    const MountTree tree(table);
    if (const auto layers = layer_sources(table, tree, {}, {0}); layers && !layers->empty()) {
      text += toml_lines(layer_keys(*layers));
    }
    const auto words = filesystem_words(shown, true);
    if (!words.empty()) text += "options = " + toml_array(words) + '\n';
    if (shown.source != shown.fs_type && !shown.source.empty())
      text += "fsname = " + toml_string(shown.source) + '\n';
  }
  return text;
}

}  // namespace mntcr
