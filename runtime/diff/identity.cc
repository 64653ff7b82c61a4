#include "runtime/diff/identity.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/diff/names.h"

namespace mntcr {
namespace {

using Kind = DesiredSuperblock::Kind;

constexpr int at_path = 1000;  ///< the vote of a mount for a device at its path

/// The path within its filesystem that a source of the parent leads to, or would; "/" for others.
std::string source_root(const ResolvedSources& sources, std::uint32_t superblock) {
  const auto source = sources.by_superblock.find(superblock);
  if (source != sources.by_superblock.end() && source->second) return source->second->root;
  const auto former = sources.former.find(superblock);
  return former == sources.former.end() ? "/" : former->second.root;
}

/// Numbers for the positions of both trees: equal numbers for equal chains of mountpoints from the
/// root.
class Positions {
 public:
  std::vector<std::uint32_t> number(const MountTree& tree) {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t mount = 0; mount < tree.size(); ++mount) {
      const std::uint32_t parent = tree.parent(mount);
      const std::uint32_t above = parent == no_index ? no_index : numbers[parent];
      const auto next = static_cast<std::uint32_t>(known_.size());
      numbers.push_back(known_.try_emplace({above, tree.place(mount)}, next).first->second);
    }
    return numbers;
  }

 private:
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> known_;
};

}  // namespace

Identities::Identities(const Plan& plan, const ResolvedSources& sources, const MountTable& table,
                       const MountTree& desired_tree, const MountTree& live_tree)
    : plan_(plan), table_(table), bound_(plan.superblocks.size()), unnamed_(plan, table) {
  for (const auto& [superblock, source] : sources.by_superblock) {
    if (superblock >= bound_.size() || !source) continue;
    bound_[superblock] = Device{source->dev_major} << 32U | source->dev_minor;
    taken_.try_emplace(*bound_[superblock], superblock);
  }
  for (const auto& [superblock, source] : sources.former) {
    former_.emplace(superblock, Device{source.dev_major} << 32U | source.dev_minor);
  }
  for (const DesiredMount& mount : plan.mounts) {
    roots_.push_back(path::join(source_root(sources, mount.superblock), mount.root));
  }
  vote(desired_tree, live_tree);
}

Identities::Device Identities::device_of(const LiveMount& mount) {
  return Device{mount.dev_major} << 32U | mount.dev_minor;
}

bool Identities::unknown(std::uint32_t desired) const {
  const std::uint32_t superblock = plan_.mounts[desired].superblock;
  return plan_.superblocks[superblock].kind == Kind::parent && !bound_[superblock];
}

bool Identities::shares_type_and_root(std::uint32_t desired, std::uint32_t live) const {
  const DesiredSuperblock& superblock = plan_.superblocks[plan_.mounts[desired].superblock];
  return superblock.type == table_.mounts[live].fs_type && shares_root(desired, live);
}

bool Identities::shares_root(std::uint32_t desired, std::uint32_t live) const {
  const DesiredMount& wanted = plan_.mounts[desired];
  const LiveMount& found = table_.mounts[live];
  return wanted.deleted ? unnamed_.same(wanted, found) : roots_[desired] == found.root;
}

bool Identities::same(std::uint32_t desired, std::uint32_t live) const {
  const std::uint32_t superblock = plan_.mounts[desired].superblock;
  const Device device = device_of(table_.mounts[live]);
  if (bound_[superblock]) {
    return *bound_[superblock] == device && shares_root(desired, live);
  }
  if (unknown(desired) || !shares_type_and_root(desired, live)) return false;
  return !taken_.contains(device) || is_singleton(plan_.superblocks[superblock].type);
}

Deleted Identities::deleted(std::uint32_t desired, std::uint32_t live) const {
  const LiveMount& shown = table_.mounts[live];
  if (!is_deleted_root(shown.root) || deleted_path(shown.root) != roots_[desired])
    return Deleted::no;
  const std::uint32_t superblock = plan_.mounts[desired].superblock;
  const Device device = device_of(shown);
  if (bound_[superblock]) {
    if (*bound_[superblock] != device) return Deleted::no;
    // What the path of the source itself leads to is known; what is below it nobody looked at.
    const bool source_itself =
        plan_.superblocks[superblock].kind == Kind::parent && plan_.mounts[desired].root.empty();
    return source_itself ? Deleted::replaced : Deleted::gone;
  }
  const auto former = former_.find(superblock);
  return former != former_.end() && former->second == device ? Deleted::gone : Deleted::no;
}

void Identities::bind(std::uint32_t desired, std::uint32_t live) {
  const std::uint32_t superblock = plan_.mounts[desired].superblock;
  if (!bound_[superblock]) bind_device(superblock, device_of(table_.mounts[live]));
  if (plan_.mounts[desired].deleted) unnamed_.bind(plan_.mounts[desired], table_.mounts[live]);
}

void Identities::bind_device(std::uint32_t superblock, Device device) {
  bound_[superblock] = device;
  taken_.try_emplace(device, superblock);
}

// A superblock that several mounts show is bound by a vote of all of them before any stack is
// aligned, so that one mount replaced by another filesystem does not carry its fellows away. A
// mount votes for the devices that stand at its path: two for the very position, one for elsewhere
// at that path. Where both sides are equal each superblock's own device has more votes than any
// other, so that taking the bindings in the order of their votes never goes wrong there.
void Identities::vote(const MountTree& desired_tree, const MountTree& live_tree) {
  std::vector<std::uint32_t> shown(plan_.superblocks.size(), 0);
  for (const DesiredMount& mount : plan_.mounts) ++shown[mount.superblock];
  const auto votes_on = [&](const DesiredMount& mount) {
    return plan_.superblocks[mount.superblock].kind == Kind::made && shown[mount.superblock] > 1;
  };
  if (std::ranges::none_of(plan_.mounts, votes_on)) return;

  Positions positions;
  const auto desired_positions = positions.number(desired_tree);
  const auto live_positions = positions.number(live_tree);
  std::multimap<std::string_view, std::uint32_t> by_path;
  for (std::uint32_t live = 0; live < table_.mounts.size(); ++live) {
    by_path.emplace(table_.mounts[live].mountpoint, live);
  }

  std::map<std::pair<std::uint32_t, Device>, int> votes;
  for (std::uint32_t desired = 0; desired < plan_.mounts.size(); ++desired) {
    const std::uint32_t superblock = plan_.mounts[desired].superblock;
    if (!votes_on(plan_.mounts[desired])) continue;
    std::map<Device, int> ballot;
    const auto [begin, end] = by_path.equal_range(plan_.mounts[desired].target);
    for (auto place = begin; place != end; ++place) {
      if (!same(desired, place->second)) continue;
      int& weight = ballot[device_of(table_.mounts[place->second])];
      const bool exact = live_positions[place->second] == desired_positions[desired];
      weight = std::max(weight, exact ? at_path + 1 : at_path);
    }
    for (const auto& [device, weight] : ballot) votes[{superblock, device}] += weight;
  }

  std::vector<std::tuple<int, std::uint32_t, Device>> ranked;
  for (const auto& [candidate, weight] : votes) {
    ranked.emplace_back(-weight, candidate.first, candidate.second);
  }
  std::ranges::sort(ranked);
  for (const auto& [weight, superblock, device] : ranked) {
    const bool free = !taken_.contains(device) || is_singleton(plan_.superblocks[superblock].type);
    if (!bound_[superblock] && free) bind_device(superblock, device);
  }
}

}  // namespace mntcr
