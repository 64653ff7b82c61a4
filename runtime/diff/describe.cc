#include "runtime/diff/describe.h"

#include <algorithm>

#include "runtime/base/mount_options.h"
#include "runtime/diff/align.h"
#include "runtime/diff/delta.h"
#include "runtime/diff/groups.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/diff/names.h"

namespace mntcr {
namespace {

DescribedChange describe_added(const DiffReport& report, const MountTree& tree, const Delta& delta,
                               GroupNames& groups, std::uint32_t mount) {
  const LiveMount& live = report.live.mounts[mount];
  const ListedSource& from = delta.sources.at(mount);
  DescribedChange described;
  described.kind = Change::Kind::added;
  described.ns = report.live.namespaces[live.ns];
  described.target = live.mountpoint;
  described.type = live.fs_type;
  described.source = from.type.empty() ? from.source : from.type;
  for (const std::string_view word : attr_words(live.attrs, live.attrs & mount_attr::all)) {
    described.options.emplace_back(word);
  }
  if (!from.type.empty()) described.parameters = filesystem_words(live, report.live.ids_are_ours);
  if (live.idmap) described.idmap = idmap::words(*live.idmap);
  described.propagation = groups.words(mount);
  described.covers = tree.covered_by(mount);
  return described;
}

DescribedChange describe_desired(const DiffReport& report, const std::vector<std::uint32_t>& layers,
                                 const Change& change) {
  const DesiredMount& desired = report.plan.mounts[change.desired];
  const DesiredSuperblock& superblock = report.plan.superblocks[desired.superblock];
  DescribedChange described;
  described.kind = change.kind;
  described.ns = report.plan.namespaces[desired.ns].name;
  described.target = desired.target;
  described.layer = layers[change.desired];
  described.type =
      change.live == no_index ? superblock.type : report.live.mounts[change.live].fs_type;
  described.source = desired_source(desired, superblock);
  described.differences = change.differences;
  described.span = desired.span;
  return described;
}

}  // namespace

std::vector<DescribedChange> describe_changes(const DiffReport& report) {
  const MountTree tree(report.live);
  const Delta delta = make_delta(report, tree);
  const std::vector<std::uint32_t> layers = layers_of(report.plan);
  const auto live_of = counterparts(report.plan, report.live, report.changes);
  GroupNames groups(report.plan, report.sources, report.live, tree, live_of);
  std::vector<DescribedChange> all;
  for (const Change& change : report.changes) {
    all.push_back(change.kind == Change::Kind::added
                      ? describe_added(report, tree, delta, groups, change.live)
                      : describe_desired(report, layers, change));
    for (Difference& difference : all.back().differences) {
      const auto from = delta.sources.find(change.live);
      if (difference.what != "source" || from == delta.sources.end()) continue;
      if (from->second.untraced) continue;
      difference.is = from->second.type.empty() ? from->second.source : from->second.type;
    }
  }
  return all;
}

std::array<std::size_t, 3> count_kinds(const std::vector<Change>& changes) {
  std::array<std::size_t, 3> counts{};
  for (const Change& change : changes) ++counts.at(static_cast<std::size_t>(change.kind));
  return counts;
}

}  // namespace mntcr
