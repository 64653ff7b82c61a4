// See forest.h.
#include "compiler/layout/forest.h"

#include <algorithm>
#include <tuple>

#include "runtime/base/path.h"

namespace mntcr::layout {

Forest::Forest(const spec::Spec& spec, const Layout& layout) : spec_(spec), layout_(layout) {
  add_given();
}

void Forest::add_given() {
  for (MountId id = 0; id < layout_.mounts.size(); ++id) {
    const LayoutMount& mount = layout_.mounts[id];
    nodes_.push_back({id, id, mount.parent, mount.mountpoint, mount.target, mount.ns,
                      mount.superblock, mount.root, mount.group, mount.master});
    by_decl_.emplace(std::pair(mount.ns, mount.decl), id);
  }
}

bool Forest::rebuild(std::span<const Copy> copies) {
  nodes_.resize(layout_.mounts.size());
  copies_.clear();
  for (const Copy& copy : copies) {
    const Node& given = nodes_[copy.given];
    copies_.emplace(copy.id, static_cast<std::uint32_t>(nodes_.size()));
    const std::uint32_t receiver =
        copy.receiver < layout_.mounts.size() ? copy.receiver : copies_.at(copy.receiver);
    nodes_.push_back({copy.id,
                      copy.given,
                      receiver,
                      {},
                      copy.target,
                      copy.ns,
                      given.superblock,
                      given.root,
                      copy.group,
                      copy.master});
  }
  std::vector<std::vector<std::uint32_t>> local(layout_.namespaces.size());
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) local[nodes_[node].ns].push_back(node);
  local_ = std::move(local);
  placements_.clear();
  children_.clear();
  for (const auto& members : local_) place_namespace(members);
  add_groups();
  return follow_selves();
}

/// The mount that a declared one names by `on`.
std::optional<std::uint32_t> Forest::named(std::uint32_t given) const {
  const LayoutMount& mount = layout_.mounts[given];
  if (!mount.on || mount.decl == no_index) return std::nullopt;
  const auto& on = spec_.mounts[mount.decl].on_mount;
  const auto found = on ? by_decl_.find({mount.ns, *on}) : by_decl_.end();
  return found == by_decl_.end() ? std::nullopt : std::optional(found->second);
}

/// Copies name their receivers, as mounts with `on` do: so they lie directly there, beneath what
/// the walks of others bring to the same place.
void Forest::place_namespace(const std::vector<std::uint32_t>& members) {
  std::map<std::uint32_t, spec::MountIndex> index;
  for (const std::uint32_t node : members)
    index.emplace(node, static_cast<spec::MountIndex>(index.size()));
  std::vector<spec::Standing> standings;
  for (const std::uint32_t node : members) {
    const Node& at = nodes_[node];
    const auto on = at.is_copy() ? std::optional(at.parent) : named(node);
    const LayoutMount& given = layout_.mounts[at.given];
    const bool copied = !at.is_copy() && given.decl != no_index && spec_.mounts[given.decl].copied;
    standings.push_back({at.target, on ? std::optional(index.at(*on)) : std::nullopt, given.cover,
                         0, node == members.front(), copied});
  }
  const spec::Placement& placement = placements_.emplace_back(std::move(standings));
  for (std::size_t at = 1; at < members.size(); ++at) {
    Node& node = nodes_[members[at]];
    const auto below = placement.below(static_cast<spec::MountIndex>(at));
    node.parent = members[below.value().mount];
    node.mountpoint = below->rest;
    children_[{node.parent, node.mountpoint}] = members[at];
  }
}

void Forest::add_groups() {
  members_.clear();
  slaves_.clear();
  slave_groups_.clear();
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    const auto [group, master] = std::pair(nodes_[node].group, nodes_[node].master);
    if (group == no_index) {
      if (master != no_index) slaves_[master].push_back(node);
      continue;
    }
    auto& members = members_[group];
    if (members.empty() && master != no_index) slave_groups_[master].push_back(group);
    members.push_back(node);
  }
}

/// What a copy that came with a clone shows by `self:` is what the original does, as long as both
/// showed the same before there were copies by sharing.
std::optional<std::uint32_t> Forest::original(const Node& node) const {
  const auto& original = spec_.mounts[layout_.mounts[node.given].decl].original;
  if (!original) return std::nullopt;
  const auto found = by_decl_.find({spec_.mounts[*original].ns, *original});
  if (found == by_decl_.end()) return std::nullopt;
  const LayoutMount& first = layout_.mounts[nodes_[found->second].given];
  const LayoutMount& second = layout_.mounts[node.given];
  const bool same = first.superblock == second.superblock && first.root == second.root;
  return same ? std::optional(found->second) : std::nullopt;
}

/// What a `self:` source shows is what a walk of the finished tree meets.
bool Forest::follow_selves() {
  bool moved = false;
  for (std::uint32_t ns = 0; ns < local_.size(); ++ns) {
    for (std::size_t at = 0; at < local_[ns].size(); ++at) {
      Node& node = nodes_[local_[ns][at]];
      const LayoutMount& mount = layout_.mounts[node.given];
      if (node.is_copy() || mount.self.empty() || mount.deleted || mount.decl == no_index) continue;
      std::pair<std::uint32_t, std::string> shown(node.superblock, node.root);
      if (spec_.mounts[mount.decl].walk == spec::Walk::all) {
        const auto self = static_cast<spec::MountIndex>(at);
        const auto met = placements_[ns].walk_without(0, mount.self, std::span(&self, 1));
        if (!met) continue;
        const Node& source = nodes_[local_[ns][met->mount]];
        shown = {source.superblock, path::join(source.root, met->rest)};
      } else if (const auto first = original(node)) {
        shown = {nodes_[*first].superblock, nodes_[*first].root};
      }
      if (shown == std::pair(node.superblock, node.root)) continue;
      std::tie(node.superblock, node.root) = std::move(shown);
      moved = true;
    }
  }
  return moved;
}

std::optional<std::uint32_t> Forest::child(std::uint32_t node,
                                           const std::string& mountpoint) const {
  const auto found = children_.find({node, mountpoint});
  return found == children_.end() ? std::nullopt : std::optional(found->second);
}

bool Forest::comes_after(std::uint32_t node, MountId given) const {
  for (; node != no_index; node = nodes_[node].parent) {
    if (nodes_[node].given == given) return true;
  }
  return false;
}

std::string Forest::place(const Node& node, const std::string& below) const {
  const DesiredSuperblock& superblock = layout_.superblocks[node.superblock];
  const bool parents = superblock.kind == DesiredSuperblock::Kind::parent;
  return path::join(parents ? superblock.path : "/", path::join(node.root, below));
}

std::span<const std::uint32_t> Forest::list(const Lists& lists, std::uint32_t key) {
  const auto found = lists.find(key);
  return found == lists.end() ? std::span<const std::uint32_t>() : found->second;
}

std::span<const std::uint32_t> Forest::members(std::uint32_t group) const {
  return list(members_, group);
}

std::span<const std::uint32_t> Forest::slaves(std::uint32_t group) const {
  return list(slaves_, group);
}

std::span<const std::uint32_t> Forest::slave_groups(std::uint32_t group) const {
  return list(slave_groups_, group);
}

std::vector<std::uint32_t> Forest::tree_order() const {
  std::vector<std::uint32_t> order;
  for (std::size_t ns = 0; ns < local_.size(); ++ns) {
    for (const spec::MountIndex at : placements_[ns].tree_order()) order.push_back(local_[ns][at]);
  }
  return order;
}

}  // namespace mntcr::layout
