#include "runtime/capture/overlay_layers.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/capture/filesystem_types.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

/// A table as walks along paths see it.
class Walks {
 public:
  explicit Walks(const MountTable& table) : table_(table) {
    for (std::uint32_t mount = 1; mount < table.mounts.size(); ++mount) {
      const LiveMount& live = table.mounts[mount];
      children_.emplace(std::pair(live.parent, std::string_view(live.below_parent)), mount);
    }
  }

  /// The mount that a walk along `path` ends in.
  [[nodiscard]] std::uint32_t walk(std::string_view path) const {
    std::uint32_t here = topmost(0);
    std::string below;
    for (const std::string_view component : path::components(path)) {
      below = path::join(below, component);
      const auto child = children_.find({here, below});
      if (child == children_.end()) continue;
      here = topmost(child->second);
      below.clear();
    }
    return here;
  }

  /// Whether all mounts on the way to `path` answer; an overlay does when its layers do.
  [[nodiscard]] bool answers(std::string_view path,  // NOLINT(misc-no-recursion)
                             int overlays_left = most_overlay_depth) const {
    if (table_.mounts.empty() || !path::is_normal_absolute(path)) return false;
    for (std::uint32_t mount = walk(path); mount != UINT32_MAX;
         mount = table_.mounts[mount].parent) {
      const LiveMount& live = table_.mounts[mount];
      if (answers_by_itself(live.fs_type)) continue;
      if (live.fs_type != overlay_type || overlays_left == 0) return false;
      const auto layers = overlay_layers(live.fs_options);
      const bool all =
          std::ranges::all_of(layers, [&](const LayerPath& layer) {  // NOLINT(misc-no-recursion)
            return answers(layer.path, overlays_left - 1);
          });
      if (!all) return false;
    }
    return true;
  }

  /// Whether the walk along `path` goes through a mount of the same filesystem as `mount`.
  [[nodiscard]] bool passes(std::string_view path, const LiveMount& mount) const {
    for (std::uint32_t at = walk(path); at != UINT32_MAX; at = table_.mounts[at].parent) {
      const LiveMount& live = table_.mounts[at];
      if (live.dev_major == mount.dev_major && live.dev_minor == mount.dev_minor) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] std::uint32_t topmost(std::uint32_t mount) const {
    for (auto above = children_.find({mount, ""}); above != children_.end();
         above = children_.find({mount, ""})) {
      mount = above->second;
    }
    return mount;
  }

  const MountTable& table_;
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> children_;
};

/// Whether the calling thread's namespace has a directory there.
bool is_directory(Kernel& kernel, const std::string& path, std::uint64_t resolve) {
  return kernel
      .openat2(Kernel::at_fdcwd, path,
               {.flags = O_PATH | O_DIRECTORY, .resolve = resolve | abi::resolve_no_magiclinks})
      .has_value();
}

std::vector<LiveMount*> overlays_of(MountTable& table) {
  std::vector<LiveMount*> overlays;
  for (LiveMount& mount : table.mounts) {
    if (mount.fs_type != overlay_type) continue;
    for (LayerPath& layer : overlay_layers(mount.fs_options))
      mount.layers.push_back({layer.role, std::move(layer.path)});
    overlays.push_back(&mount);
  }
  return overlays;
}

/// The overlay's own mountpoint is a directory below it, whatever the overlay shows.
void look_at_table(const std::vector<LiveMount*>& overlays) {
  for (LiveMount* overlay : overlays) {
    for (LiveLayer& layer : overlay->layers)
      layer.in_live = layer.path == overlay->mountpoint && layer.path != "/";
  }
}

/// `self:` paths are literal: one with a symlink on it is not the container's.
void look_inside(Kernel& kernel, const Walks& walks, const std::vector<LiveMount*>& overlays) {
  for (LiveMount* overlay : overlays) {
    for (LiveLayer& layer : overlay->layers) {
      if (layer.in_live || !walks.answers(layer.path) || walks.passes(layer.path, *overlay))
        continue;
      layer.in_live = is_directory(kernel, layer.path, abi::resolve_no_symlinks);
    }
  }
}

}  // namespace

bool answers_at(const MountTable& table, const std::string& path) {
  return Walks(table).answers(path);
}

Result<void> find_layers(Kernel& kernel, const Fd& ns, const MountTable& parent, MountTable& live) {
  const std::vector<LiveMount*> overlays = overlays_of(live);
  if (overlays.empty()) return {};
  const Walks outside(parent);
  for (LiveMount* overlay : overlays) {
    for (LiveLayer& layer : overlay->layers)
      layer.in_parent = outside.answers(layer.path) && is_directory(kernel, layer.path, 0);
  }
  look_at_table(overlays);
  const Walks inside(live);
  Result<void> looked = run_in_thread([&]() -> Result<void> {
    Result<void> entered = enter_mount_namespace(kernel, ns.get());
    if (entered) look_inside(kernel, inside, overlays);
    return entered;
  });
  const bool refused = !looked && looked.error().number == EPERM;
  return refused ? Result<void>{} : looked;
}

}  // namespace mntcr
