#include "runtime/diff/copies.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

using Family = std::vector<std::uint32_t>;  ///< desired mounts of one entry

/// All families; a mount whose entry is not known is one by itself.
std::vector<Family> families_of(const Plan& plan) {
  std::map<std::pair<Span, std::uint32_t>, Family> families;
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const Span span = plan.mounts[mount].span;
    families[{span, span.known() ? 0 : mount}].push_back(mount);
  }
  std::vector<Family> all;
  all.reserve(families.size());
  for (auto& [entry, family] : families) all.push_back(std::move(family));
  return all;
}

/// See change_copies().
class CopyChanger {
 public:
  CopyChanger(const DiffReport& report, const MountTree& live_tree,
              const std::vector<std::uint32_t>& live_of, const std::vector<bool>& taken,
              const std::set<std::uint32_t>& relisted)
      : plan_(report.plan),
        live_(report.live),
        live_tree_(live_tree),
        live_of_(live_of),
        taken_(taken),
        relisted_(relisted),
        copies_(find_copies(plan_)),
        changed_(plan_.mounts.size(), false),
        reshared_(plan_.mounts.size(), false),
        resourced_(plan_.mounts.size(), false),
        planned_(live_.mounts.size(), false) {
    for (const Change& change : report.changes) {
      if (change.kind == Change::Kind::changed) changed_[change.desired] = true;
      for (const Difference& difference : change.differences) {
        if (difference.what == "propagation") reshared_[change.desired] = true;
        if (difference.what == "source") resourced_[change.desired] = true;
      }
    }
    for (std::uint32_t mount = 0; mount < plan_.mounts.size(); ++mount) {
      if (live_of[mount] != no_index && !taken[mount] && !reshared_[mount])
        planned_[live_of[mount]] = true;
    }
    for (std::uint32_t mount = 0; mount < live_.mounts.size(); ++mount) {
      const LiveMount& shared = live_.mounts[mount];
      if (shared.peer_group != 0) members_[shared.peer_group].push_back(mount);
      if (shared.master != 0) slaves_[shared.master].push_back(mount);
    }
  }

  CopyChanges find() {
    CopyChanges changes;
    changes.listed.assign(plan_.mounts.size(), false);
    if (members_.empty() && plan_.groups.empty()) return changes;
    for (const Family& family : families_of(plan_)) look_at(family, changes);
    std::ranges::sort(changes.silenced);
    return changes;
  }

 private:
  [[nodiscard]] bool is_kept_entry(std::uint32_t mount) const {
    return !copies_.implied[mount] && !taken_[mount];
  }

  void look_at(const Family& family, CopyChanges& changes) {
    const bool missing = std::ranges::any_of(family, [&](std::uint32_t mount) {
      return copies_.implied[mount] && (live_of_[mount] == no_index || resourced_[mount]);
    });
    // Of an entry and its clones each implies some of the copies; which ones nobody has noted.
    const bool has_entries = std::ranges::all_of(
        family, [&](std::uint32_t mount) { return copies_.implied[mount] || !taken_[mount]; });
    const bool silence = missing || std::ranges::any_of(family, [&](std::uint32_t mount) {
                           return is_kept_entry(mount) && implies_more(mount);
                         });
    for (const std::uint32_t mount : family) {
      if (is_kept_entry(mount)) {
        if (silence) changes.silenced.push_back(mount);
        continue;
      }
      const bool listed =
          silence || !has_entries || relisted_.contains(mount) || is_changed(mount, family);
      changes.listed[mount] = copies_.implied[mount] && listed;
    }
  }

  /// Whether a copy is no longer implied, or not as it is, though its entry stays.
  [[nodiscard]] bool is_changed(std::uint32_t copy, const Family& family) const {
    const auto is_reshared = [&](std::uint32_t mount) {
      const std::uint32_t parent = plan_.mounts[mount].parent;
      return parent != no_index && reshared_[parent];
    };
    return changed_[copy] || is_reshared(copy) || std::ranges::any_of(family, [&](auto mount) {
             return is_kept_entry(mount) && (changed_[mount] || is_reshared(mount));
           });
  }

  /// Whether mounts that are new in a group, or among its slaves, would get a copy of a mount that
  /// they have not.
  bool implies_more(std::uint32_t mount) {
    const std::uint32_t live = live_of_[mount];
    const std::uint32_t parent = live_tree_.parent(live);
    if (parent == no_index || live_.mounts[parent].peer_group == 0) return false;
    const std::string place =
        path::join(live_.mounts[parent].root, live_.mounts[live].below_parent);
    const auto& others = new_receivers(live_.mounts[parent].peer_group);
    return std::ranges::any_of(others, [&](std::uint32_t receiver) {
      const std::string& root = live_.mounts[receiver].root;
      if (!path::is_at_or_below(place, root)) return false;
      const std::string below = path::relative_to(place, root);
      return !below.empty() && !shows_at(receiver, below, live_.mounts[live]);
    });
  }

  /// Those of receivers() that do not share as the plan has it.
  const std::vector<std::uint32_t>& new_receivers(std::uint64_t group) {
    const auto [found, fresh] = new_receivers_.try_emplace(group);
    if (fresh) {
      for (const std::uint32_t mount : receivers(group)) {
        if (!planned_[mount]) found->second.push_back(mount);
      }
    }
    return found->second;
  }

  /// All mounts that get what is mounted on a member of the group.
  [[nodiscard]] std::set<std::uint32_t> receivers(std::uint64_t group) const {
    std::set<std::uint32_t> all;
    std::vector<std::uint64_t> todo{group};
    while (!todo.empty()) {
      const std::uint64_t next = todo.back();
      todo.pop_back();
      for (const auto* side : {&members_, &slaves_}) {
        const auto found = side->find(next);
        if (found == side->end()) continue;
        for (const std::uint32_t mount : found->second) {
          const std::uint64_t own = live_.mounts[mount].peer_group;
          if (all.insert(mount).second && own != 0 && own != next) todo.push_back(own);
        }
      }
    }
    return all;
  }

  [[nodiscard]] bool shows_at(std::uint32_t receiver, const std::string& place,
                              const LiveMount& wanted) const {
    const auto key = [](const LiveMount& mount) {
      return std::tie(mount.dev_major, mount.dev_minor, mount.root);
    };
    const std::uint32_t bottom = live_tree_.child_at(receiver, place);
    if (bottom == no_index) return false;
    return std::ranges::any_of(live_tree_.stack(bottom), [&](std::uint32_t layer) {
      return key(live_.mounts[layer]) == key(wanted);
    });
  }

  const Plan& plan_;
  const MountTable& live_;
  const MountTree& live_tree_;
  const std::vector<std::uint32_t>& live_of_;
  const std::vector<bool>& taken_;
  const std::set<std::uint32_t>& relisted_;
  const PlanCopies copies_;
  std::vector<bool> changed_;    ///< desired mounts of which something differs
  std::vector<bool> reshared_;   ///< desired mounts whose propagation differs
  std::vector<bool> resourced_;  ///< those that show something else
  std::vector<bool> planned_;    ///< live mounts that share as the plan has it
  std::map<std::uint64_t, std::vector<std::uint32_t>> members_;
  std::map<std::uint64_t, std::vector<std::uint32_t>> slaves_;
  std::map<std::uint64_t, std::vector<std::uint32_t>> new_receivers_;
};

}  // namespace

PlanCopies find_copies(const Plan& plan) {
  PlanCopies copies;
  copies.original.assign(plan.mounts.size(), no_index);
  copies.implied.assign(plan.mounts.size(), false);
  for (const Family& family : families_of(plan)) {
    for (const std::uint32_t mount : family) {
      const DesiredMount& copy = plan.mounts[mount];
      if (copy.implied == Implied::no) continue;
      copies.implied[mount] = copy.implied == Implied::sharing;
      for (const std::uint32_t other : family) {
        if (plan.mounts[other].implied != Implied::no) continue;
        const bool better =
            copies.original[mount] == no_index || plan.mounts[other].target == copy.target;
        if (better) copies.original[mount] = other;
      }
    }
  }
  return copies;
}

CopyChanges change_copies(const DiffReport& report, const MountTree& live_tree,
                          const std::vector<std::uint32_t>& live_of, const std::vector<bool>& taken,
                          const std::set<std::uint32_t>& relisted) {
  return CopyChanger(report, live_tree, live_of, taken, relisted).find();
}

}  // namespace mntcr
