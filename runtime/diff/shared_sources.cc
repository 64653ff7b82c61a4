#include "runtime/diff/shared_sources.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

/// Mounts that must show one filesystem, in tree order.
using Cluster = std::vector<std::uint32_t>;

/// Clusters of mounts that are members or slaves of the container's own groups; across the border
/// each mount stands for itself.
class Clusters {
 public:
  Clusters(const MountTable& live, const OutsideGroups& outside) : above_(live.mounts.size()) {
    std::iota(above_.begin(), above_.end(), 0U);
    std::map<std::uint64_t, std::uint32_t> first;
    for (std::uint32_t mount = 0; mount < live.mounts.size(); ++mount) {
      for (const std::uint64_t group : {live.mounts[mount].master, live.mounts[mount].peer_group}) {
        if (group == 0 || outside.contains(group)) continue;
        above_[top(mount)] = top(first.try_emplace(group, mount).first->second);
      }
    }
  }

  std::uint32_t top(std::uint32_t mount) {
    while (above_[mount] != mount) {
      above_[mount] = above_[above_[mount]];
      mount = above_[mount];
    }
    return mount;
  }

 private:
  std::vector<std::uint32_t> above_;
};

/// The deepest directory above both paths, or one of them where it is above the other.
std::string common_directory(const std::string& a, const std::string& b) {
  std::string_view above = a;
  while (!path::is_at_or_below(b, above)) above = path::parent(above);
  return std::string(above);
}

class Uniter {
 public:
  Uniter(const SharedSources& with, Delta& delta)
      : with_(with),
        live_(with.report.live),
        delta_(delta),
        desired_of_(live_.mounts.size(), no_index) {
    for (std::uint32_t mount = 0; mount < with.live_of.size(); ++mount) {
      if (with.live_of[mount] != no_index && !delta.taken[mount])
        desired_of_[with.live_of[mount]] = mount;
    }
  }

  void unite() {
    Clusters clusters(live_, with_.report.sources.outside);
    std::map<std::uint32_t, Cluster> by_top;
    std::vector<std::uint32_t> tops;
    for (const std::uint32_t mount : with_.live_tree.tree_order()) {
      const LiveMount& shared = live_.mounts[mount];
      if (shared.peer_group == 0 && shared.master == 0) continue;
      Cluster& cluster = by_top[clusters.top(mount)];
      if (cluster.empty()) tops.push_back(clusters.top(mount));
      cluster.push_back(mount);
    }
    for (const std::uint32_t top : tops) unite(by_top[top]);
  }

 private:
  [[nodiscard]] const DesiredSuperblock& superblock_of(std::uint32_t mount) const {
    const Plan& plan = with_.report.plan;
    return plan.superblocks[plan.mounts[desired_of_[mount]].superblock];
  }

  /// What the compiler knows the filesystem of a mount by: a path of the parent, or "" for one that
  /// the container makes.
  [[nodiscard]] std::string known_by(std::uint32_t mount) const {
    const auto listed = delta_.sources.find(mount);
    if (listed == delta_.sources.end()) {
      if (desired_of_[mount] == no_index) return {};
      const DesiredSuperblock& superblock = superblock_of(mount);
      return superblock.kind == DesiredSuperblock::Kind::made ? "" : "parent:" + superblock.path;
    }
    const ListedSource& from = listed->second;
    if (from.shown != no_index && from.shown != mount) return known_by(from.shown);
    return from.source.starts_with("parent:") ? from.source : std::string{};
  }

  /// Whether a source lies where the group across the border does: there apply sees to it that both
  /// are one filesystem.
  [[nodiscard]] bool lies_outside(std::uint32_t mount, const std::string& known) const {
    for (const std::uint64_t group : {live_.mounts[mount].master, live_.mounts[mount].peer_group}) {
      const auto outside = with_.report.sources.outside.find(group);
      if (group == 0 || outside == with_.report.sources.outside.end()) continue;
      const std::string path = known.substr(known.find(':') + 1);
      if (!path::is_at_or_below(path, outside->second.path)) return true;
    }
    return false;
  }

  [[nodiscard]] bool needs_name(const Cluster& cluster) const {
    std::set<std::string> known;
    bool outside = false;
    for (const std::uint32_t mount : cluster) {
      const std::string by = known_by(mount);
      known.insert(by);
      outside = outside || (by.starts_with("parent:") && lies_outside(mount, by));
    }
    return outside || (known.size() > 1 && std::ranges::any_of(known, [](const auto& by) {
                         return by.starts_with("parent:");
                       }));
  }

  void unite(Cluster cluster) {
    std::erase_if(cluster,
                  [&](std::uint32_t mount) { return is_deleted_root(live_.mounts[mount].root); });
    const bool told = std::ranges::all_of(cluster, [&](std::uint32_t mount) {
      return delta_.sources.contains(mount) || desired_of_[mount] != no_index;
    });
    if (cluster.empty() || !told || !needs_name(cluster)) return;
    LiveMount above = live_.mounts[cluster.front()];
    for (const std::uint32_t mount : cluster)
      above.root = common_directory(above.root, live_.mounts[mount].root);
    auto origin = origin_in_base(cluster, above.root);
    if (!origin) origin = origin_in_parent(above);
    if (!origin) return;
    const std::string name = with_.names.derive(live_.mounts[cluster.front()].mountpoint);
    delta_.filesystems.push_back({.name = name, .parent = origin->path, .live = cluster.front()});
    for (const std::uint32_t mount : cluster) take(mount, name, *origin);
  }

  /// A path of the parent that the base uses for a filesystem, and what is there has all of `root`.
  struct Origin {
    std::string path;
    std::string root;
    std::uint32_t mount = no_index;  ///< of the parent, where that is known
  };
  [[nodiscard]] std::optional<Origin> origin_in_base(const Cluster& cluster,
                                                     const std::string& root) const {
    for (const std::uint32_t mount : cluster) {
      if (desired_of_[mount] == no_index || delta_.sources.contains(mount)) continue;
      const DesiredSuperblock& superblock = superblock_of(mount);
      const std::string& below = with_.report.plan.mounts[desired_of_[mount]].root;
      const std::string& shown = live_.mounts[mount].root;
      if (superblock.kind != DesiredSuperblock::Kind::parent || !superblock.follow) continue;
      std::string top = shown.substr(0, shown.size() - std::min(below.size(), shown.size()));
      if (top.size() > 1 && top.ends_with('/')) top.pop_back();
      if (path::join(top, below) == shown && path::is_at_or_below(root, top))
        return Origin{superblock.path, top};
    }
    return std::nullopt;
  }

  /// Else a path at which the parent shows a directory above `shown`, the deepest.
  [[nodiscard]] std::optional<Origin> origin_in_parent(LiveMount shown) const {
    while (true) {
      if (const auto found = with_.outside.path_to(shown, 0))
        return Origin{found->path, shown.root, found->mount};
      if (shown.root == "/" || shown.root.empty()) return std::nullopt;
      shown.root = path::parent(shown.root);
    }
  }

  /// Gives a mount its source as a place in the filesystem `name`, which lies at `origin`.
  void take(std::uint32_t mount, const std::string& name, const Origin& origin) {
    if (!delta_.sources.contains(mount)) {
      const DesiredSuperblock& superblock = superblock_of(mount);
      const bool known = superblock.kind == DesiredSuperblock::Kind::parent &&
                         superblock.path == origin.path && superblock.follow;
      if (known) return;
      delta_.resourced.push_back(desired_of_[mount]);
    }
    ListedSource source;
    source.source =
        path::join("fs:" + name, path::relative_to(live_.mounts[mount].root, origin.root));
    source.parent = origin.mount;
    delta_.sources[mount] = source;
  }

  const SharedSources& with_;
  const MountTable& live_;
  Delta& delta_;
  std::vector<std::uint32_t> desired_of_;  ///< of live mounts that the delta keeps
};

}  // namespace

void unite_sources(const SharedSources& with, Delta& delta) { Uniter(with, delta).unite(); }

}  // namespace mntcr
