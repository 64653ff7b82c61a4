#include "compiler/planner/survey.h"

#include "runtime/base/filesystem_flags.h"

namespace mntcr {
namespace {

void survey_mounts(const Layout& layout, std::vector<Access>& all) {
  for (const LayoutMount& mount : layout.mounts) {
    Access& access = all[mount.superblock];
    ++access.mounts;
    access.part |= !mount.root.empty();
    access.read_only |= (mount.attrs.value & mount_attr::rdonly) != 0;
    access.idmapped |= mount.idmap != no_index;
    access.later_root |= mount.parent == no_index && mount.ns > 0;
    if (mount.parent == no_index || mount.mountpoint.empty()) continue;
    const std::uint32_t below = layout.mounts[mount.parent].superblock;
    if (may_make(mount.create, writes_reach_parent(layout.superblocks, below)))
      all[below].made_on = true;
  }
}

/// Layers stand before what they are layers of.
void survey_layers(const Layout& layout, std::vector<Access>& all) {
  for (auto index = static_cast<std::uint32_t>(all.size()); index-- > 0;) {
    if (!all[index].used()) continue;
    for (const DesiredLayer& layer : layout.superblocks[index].layers)
      ++all[layer.superblock].layers;
  }
}

/// Masters stand before their slaves, so from the last to the first each group's own slaves are
/// known. One without mounts has the superblock of its slaves.
void survey_groups(const Layout& layout, Survey& found) {
  for (const LayoutMount& mount : layout.mounts) {
    const bool member = mount.group != no_index;
    const std::uint32_t index = member ? mount.group : mount.master;
    if (index == no_index) continue;
    GroupUse& use = found.groups[index];
    use.superblock = mount.superblock;
    ++(member ? use.members : use.slaves);
    if (!member && ++found.slaves[{index, mount.superblock}] == 1) ++use.slave_helpers;
  }
  for (std::size_t index = found.groups.size(); index-- > 0;) {
    const GroupUse& use = found.groups[index];
    const std::uint32_t master = layout.groups[index].master;
    if (master == no_index || !use.used()) continue;
    ++found.groups[master].slave_groups;
    std::uint32_t& above = found.groups[master].superblock;
    if (above == no_index) above = use.superblock;
  }
}

/// Helpers are clones of the anchor, which has the widest root: every member's and slave's lies in
/// it.
void survey_helpers(const Layout& layout, Survey& found) {
  for (std::size_t index = 0; index < found.groups.size(); ++index) {
    const GroupUse& use = found.groups[index];
    if (needs_helper(layout.groups[index], use)) found.access[use.superblock].helped = true;
  }
  for (const auto& [key, count] : found.slaves) found.access[key.second].helped = true;
}

}  // namespace

bool may_make(Create create, bool on_parents) {
  if (create == Create::automatic) return !on_parents;
  return create != Create::never;
}

bool is_alone(const DesiredGroup& group, const GroupUse& use) {
  return !is_crossing(group) && group.master == no_index && use.members == 1 && use.slaves == 0 &&
         use.slave_groups == 0;
}

bool needs_helper(const DesiredGroup& group, const GroupUse& use) {
  return !is_crossing(group) && use.used() && !is_alone(group, use);
}

Survey survey(const Layout& layout) {
  Survey found;
  found.access.resize(layout.superblocks.size());
  found.groups.resize(layout.groups.size());
  survey_mounts(layout, found.access);
  survey_layers(layout, found.access);
  survey_groups(layout, found);
  survey_helpers(layout, found);
  for (const DesiredNode& node : layout.nodes) found.access[node.superblock].holds = true;
  for (std::size_t index = 0; index < found.access.size(); ++index) {
    Access& access = found.access[index];
    const AttrDemand& flags = layout.superblocks[index].flags;
    access.closing = (flags.value & fs_flag::rdonly) != 0 &&
                     (access.made_on || access.part || access.holds || access.layers > 0);
    access.anchored = access.mounts > 1 || access.part || access.layers > 0 || access.helped ||
                      access.later_root ||
                      (access.made_on && (access.read_only || access.idmapped));
  }
  return found;
}

}  // namespace mntcr
