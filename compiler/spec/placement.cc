// See placement.h. Targets are taken from the shortest on: where a mount lies depends on mounts of
// shorter targets, and on those of its own.
#include "compiler/spec/placement.h"

#include <algorithm>
#include <tuple>

#include "runtime/base/path.h"

namespace mntcr::spec {

Placement::Placement(std::vector<Standing> mounts)
    : mounts_(std::move(mounts)),
      roots_(namespace_count()),
      chains_(roots_),
      bases_(roots_),
      seats_(mounts_.size()) {
  using Key = std::tuple<std::uint32_t, std::size_t, std::string_view>;
  std::map<Key, std::vector<MountIndex>> groups;
  for (MountIndex mount = 0; mount < mounts_.size(); ++mount) {
    const std::string_view target = mounts_[mount].target;
    groups[{mounts_[mount].ns, path::components(target).size(), target}].push_back(mount);
  }
  for (const auto& [key, group] : groups) place_target(group);
}

std::size_t Placement::namespace_count() const {
  std::size_t count = 1;
  for (const Standing& standing : mounts_) count = std::max<std::size_t>(count, standing.ns + 1);
  return count;
}

/// Whether the mount names a parent that can be one.
bool Placement::is_named(MountIndex mount) const {
  const Standing& standing = mounts_[mount];
  return mount != 0 && !standing.root && standing.on && *standing.on != mount &&
         mounts_[*standing.on].ns == standing.ns &&
         path::is_at_or_below(standing.target, mounts_[*standing.on].target);
}

/// Places the mounts of one target. What names a mount lies directly on it, below what else lies
/// there; then come the mounts that walk, then the covers that do.
void Placement::place_target(const std::vector<MountIndex>& group) {
  const std::string& target = mounts_[group.front()].target;
  const std::uint32_t ns = mounts_[group.front()].ns;
  Followers followers;
  std::vector<MountIndex> walking;
  std::vector<MountIndex> covers;
  std::vector<MountIndex> elsewhere;
  for (const MountIndex mount : group) {
    if (!is_named(mount)) {
      (mounts_[mount].cover ? covers : walking).push_back(mount);
    } else if (const MountIndex on = *mounts_[mount].on; mounts_[on].target == target) {
      followers[on].push_back(mount);
    } else {
      elsewhere.push_back(mount);
    }
  }
  const auto met = target == "/" ? std::nullopt : walk_without(ns, target, {});
  for (const MountIndex mount : elsewhere) {
    const MountIndex on = *mounts_[mount].on;
    put(chain_at({on, path::relative_to(target, mounts_[on].target)}), mount, followers);
  }
  walking.insert(walking.end(), covers.begin(), covers.end());
  walking.insert(walking.end(), group.begin(), group.end());  // what is left is a ring of `on`
  for (const MountIndex mount : walking) {
    if (!seats_[mount]) put(met ? chain_at({met->mount, met->rest}) : ns, mount, followers);
  }
}

/// Puts a mount on top of a chain, and directly on it those that name it.
void Placement::put(std::size_t chain, MountIndex mount, const Followers& followers) {
  std::vector<MountIndex> pending = {mount};
  while (!pending.empty()) {
    const MountIndex next = pending.back();
    pending.pop_back();
    if (seats_[next]) continue;
    Chain& to = chains_[chain];
    seats_[next] = Seat{chain, to.mounts.size()};
    to.mounts.push_back(next);
    Visible visible = to.visible.back();
    if (!mounts_[next].cover) {
      visible.any = next;
      if (mounts_[next].copied) visible.copy = next;
    }
    to.visible.push_back(visible);
    const auto named = followers.find(next);
    if (named == followers.end()) continue;
    pending.insert(pending.end(), named->second.rbegin(), named->second.rend());
  }
}

std::size_t Placement::chain_at(Site site) {
  const auto [entry, fresh] = sites_.try_emplace(site, chains_.size());
  if (fresh) {
    chains_.emplace_back();
    bases_.push_back({site.first, std::move(site.second)});
  }
  return entry->second;
}

std::optional<Place> Placement::below(MountIndex mount) const {
  const Seat& seat = seats_[mount].value();
  if (seat.height > 0) return Place{chains_[seat.chain].mounts[seat.height - 1], ""};
  if (seat.chain < roots_) return std::nullopt;
  return bases_[seat.chain];
}

/// The mount of a chain that a walk steps onto.
std::optional<MountIndex> Placement::met(std::size_t chain, std::span<const MountIndex> without,
                                         Walk among) const {
  const Chain& from = chains_[chain];
  std::size_t height = from.mounts.size();
  for (const MountIndex mount : without) {
    if (seats_[mount] && seats_[mount]->chain == chain)
      height = std::min(height, seats_[mount]->height);
  }
  const Visible& visible = from.visible[height];
  return among == Walk::all ? visible.any : visible.copy;
}

std::optional<Place> Placement::walk_without(std::uint32_t ns, std::string_view path,
                                             std::span<const MountIndex> without,
                                             Walk among) const {
  const auto root = met(ns, without, among);
  if (!root) return std::nullopt;
  Place here{*root, ""};
  for (const std::string_view component : path::components(path)) {
    here.rest = path::join(here.rest, component);
    const auto site = sites_.find({here.mount, here.rest});
    if (site == sites_.end()) continue;
    if (const auto next = met(site->second, without, among)) here = {*next, ""};
  }
  return here;
}

std::vector<MountIndex> Placement::tree_order() const {
  std::vector<std::vector<std::pair<std::string, MountIndex>>> children(mounts_.size());
  for (MountIndex mount = 0; mount < mounts_.size(); ++mount) {
    const auto under = below(mount);
    if (under) children[under->mount].emplace_back(under->rest, mount);
  }
  for (auto& list : children) std::sort(list.begin(), list.end());
  std::vector<MountIndex> order;
  std::vector<MountIndex> pending;
  for (std::size_t ns = roots_; ns-- > 0;) {
    const auto& stack = chains_[ns].mounts;
    if (!stack.empty()) pending.push_back(stack.front());
  }
  while (!pending.empty()) {
    order.push_back(pending.back());
    pending.pop_back();
    const auto& list = children[order.back()];
    for (auto child = list.rbegin(); child != list.rend(); ++child)
      pending.push_back(child->second);
  }
  return order;
}

}  // namespace mntcr::spec
