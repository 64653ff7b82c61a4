#include "runtime/diff/group_binding.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace mntcr {
namespace {

/// How many mounts take a live group for a desired one, and the first that does.
struct Votes {
  int count = 0;
  std::uint32_t first = no_index;
};

class Ballot {
 public:
  Ballot(const Plan& plan, const ResolvedSources& sources) : plan_(plan), sources_(sources) {}

  void vote(std::uint32_t group, std::uint64_t number, std::uint32_t mount) {
    const bool can_be = group != no_index && number != 0 && plan_.groups[group].parent.empty() &&
                        !sources_.outside.contains(number);
    if (!can_be) return;
    Votes& votes = votes_[{group, number}];
    if (votes.count++ == 0) votes.first = mount;
  }

  /// Gives each group the number that most mounts say, the group with the most votes first.
  void decide(GroupBinding& binding) const {
    std::vector<std::tuple<int, std::uint32_t, std::uint32_t, std::uint64_t>> ranked;
    for (const auto& [candidate, votes] : votes_)
      ranked.emplace_back(-votes.count, votes.first, candidate.first, candidate.second);
    std::ranges::sort(ranked);
    for (const auto& [count, first, group, number] : ranked) {
      if (binding.live_of[group] != 0 || binding.desired_of.contains(number)) continue;
      binding.live_of[group] = number;
      binding.desired_of[number].push_back(group);
    }
  }

 private:
  const Plan& plan_;
  const ResolvedSources& sources_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Votes> votes_;
};

bool is_crossing(const Plan& plan, std::uint32_t group) {
  return group != no_index && !plan.groups[group].parent.empty();
}

bool is_group(const GroupBinding& binding, std::uint32_t desired, std::uint64_t number) {
  if (desired == no_index) return number == 0;
  return number != 0 && binding.live_of[desired] == number;
}

}  // namespace

GroupBinding bind_groups(const Plan& plan, const ResolvedSources& sources, const MountTable& live,
                         const std::vector<std::uint32_t>& live_of) {
  GroupBinding binding;
  binding.live_of.assign(plan.groups.size(), 0);
  for (const auto& [group, number] : sources.groups) {
    if (number == 0) continue;
    binding.live_of[group] = number;
    binding.desired_of[number].push_back(group);
  }
  Ballot ballot(plan, sources);
  for (std::uint32_t mount = 0; mount < live_of.size(); ++mount) {
    if (live_of[mount] == no_index) continue;
    const DesiredMount& desired = plan.mounts[mount];
    const LiveMount& found = live.mounts[live_of[mount]];
    ballot.vote(desired.group, found.peer_group, mount);
    ballot.vote(desired.master, found.master, mount);
  }
  ballot.decide(binding);
  return binding;
}

bool has_same_propagation(const Plan& plan, const GroupBinding& binding,
                          const DesiredMount& desired, const LiveMount& live) {
  return desired.unbindable == live.unbindable &&
         is_group(binding, desired.group, live.peer_group) &&
         (is_crossing(plan, desired.group) || is_group(binding, desired.master, live.master));
}

std::string desired_propagation(const Plan& plan, const DesiredMount& desired) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  if (desired.master != no_index) {
    const std::string& name = plan.groups[desired.master].name;
    add(name.empty() ? "slave"
                     : "slave:" + name);  // of a group without a name only copies are slaves
  }
  if (desired.group != no_index) {
    const std::string& name = plan.groups[desired.group].name;
    add(name.empty() ? "shared" : "shared:" + name);
  }
  if (desired.unbindable) add("unbindable");
  return words.empty() ? "private" : words;
}

}  // namespace mntcr
