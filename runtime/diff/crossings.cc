#include "runtime/diff/crossings.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <unordered_map>

#include "runtime/diff/align.h"
#include "runtime/diff/group_binding.h"
#include "runtime/diff/mount_tree.h"

namespace mntcr {
namespace {

using Direction = Crossing::Direction;

/// The first mount of a table for each group that has members, or slaves, there.
using FirstMounts = std::unordered_map<std::uint64_t, std::uint32_t>;

FirstMounts first_mounts(const MountTable& table, std::uint64_t LiveMount::* group) {
  FirstMounts first;
  for (std::uint32_t mount = 0; mount < table.mounts.size(); ++mount) {
    const std::uint64_t number = table.mounts[mount].*group;
    if (number != 0) first.try_emplace(number, mount);
  }
  return first;
}

std::uint32_t find_in(const FirstMounts& mounts, std::uint64_t group) {
  const auto found = group == 0 ? mounts.end() : mounts.find(group);
  return found == mounts.end() ? no_index : found->second;
}

/// Whether the plan has a mount in the group by which it crosses the border: as a member, or for
/// receiving as a slave.
bool is_declared(const Plan& plan, const GroupBinding& binding, const DesiredMount& desired,
                 const Crossing& crossing) {
  const auto is_it = [&](std::uint32_t group) {
    return group != no_index && !plan.groups[group].parent.empty() &&
           binding.live_of[group] == crossing.group;
  };
  return is_it(desired.group) ||
         (crossing.direction == Direction::receives && is_it(desired.master));
}

}  // namespace

std::string_view direction_words(Direction direction) {
  switch (direction) {
    case Direction::receives:
      return "receives from";
    case Direction::sends:
      return "sends to";
    case Direction::both:
      return "receives from and sends to";
  }
  return "";
}

std::vector<Crossing> find_crossings(const MountTable& container, const MountTable& parent) {
  const FirstMounts members = first_mounts(parent, &LiveMount::peer_group);
  const FirstMounts slaves = first_mounts(parent, &LiveMount::master);
  const FirstMounts inside = first_mounts(container, &LiveMount::peer_group);
  std::vector<Crossing> crossings;
  for (std::uint32_t mount = 0; mount < container.mounts.size(); ++mount) {
    const LiveMount& shared = container.mounts[mount];
    const std::uint32_t peer = find_in(members, shared.peer_group);
    if (peer != no_index) {
      crossings.push_back({Direction::both, mount, peer, shared.peer_group});
      continue;  // what its group is a slave of is the parent's affair
    }
    const std::uint32_t master = find_in(members, shared.master);
    const bool hidden = shared.master != 0 && !inside.contains(shared.master);
    if (master != no_index || hidden)
      crossings.push_back({Direction::receives, mount, master, shared.master});
    const std::uint32_t slave = find_in(slaves, shared.peer_group);
    if (slave != no_index) crossings.push_back({Direction::sends, mount, slave, shared.peer_group});
  }
  return crossings;
}

std::vector<Crossing> undeclared_crossings(const DiffReport& report) {
  const Plan& plan = report.plan;
  if (plan.escape == Escape::allow) return {};
  std::vector<Crossing> crossings = find_crossings(report.live, report.parent);
  if (crossings.empty()) return crossings;
  const auto live_of = counterparts(plan, report.live, report.changes);
  const GroupBinding binding = bind_groups(plan, report.sources, report.live, live_of);
  std::vector<std::uint32_t> desired_of(report.live.mounts.size(), no_index);
  for (std::uint32_t mount = 0; mount < live_of.size(); ++mount) {
    if (live_of[mount] != no_index) desired_of[live_of[mount]] = mount;
  }
  std::erase_if(crossings, [&](const Crossing& crossing) {
    const std::uint32_t desired = desired_of[crossing.mount];
    return desired != no_index && is_declared(plan, binding, plan.mounts[desired], crossing);
  });
  std::vector<std::uint32_t> rank(report.live.mounts.size(), 0);
  std::uint32_t next = 0;
  for (const std::uint32_t mount : MountTree(report.live).tree_order()) rank[mount] = next++;
  std::multimap<std::uint32_t, Crossing> ranked;
  for (const Crossing& crossing : crossings) ranked.emplace(rank[crossing.mount], crossing);
  std::ranges::copy(std::views::values(ranked), crossings.begin());
  return crossings;
}

bool is_different(const DiffReport& report) {
  return !report.changes.empty() ||
         (report.plan.escape == Escape::refuse && !undeclared_crossings(report).empty());
}

}  // namespace mntcr
