#include "runtime/diff/groups.h"

#include <algorithm>

namespace mntcr {
namespace {

constexpr const char* reserved = "parent";  ///< the group that a mount's own source has

}  // namespace

GroupNames::GroupNames(const Plan& plan, const ResolvedSources& sources, const MountTable& live,
                       const MountTree& live_tree, const std::vector<std::uint32_t>& live_of,
                       const std::vector<bool>& taken)
    : plan_(plan),
      sources_(sources),
      live_(live),
      binding_(bind_groups(plan, sources, live, live_of)),
      desired_of_(live.mounts.size(), no_index) {
  for (std::uint32_t mount = 0; mount < live_of.size(); ++mount) {
    if (live_of[mount] != no_index) desired_of_[live_of[mount]] = mount;
  }
  count(live_tree, taken);
  names_.take(reserved);
  for (const DesiredGroup& group : plan.groups) names_.take(group.name);
  for (const std::uint32_t mount : live_tree.tree_order()) {
    for (const std::uint64_t group : groups_of(live.mounts[mount])) {
      const bool needed = group != 0 && !derived_.contains(group) && !needs_no_name(group) &&
                          name_in_plan(group, no_index) == nullptr;
      if (needed) derived_.emplace(group, names_.derive(eponym(group)));
    }
  }
}

void GroupNames::count(const MountTree& live_tree, const std::vector<bool>& taken) {
  for (const std::uint32_t mount : live_tree.tree_order()) {
    const LiveMount& found = live_.mounts[mount];
    const std::uint32_t desired = desired_of_[mount];
    const bool kept = desired != no_index && (taken.empty() || !taken[desired]);
    const std::uint32_t planned = kept && same(desired, mount) ? 1 : 0;
    if (found.master != 0) {
      Extent& extent = extents_[found.master];
      ++extent.slaves;
      extent.planned += planned;
      if (extent.first == no_index) extent.first = mount;
    }
    if (found.peer_group == 0) continue;
    Extent& extent = extents_[found.peer_group];
    extent.planned += planned;
    if (extent.members++ == 0) extent.first = mount;
  }
}

// The name that the plan has for a group: for a mount that the plan has in that group the one that
// it uses there, else one that means the group wherever it is used.
const std::string* GroupNames::name_in_plan(std::uint64_t group, std::uint32_t live) const {
  const auto bound = binding_.desired_of.find(group);
  if (bound == binding_.desired_of.end()) return nullptr;
  const std::string* usual = nullptr;
  for (const std::uint32_t candidate : bound->second) {
    const std::string& name = plan_.groups[candidate].name;
    if (name.empty()) continue;
    const std::uint32_t desired = live == no_index ? no_index : desired_of_[live];
    const bool own = desired != no_index && (plan_.mounts[desired].group == candidate ||
                                             plan_.mounts[desired].master == candidate);
    if (own) return &name;
    if (usual == nullptr && name != reserved) usual = &name;
  }
  return usual;
}

// What a group across the border is a slave of is the parent's affair.
std::array<std::uint64_t, 2> GroupNames::groups_of(const LiveMount& mount) const {
  const bool crosses = mount.peer_group != 0 && is_declarable(mount.peer_group);
  return {crosses ? 0 : mount.master, mount.peer_group};
}

std::string GroupNames::eponym(std::uint64_t group) const {
  const Extent& extent = extents_.at(group);
  const auto outside = sources_.outside.find(group);
  if (extent.members == 0 && outside != sources_.outside.end() && !outside->second.path.empty())
    return outside->second.path;
  return live_.mounts[extent.first].mountpoint;
}

// `shared` without a name makes a group of its own: right when nobody else has to do with the
// group, or nobody but copies that the plan makes of the mount.
bool GroupNames::needs_no_name(std::uint64_t group) const {
  const Extent& extent = extents_.at(group);
  if (is_declarable(group)) return false;
  const bool alone = extent.members == 1 && extent.slaves == 0;
  return alone || extent.members + extent.slaves == extent.planned;
}

/// Whether the group reaches into the parent, to a mount that a spec can name.
bool GroupNames::is_declarable(std::uint64_t group) const {
  const auto outside = sources_.outside.find(group);
  return outside != sources_.outside.end() && !outside->second.path.empty();
}

std::string GroupNames::name(std::uint64_t group, std::uint32_t live) {
  if (const std::string* known = name_in_plan(group, live)) return *known;
  used_.insert(group);
  const auto known = derived_.find(group);
  if (known != derived_.end()) return known->second;
  return derived_.emplace(group, names_.derive(eponym(group))).first->second;
}

std::string GroupNames::words(std::uint32_t live) {
  const LiveMount& mount = live_.mounts[live];
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  if (const std::uint64_t master = groups_of(mount).front(); master != 0)
    add("slave:" + name(master, live));
  if (mount.peer_group != 0) {
    const bool nameless =
        needs_no_name(mount.peer_group) && name_in_plan(mount.peer_group, live) == nullptr;
    add(nameless ? "shared" : "shared:" + name(mount.peer_group, live));
  }
  if (mount.unbindable) add("unbindable");
  return words.empty() ? "private" : words;
}

bool GroupNames::same(std::uint32_t desired, std::uint32_t live) const {
  return has_same_propagation(plan_, binding_, plan_.mounts[desired], live_.mounts[live]);
}

std::vector<GroupNames::Crossing> GroupNames::crossings() const {
  std::vector<Crossing> crossings;
  for (const std::uint64_t group : used_) {
    if (is_declarable(group)) crossings.push_back({derived_.at(group), sources_.outside.at(group)});
  }
  std::ranges::sort(crossings, {}, &Crossing::name);
  return crossings;
}

std::string GroupNames::lacks(std::uint32_t live) const {
  const LiveMount& mount = live_.mounts[live];
  for (const std::uint64_t group : groups_of(mount)) {
    if (group == 0 || is_declarable(group)) continue;
    if (sources_.outside.contains(group))
      return "shares with mounts of the parent that no path leads to";
    if (extents_.at(group).members == 0)
      return "receives from a group of which neither the container nor the parent shows a member";
  }
  return {};
}

}  // namespace mntcr
