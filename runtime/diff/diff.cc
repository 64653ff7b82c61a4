#include "runtime/diff/diff.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "runtime/base/path.h"
#include "runtime/diff/align.h"
#include "runtime/diff/compare.h"
#include "runtime/diff/groups.h"
#include "runtime/diff/idmaps.h"

namespace mntcr {
namespace {

/// What differs about a pair. A superblock's own differences are told once, at the first mount that
/// shows it.
std::vector<Difference> differences(const Plan& plan, const ResolvedSources& sources,
                                    const MountTable& live, const Pair& pair, GroupNames& groups,
                                    std::vector<bool>& told) {
  const DesiredMount& desired = plan.mounts[pair.desired];
  const DesiredSuperblock& superblock = plan.superblocks[desired.superblock];
  const LiveMount& found = live.mounts[pair.live];
  std::vector<Difference> all;
  if (pair.other_source) {
    all.push_back(compare_source(desired, superblock, found, pair.deleted_source));
  }
  const auto add = [&](std::vector<Difference> more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  add(compare_mount(desired, found));
  if (!groups.same(pair.desired, pair.live)) {
    all.push_back({"propagation", desired_propagation(plan, desired), groups.words(pair.live)});
  }
  if (!pair.other_source) add(compare_idmap(plan, sources, desired, found));
  if (!pair.other_source && !told[desired.superblock]) {
    told[desired.superblock] = true;
    add(compare_superblock(superblock, found, live.ids_are_ours));
  }
  return all;
}

}  // namespace

ResolvedSources resolve_sources(const Plan& plan, SourceResolver& resolver,
                                const MountTable* live) {
  const std::optional<LikelySources> likely =
      live == nullptr ? std::nullopt : std::optional<LikelySources>(*live);
  ResolvedSources sources;
  for (std::uint32_t index = 0; index < plan.superblocks.size(); ++index) {
    const DesiredSuperblock& superblock = plan.superblocks[index];
    if (superblock.kind != DesiredSuperblock::Kind::parent) continue;
    auto source = resolver.resolve(superblock.path, superblock.follow, likely ? &*likely : nullptr);
    if (!source && source.error().number == ENOENT) {
      const std::string folder(path::parent(superblock.path));
      if (auto former = resolver.resolve(folder, true)) {
        former->root = path::join(former->root, path::relative_to(superblock.path, folder));
        sources.former.emplace(index, std::move(*former));
      }
    }
    sources.by_superblock.emplace(index, std::move(source));
  }
  for (std::uint32_t index = 0; index < plan.groups.size(); ++index) {
    const DesiredGroup& group = plan.groups[index];
    if (group.parent.empty()) continue;
    const auto held = resolver.resolve(group.parent, true);
    const bool is_it = held && (held->whole || !group.exact);
    sources.groups.emplace(index, is_it ? held->peer_group : 0);
  }
  sources.outside = find_outside(resolver.table(), live);
  return sources;
}

std::vector<Change> diff(const Plan& plan, const ResolvedSources& sources, const MountTable& live) {
  std::vector<bool> told(plan.superblocks.size(), false);
  std::vector<Change> changes;
  const std::vector<Pair> pairs = align(plan, sources, live);
  std::vector<std::uint32_t> live_of(plan.mounts.size(), no_index);
  for (const Pair& pair : pairs) {
    if (pair.desired != no_index) live_of[pair.desired] = pair.live;
  }
  GroupNames groups(plan, sources, live, MountTree(live), live_of);
  for (const Pair& pair : pairs) {
    if (pair.live == no_index) {
      changes.push_back({Change::Kind::removed, pair.desired, no_index, {}});
    } else if (pair.desired == no_index) {
      changes.push_back({Change::Kind::added, no_index, pair.live, {}});
    } else if (auto found = differences(plan, sources, live, pair, groups, told); !found.empty()) {
      changes.push_back({Change::Kind::changed, pair.desired, pair.live, std::move(found)});
    }
  }
  return changes;
}

}  // namespace mntcr
