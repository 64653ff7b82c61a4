#include "runtime/diff/delta.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/diff/align.h"
#include "runtime/diff/copies.h"
#include "runtime/diff/inodes.h"
#include "runtime/diff/layer_sources.h"
#include "runtime/diff/links.h"
#include "runtime/diff/names.h"
#include "runtime/diff/shared_sources.h"
#include "runtime/diff/showing.h"

namespace mntcr {
namespace {

using Device = DeviceNumber;

Device device_of(const LiveMount& mount) { return {mount.dev_major, mount.dev_minor}; }

/// What the base calls the removed inodes that its mounts show; by live mount.
std::map<std::uint32_t, std::string> labels_of_base(const Plan& plan,
                                                    const std::vector<std::uint32_t>& live_of,
                                                    const std::vector<bool>& taken) {
  std::map<std::uint32_t, std::string> labels;
  for (std::uint32_t mount = 0; mount < live_of.size(); ++mount) {
    const DesiredMount& desired = plan.mounts[mount];
    if (desired.deleted && !taken[mount])
      labels.emplace(live_of[mount], deleted_label(desired.root));
  }
  return labels;
}

/// Gives every listed mount its source.
class SourceFinder {
 public:
  SourceFinder(const DiffReport& report, const MountTree& live_tree,
               const std::vector<std::uint32_t>& live_of, const std::vector<bool>& showing,
               Delta& delta)
      : report_(report),
        live_tree_(live_tree),
        parent_tree_(report.parent),
        inside_(report.live, live_tree, showing, delta.unseen),
        outside_(report.parent, parent_tree_, {}, all_seen_),
        delta_(delta),
        labels_(label_deleted(report.live, labels_of_base(report.plan, live_of, delta.taken))),
        live_of_(live_of) {
    for (const std::string& name : report.plan.filesystem_names) names_.take(name);
    for (std::uint32_t desired = 0; desired < live_of.size(); ++desired) {
      if (live_of[desired] == no_index || !showing[live_of[desired]]) continue;
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

  /// Has mounts of one group show one filesystem also where they come from the parent by different
  /// paths.
  void unite() { unite_sources({report_, live_tree_, live_of_, outside_, names_}, delta_); }

  /// Names the filesystems of the base on which mounts need more than the base makes.
  void name_trees() {
    std::map<DeviceNumber, std::uint32_t> superblocks;
    for (const auto& [device, desired] : base_) {
      const std::uint32_t superblock = report_.plan.mounts[desired].superblock;
      if (report_.plan.superblocks[superblock].kind == DesiredSuperblock::Kind::made)
        superblocks.emplace(device, superblock);
    }
    delta_.trees = trees_beyond(report_.live, report_.plan, superblocks, delta_.taken);
    for (const auto& [device, superblock] : superblocks) {
      const bool known = std::ranges::any_of(delta_.filesystems, [&](const auto& filesystem) {
        return device_of(report_.live.mounts[filesystem.live]) == device;
      });
      const std::uint32_t desired = base_.at(device);
      if (delta_.trees.contains(device) && !known) add_of_base(desired, live_of_[desired]);
    }
  }

 private:
  /// A path of the container or of the parent that leads to what `mount` shows.
  bool find_shown(std::uint32_t mount) {
    const LiveMount& live = report_.live.mounts[mount];
    if (!report_.known_sources.empty() && !report_.known_sources[mount].empty()) {
      delta_.sources[mount].source = report_.known_sources[mount];
      return true;
    }
    ListedSource& source = delta_.sources[mount];
    if (const auto found = inside_.path_to(live, live.ns, mount)) {
      source.source = "self:" + found->path;
      source.shown = found->mount;
      return true;
    }
    if (const auto found = outside_.path_to(live, 0)) {
      source.source = "parent:" + found->path;
      source.parent = found->mount;
      return true;
    }
    return false;
  }

  /// Sources for the mounts of one device that no path leads to.
  void settle(std::vector<std::uint32_t> mounts) {
    std::erase_if(mounts, [&](std::uint32_t mount) {
      std::string why = why_untraced(report_.live.mounts[mount], report_.parent);
      if (why.empty()) return false;
      delta_.sources[mount] = {{}, device_source(report_.live.mounts[mount]), true, {}, why};
      return true;
    });
    if (mounts.empty()) return;
    const auto base = base_.find(device_of(report_.live.mounts[mounts.front()]));
    const bool deleted = std::ranges::any_of(mounts, [&](std::uint32_t mount) {
      return is_deleted_root(report_.live.mounts[mount].root);
    });
    if (base != base_.end()) {
      name_filesystem(mounts, base->second);
    } else if (!find_layers(mounts)) {
      const LiveMount& overlay = report_.live.mounts[mounts.front()];
      for (const std::uint32_t mount : mounts) {
        delta_.sources[mount] = {
            {}, device_source(report_.live.mounts[mount]), true, {}, why_no_layers(overlay)};
      }
    } else if (deleted || !make_at_a_mount(mounts)) {
      name_filesystem(mounts, no_index);
    }
  }

  /// Sources for the layers where `mounts` show an overlay; false when one cannot be told.
  bool find_layers(const std::vector<std::uint32_t>& mounts) {
    if (report_.live.mounts[mounts.front()].fs_type != overlay_type) return true;
    auto layers = layer_sources(report_.live, live_tree_, delta_.unseen, mounts);
    if (!layers) return false;
    for (const std::uint32_t mount : mounts) delta_.layers[mount] = *layers;
    return true;
  }

  /// One mount makes the filesystem and the others are binds of it: the maker shows all of it, and
  /// a walk to what each other shows ends in the maker and not in something mounted there. Mounts
  /// of all of a singleton make it each, for each has a name of its own.
  bool make_at_a_mount(const std::vector<std::uint32_t>& mounts) {
    const auto maker = std::ranges::find_if(mounts, [&](std::uint32_t mount) {
      return report_.live.mounts[mount].root == "/" && leads_to_all(mount, mounts);
    });
    if (maker == mounts.end()) return false;
    for (const std::uint32_t mount : mounts) {
      const LiveMount& live = report_.live.mounts[mount];
      const bool makes = mount == *maker || is_whole_singleton(live);
      delta_.sources[mount] = makes
                                  ? ListedSource{live.fs_type, {}, false}
                                  : ListedSource{{}, "self:" + path_through(*maker, mount), false};
    }
    return true;
  }

  static bool is_whole_singleton(const LiveMount& mount) {
    return mount.root == "/" && is_singleton(mount.fs_type);
  }

  /// The path at which `maker`, which shows all of a filesystem, has what `mount` shows.
  [[nodiscard]] std::string path_through(std::uint32_t maker, std::uint32_t mount) const {
    const std::string below = path::relative_to(report_.live.mounts[mount].root, "/");
    return path::join(report_.live.mounts[maker].mountpoint, below);
  }

  bool leads_to_all(std::uint32_t maker, const std::vector<std::uint32_t>& mounts) {
    const std::uint32_t ns = report_.live.mounts[maker].ns;
    return std::ranges::all_of(mounts, [&](std::uint32_t mount) {
      const LiveMount& live = report_.live.mounts[mount];
      if (live.ns != ns) return is_whole_singleton(live);
      return mount == maker ||
             live_tree_.walk(ns, path_through(maker, mount), delta_.unseen, mount) == maker;
    });
  }

  /// The mounts by `fs:`, of a filesystem that the base names or that the delta declares.
  void name_filesystem(const std::vector<std::uint32_t>& mounts, std::uint32_t desired) {
    std::string name;
    if (desired != no_index) {
      const auto& superblock = report_.plan.superblocks[report_.plan.mounts[desired].superblock];
      if (superblock.kind == DesiredSuperblock::Kind::made) name = superblock.name;
      if (name.empty()) name = add_of_base(desired, mounts.front());
    } else {
      name = names_.derive(report_.live.mounts[mounts.front()].mountpoint);
      delta_.filesystems.push_back({.name = name, .live = mounts.front()});
    }
    for (const std::uint32_t mount : mounts) {
      const LiveMount& live = report_.live.mounts[mount];
      ListedSource& source = delta_.sources[mount];
      source.source = "fs:" + name;
      if (is_deleted_root(live.root)) {
        source.label = labels_.at(mount);
        if (!live.root_inode) source.note = "nobody could look at it; taken for a directory";
      } else {
        source.source = path::join(source.source, path::relative_to(live.root, "/"));
      }
    }
  }

  /// Declares the filesystem of a mount of the base; gives its name.
  std::string add_of_base(std::uint32_t desired, std::uint32_t live) {
    std::string name = names_.derive(report_.live.mounts[live].mountpoint);
    const DesiredMount& mount = report_.plan.mounts[desired];
    delta_.filesystems.push_back({.name = name,
                                  .of = mount.target,
                                  .of_ns = report_.plan.namespaces[mount.ns].name,
                                  .layer = layers_of(report_.plan)[desired],
                                  .live = live});
    return name;
  }

  const DiffReport& report_;
  const MountTree& live_tree_;
  const MountTree parent_tree_;
  const std::vector<bool> all_seen_;
  Showing inside_;
  Showing outside_;
  Delta& delta_;
  UniqueNames names_;
  const std::map<std::uint32_t, std::string> labels_;  ///< of live mounts of removed inodes
  const std::vector<std::uint32_t>& live_of_;
  std::map<Device, std::uint32_t>
      base_;  ///< devices of the base with a desired mount that shows each
};

bool changes_source(const Change& change) {
  return std::ranges::any_of(
      change.differences, [](const Difference& difference) { return difference.what == "source"; });
}

/// What goes, and what of the base stays.
KeptMounts keep(const DiffReport& report, const MountTree& live_tree,
                const std::set<std::uint32_t>& relisted, Delta& delta) {
  const Plan& plan = report.plan;
  KeptMounts kept{plan, report.live, live_tree, find_copies(plan), {}, {}, {}};
  kept.live_of = counterparts(plan, report.live, report.changes);
  kept.desired_of.assign(report.live.mounts.size(), no_index);
  kept.unseen.assign(report.live.mounts.size(), false);
  delta.taken.assign(plan.mounts.size(), false);
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const std::uint32_t parent = plan.mounts[mount].parent;
    const bool below_removed = parent != no_index && delta.taken[parent];
    delta.taken[mount] = below_removed || kept.live_of[mount] == no_index;
    const bool implied = kept.copies.implied[mount];
    if (kept.live_of[mount] == no_index && !below_removed && !implied)
      delta.removals.push_back(mount);
  }
  CopyChanges copies = change_copies(report, live_tree, kept.live_of, delta.taken, relisted);
  delta.silenced = std::move(copies.silenced);
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    delta.taken[mount] = delta.taken[mount] || copies.listed[mount];
    if (delta.taken[mount]) continue;
    kept.desired_of[kept.live_of[mount]] = mount;
    kept.unseen[kept.live_of[mount]] = plan.mounts[mount].cover;
  }
  for (const std::uint32_t mount : live_tree.tree_order()) {
    if (kept.desired_of[mount] != no_index) continue;
    delta.mounts.push_back(mount);
    kept.unseen[mount] = !live_tree.covered_by(mount).empty();
  }
  return kept;
}

}  // namespace

Delta make_delta(const DiffReport& report, const MountTree& live_tree,
                 const std::set<std::uint32_t>& relisted) {
  Delta delta;
  const KeptMounts kept = keep(report, live_tree, relisted, delta);
  delta.unseen = kept.unseen;
  // What gets a source: mounts of the base that have another now or have lost it, and all new ones.
  std::vector<std::uint32_t> sought;
  std::vector<bool> given(report.live.mounts.size(), false);
  const auto seek = [&](std::uint32_t mount) {
    if (!given[mount]) sought.push_back(mount);
    given[mount] = true;
  };
  for (const Change& change : report.changes) {
    if (change.kind != Change::Kind::changed || delta.taken[change.desired]) continue;
    delta.changes.push_back(&change);
    if (changes_source(change)) seek(change.live);
  }
  for (const std::uint32_t mount : find_broken_links(kept)) {
    if (given[kept.live_of[mount]]) continue;
    delta.resourced.push_back(mount);
    seek(kept.live_of[mount]);
  }
  for (const std::uint32_t mount : delta.mounts) seek(mount);
  const std::vector<bool> showing = find_independent(kept, given);
  SourceFinder finder(report, live_tree, kept.live_of, showing, delta);
  finder.find(sought);
  finder.unite();
  finder.name_trees();
  for (const Change* change : delta.changes) {
    if (report.live.mounts[change->live].fs_type != overlay_type) continue;
    auto layers = layer_sources(report.live, live_tree, delta.unseen, {change->live});
    if (layers) delta.layers.try_emplace(change->live, std::move(*layers));
  }
  return delta;
}

}  // namespace mntcr
