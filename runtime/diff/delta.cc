#include "runtime/diff/delta.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/diff/align.h"
#include "runtime/diff/layer_sources.h"
#include "runtime/diff/names.h"

namespace mntcr {
namespace {

using Device = std::pair<std::uint32_t, std::uint32_t>;

Device device_of(const LiveMount& mount) { return {mount.dev_major, mount.dev_minor}; }

bool is_deleted(const LiveMount& mount) { return mount.root.ends_with("//deleted"); }

/// The mounts of a tree in tree order.
std::vector<std::uint32_t> tree_order(const MountTree& tree) {
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> todo;
  if (tree.size() > 0) todo.push_back(0);
  while (!todo.empty()) {
    order.push_back(todo.back());
    todo.pop_back();
    const auto children = tree.children(order.back());
    todo.insert(todo.end(), children.rbegin(), children.rend());
  }
  return order;
}

/// Finds the path at which some mounts of a namespace show a place of a filesystem.
class Showing {
 public:
  /// Looks among the mounts of `table` for which `eligible` holds; walks pass those of `unseen`.
  Showing(const MountTable& table, const MountTree& tree, const std::vector<bool>& eligible,
          const std::vector<bool>& unseen)
      : table_(table), tree_(tree), unseen_(unseen) {
    for (std::uint32_t mount = 0; mount < table.mounts.size(); ++mount) {
      if (eligible.empty() || eligible[mount]) by_root_.emplace(key(table.mounts[mount]), mount);
    }
  }

  /// The path to what `wanted` shows, by the mount whose root is nearest to it.
  [[nodiscard]] std::optional<std::string> path_to(const LiveMount& wanted) const {
    if (is_deleted(wanted)) return std::nullopt;
    std::string_view root = wanted.root;
    while (true) {
      const auto [begin, end] = by_root_.equal_range({device_of(wanted), std::string(root)});
      for (auto found = begin; found != end; ++found) {
        std::string path = path::join(table_.mounts[found->second].mountpoint,
                                      path::relative_to(wanted.root, root));
        if (tree_.walk(path, unseen_) == found->second) return path;
      }
      if (root == "/" || root.empty()) return std::nullopt;
      root = path::parent(root);
    }
  }

 private:
  using Key = std::pair<Device, std::string>;
  static Key key(const LiveMount& mount) { return {device_of(mount), mount.root}; }

  const MountTable& table_;
  const MountTree& tree_;
  const std::vector<bool>& unseen_;
  std::multimap<Key, std::uint32_t> by_root_;
};

/// For its lifetime walks pass `mount`, and with it all that lies on it, as the walk of its own
/// `self:` does.
class Passed {
 public:
  Passed(std::vector<bool>& unseen, std::uint32_t mount)
      : unseen_(unseen), mount_(mount), before_(unseen[mount]) {
    unseen_[mount_] = true;
  }
  Passed(const Passed&) = delete;
  Passed& operator=(const Passed&) = delete;
  ~Passed() { unseen_[mount_] = before_; }

 private:
  std::vector<bool>& unseen_;
  std::uint32_t mount_;
  bool before_;
};

/// Gives every listed mount its source.
class SourceFinder {
 public:
  SourceFinder(const DiffReport& report, const MountTree& live_tree,
               const std::vector<std::uint32_t>& live_of, const std::vector<bool>& kept,
               Delta& delta)
      : report_(report),
        live_tree_(live_tree),
        parent_tree_(report.parent),
        inside_(report.live, live_tree, kept, delta.unseen),
        outside_(report.parent, parent_tree_, {}, all_seen_),
        delta_(delta) {
    for (std::uint32_t desired = 0; desired < live_of.size(); ++desired) {
      const std::string& name =
          report.plan.superblocks[report.plan.mounts[desired].superblock].name;
      if (!name.empty()) names_.take(name);
      if (live_of[desired] == no_index || !kept[live_of[desired]]) continue;
      base_.try_emplace(device_of(report.live.mounts[live_of[desired]]), desired);
    }
  }

  void find(const std::vector<std::uint32_t>& mounts) {
    std::map<Device, std::vector<std::uint32_t>> orphans;
    for (const std::uint32_t mount : mounts) {
      if (!find_shown(mount)) orphans[device_of(report_.live.mounts[mount])].push_back(mount);
    }
    for (const std::uint32_t mount : mounts) {
      const auto group = orphans.find(device_of(report_.live.mounts[mount]));
      if (group == orphans.end()) continue;
      settle(group->second);
      orphans.erase(group);
    }
  }

 private:
  /// A path of the container or of the parent that leads to what `mount` shows.
  bool find_shown(std::uint32_t mount) {
    const LiveMount& live = report_.live.mounts[mount];
    const Passed passed(delta_.unseen, mount);
    if (const auto path = inside_.path_to(live)) {
      delta_.sources[mount].source = "self:" + *path;
      return true;
    }
    if (const auto path = outside_.path_to(live)) {
      delta_.sources[mount].source = "parent:" + *path;
      return true;
    }
    return false;
  }

  /// Sources for the mounts of one device that no path leads to.
  void settle(const std::vector<std::uint32_t>& mounts) {
    const LiveMount& first = report_.live.mounts[mounts.front()];
    const auto base = base_.find(device_of(first));
    const bool made = find_filesystem(first.fs_type) != nullptr && !is_deleted(first) &&
                      (first.fs_type != overlay_type || find_layers(mounts));
    if (base != base_.end() && made) {
      name_filesystem(mounts, base->second);
    } else if (!made) {
      for (const std::uint32_t mount : mounts) {
        delta_.sources[mount] = {{}, device_source(report_.live.mounts[mount]), true};
      }
    } else if (!make_at_a_mount(mounts)) {
      name_filesystem(mounts, no_index);
    }
  }

  /// Sources for the layers of the overlay that `mounts` show; false when one cannot be told.
  bool find_layers(const std::vector<std::uint32_t>& mounts) {
    auto layers = layer_sources(report_.live, live_tree_, delta_.unseen, mounts);
    if (!layers) return false;
    for (const std::uint32_t mount : mounts) delta_.layers[mount] = *layers;
    return true;
  }

  /// One mount makes the filesystem and the others are binds of it: the maker shows all of it, and
  /// a walk to what each other shows ends in the maker and not in something mounted there.
  bool make_at_a_mount(const std::vector<std::uint32_t>& mounts) {
    const auto maker = std::ranges::find_if(mounts, [&](std::uint32_t mount) {
      return report_.live.mounts[mount].root == "/" && leads_to_all(mount, mounts);
    });
    if (maker == mounts.end()) return false;
    for (const std::uint32_t mount : mounts) {
      delta_.sources[mount] = mount == *maker
                                  ? ListedSource{report_.live.mounts[mount].fs_type, {}, false}
                                  : ListedSource{{}, "self:" + path_through(*maker, mount), false};
    }
    return true;
  }

  /// The path at which `maker`, which shows all of a filesystem, has what `mount` shows.
  [[nodiscard]] std::string path_through(std::uint32_t maker, std::uint32_t mount) const {
    const std::string below = path::relative_to(report_.live.mounts[mount].root, "/");
    return path::join(report_.live.mounts[maker].mountpoint, below);
  }

  bool leads_to_all(std::uint32_t maker, const std::vector<std::uint32_t>& mounts) {
    return std::ranges::all_of(mounts, [&](std::uint32_t mount) {
      if (mount == maker) return true;
      const Passed passed(delta_.unseen, mount);
      return live_tree_.walk(path_through(maker, mount), delta_.unseen) == maker;
    });
  }

  /// The mounts by `fs:`, of a filesystem that the base names or that the delta declares.
  void name_filesystem(const std::vector<std::uint32_t>& mounts, std::uint32_t desired) {
    const LiveMount& first = report_.live.mounts[mounts.front()];
    std::string name;
    std::string of;
    std::uint32_t layer = no_index;
    if (desired != no_index) {
      const DesiredMount& shown = report_.plan.mounts[desired];
      name = report_.plan.superblocks[shown.superblock].name;
      of = shown.target;
      layer = layers_of(report_.plan)[desired];
    }
    if (name.empty()) {
      name = names_.derive(first.mountpoint);
      delta_.filesystems.push_back({name, of, layer, mounts.front()});
    }
    for (const std::uint32_t mount : mounts) {
      const std::string below = path::relative_to(report_.live.mounts[mount].root, "/");
      delta_.sources[mount].source = "fs:" + path::join(name, below);
    }
  }

  const DiffReport& report_;
  const MountTree& live_tree_;
  const MountTree parent_tree_;
  const std::vector<bool> all_seen_;
  Showing inside_;
  Showing outside_;
  Delta& delta_;
  UniqueNames names_;
  std::map<Device, std::uint32_t>
      base_;  ///< devices of the base with a desired mount that shows each
};

}  // namespace

Delta make_delta(const DiffReport& report, const MountTree& live_tree) {
  const Plan& plan = report.plan;
  const std::vector<std::uint32_t> live_of = counterparts(plan, report.live, report.changes);
  std::vector<bool> taken(plan.mounts.size(), false);
  std::vector<bool> kept(report.live.mounts.size(), false);
  Delta delta;
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const std::uint32_t parent = plan.mounts[mount].parent;
    const bool below_removed = parent != no_index && taken[parent];
    taken[mount] = below_removed || live_of[mount] == no_index;
    if (live_of[mount] == no_index && !below_removed) delta.removals.push_back(mount);
    if (!taken[mount]) kept[live_of[mount]] = true;
  }
  std::vector<std::uint32_t> sought;
  for (const Change& change : report.changes) {
    if (change.kind != Change::Kind::changed || taken[change.desired]) continue;
    delta.changes.push_back(&change);
    const bool moved = std::ranges::any_of(change.differences, [](const Difference& difference) {
      return difference.what == "source";
    });
    if (moved) sought.push_back(change.live);
  }
  delta.unseen.assign(report.live.mounts.size(), false);
  for (const std::uint32_t mount : tree_order(live_tree)) {
    if (kept[mount]) continue;
    delta.mounts.push_back(mount);
    delta.unseen[mount] = !live_tree.covered_by(mount).empty();
  }
  // A mount whose source changed does not show its own source to itself.
  std::vector<bool> showing = kept;
  for (const std::uint32_t mount : sought) showing[mount] = false;
  sought.insert(sought.end(), delta.mounts.begin(), delta.mounts.end());
  SourceFinder(report, live_tree, live_of, showing, delta).find(sought);
  for (const Change* change : delta.changes) {
    if (report.live.mounts[change->live].fs_type != overlay_type) continue;
    auto layers = layer_sources(report.live, live_tree, delta.unseen, {change->live});
    if (layers) delta.layers.try_emplace(change->live, std::move(*layers));
  }
  return delta;
}

}  // namespace mntcr
