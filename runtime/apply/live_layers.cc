#include "runtime/apply/live_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/apply/new_namespace.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/overlay_layers.h"

namespace mntcr {
namespace {

bool is_written(LayerRole role) { return role == LayerRole::upper || role == LayerRole::work; }

bool is_parents(const Plan& plan, const DesiredLayer& layer) {
  return is_written(layer.role) &&
         plan.superblocks[layer.superblock].kind == DesiredSuperblock::Kind::parent;
}

/// Directories that live overlays of a namespace write to: by what their printed path leads to, or
/// by that path itself where it cannot be followed, or only by asking a filesystem that may not
/// answer.
class LiveLayers {
 public:
  LiveLayers(const MountTable& table, SourceResolver& resolver) {
    for (const LiveMount& mount : table.mounts) {
      if (mount.fs_type != overlay_type) continue;
      for (LayerPath& layer : overlay_layers(mount.fs_options)) {
        if (!is_written(layer.role)) continue;
        const auto place = answers_at(table, layer.path)
                               ? resolver.resolve(layer.path, true)
                               : Result<SourceIdentity>(fail("not looked for"));
        if (place) {
          places_.emplace_back(*place, mount.mountpoint);
        } else {
          paths_.emplace(std::move(layer.path), mount.mountpoint);
        }
      }
    }
  }

  /// The mountpoint of the overlay that writes to `path`.
  [[nodiscard]] const std::string* find(const std::string& path,
                                        const Result<SourceIdentity>& place) const {
    if (const auto named = paths_.find(path); named != paths_.end()) return &named->second;
    if (!place) return nullptr;
    const auto same = std::ranges::find_if(
        places_, [&](const auto& candidate) { return candidate.first == *place; });
    return same == places_.end() ? nullptr : &same->second;
  }

 private:
  std::map<std::string, std::string> paths_;
  std::vector<std::pair<SourceIdentity, std::string>> places_;
};

/// Whether a walk of the parent leads to another place than the plan takes, which goes down from
/// what the superblock's path leads to.
bool is_elsewhere(const SourceIdentity& place, const Result<SourceIdentity>& holder,
                  const DesiredLayer& layer) {
  if (!holder) return false;
  SourceIdentity planned = *holder;
  planned.root = path::join(planned.root, layer.root);
  return planned != place;
}

}  // namespace

bool writes_to_layers(const Plan& plan) {
  return std::ranges::any_of(plan.superblocks, [&](const DesiredSuperblock& superblock) {
    return std::ranges::any_of(superblock.layers,
                               [&](const DesiredLayer& layer) { return is_parents(plan, layer); });
  });
}

Result<void> refuse_live_layers(Kernel& kernel, const Plan& plan, const Fd& proc,
                                Diagnostics& diagnostics) {
  const Result<Fd> own = open_own_namespace(kernel, proc);
  if (!own) return Failure(own.error());
  const Result<MountTable> parent = capture(kernel, proc, *own);
  if (!parent) return Failure(parent.error());
  SourceResolver resolver(kernel, proc, *parent);
  const LiveLayers live(*parent, resolver);
  for (const DesiredSuperblock& superblock : plan.superblocks) {
    for (const DesiredLayer& layer : superblock.layers) {
      if (!is_parents(plan, layer)) continue;
      const DesiredSuperblock& holder = plan.superblocks[layer.superblock];
      const std::string path = path::join(holder.path, layer.root);
      const Result<SourceIdentity> place = resolver.resolve(path, true);
      if (place && is_elsewhere(*place, resolver.resolve(holder.path, holder.follow), layer)) {
        diagnostics
            .add(Code::E0615, layer.span,
                 fmt::format("the {} layer {} is not the directory below {} that it seems",
                             layer_key(layer.role), path::printable(path),
                             path::printable(holder.path)))
            .note("something is mounted on the way, or a symlink leads elsewhere")
            .help("take `upper` and `work` from one mount of the parent, by their own paths");
        continue;
      }
      const std::string* user = live.find(path, place);
      if (user == nullptr) continue;
      diagnostics
          .add(Code::E0613, layer.span,
               fmt::format("{} is in use by the overlay on {} of the parent", path::printable(path),
                           path::printable(*user)))
          .note("two overlays that write to one directory corrupt each other")
          .help(fmt::format("show that overlay: source = \"parent:{}\", or take other directories",
                            path::printable(*user)));
    }
  }
  return {};
}

}  // namespace mntcr
