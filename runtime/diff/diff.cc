#include "runtime/diff/diff.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "runtime/base/path.h"
#include "runtime/diff/align.h"
#include "runtime/diff/compare.h"
#include "runtime/diff/idmaps.h"

namespace mntcr {
namespace {

/// What differs about a pair. A superblock's own differences are told once, at the first mount that
/// shows it.
std::vector<Difference> differences(const Plan& plan, const ResolvedSources& sources,
                                    const MountTable& live, const Pair& pair,
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
  return sources;
}

std::vector<Change> diff(const Plan& plan, const ResolvedSources& sources, const MountTable& live) {
  std::vector<bool> told(plan.superblocks.size(), false);
  std::vector<Change> changes;
  for (const Pair& pair : align(plan, sources, live)) {
    if (pair.live == no_index) {
      changes.push_back({Change::Kind::removed, pair.desired, no_index, {}});
    } else if (pair.desired == no_index) {
      changes.push_back({Change::Kind::added, no_index, pair.live, {}});
    } else if (auto found = differences(plan, sources, live, pair, told); !found.empty()) {
      changes.push_back({Change::Kind::changed, pair.desired, pair.live, std::move(found)});
    }
  }
  return changes;
}

}  // namespace mntcr
