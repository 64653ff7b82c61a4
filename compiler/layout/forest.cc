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
  by_decl_.resize(spec_.mounts.size(), no_index);
  for (MountId id = 0; id < layout_.mounts.size(); ++id) {
    const LayoutMount& mount = layout_.mounts[id];
    nodes_.push_back({id, id, mount.parent, mount.mountpoint, mount.target, mount.ns,
                      mount.superblock, mount.root, mount.group, mount.master});
    by_decl_[mount.decl] = id;
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
  place();
  add_groups();
  return follow_selves();
}

/// Copies name their receivers, as mounts with `on` do: so they lie directly there, beneath what
/// the walks of others bring to the same place.
spec::Standing Forest::standing(std::uint32_t node) const {
  const Node& at = nodes_[node];
  const LayoutMount& mount = layout_.mounts[at.given];
  if (at.is_copy()) return {at.target, at.parent, mount.cover, at.ns, false, false};
  const spec::MountDecl& decl = spec_.mounts[mount.decl];
  const auto on = decl.on_mount ? std::optional(by_decl_[*decl.on_mount]) : std::nullopt;
  return {at.target, on, mount.cover, at.ns, decl.is_root, decl.copied};
}

void Forest::place() {
  std::vector<spec::Standing> standings;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) standings.push_back(standing(node));
  placement_.emplace(std::move(standings));
  children_.clear();
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    const auto below = placement_->below(node);
    if (!below) continue;
    nodes_[node].parent = below->mount;
    nodes_[node].mountpoint = below->rest;
    children_[{below->mount, below->rest}] = node;
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

/// What a declared mount with a `self:` source shows: what a walk of the finished tree meets, and
/// what came by a `clone` shows what its original does.
std::optional<std::pair<std::uint32_t, std::string>> Forest::followed(std::uint32_t index) const {
  const Node& node = nodes_[index];
  const LayoutMount& mount = layout_.mounts[node.given];
  if (node.is_copy() || mount.self.empty() || mount.deleted) return std::nullopt;
  const spec::MountDecl& decl = spec_.mounts[mount.decl];
  if (decl.walk == spec::Walk::copies && decl.original) {
    const std::uint32_t original = by_decl_[*decl.original];
    const LayoutMount& first = layout_.mounts[original];
    // Where they differ from the first, the original was changed after it had been copied.
    if (first.superblock != mount.superblock || first.root != mount.root) return std::nullopt;
    return std::pair(nodes_[original].superblock, nodes_[original].root);
  }
  const auto met = placement_->walk_without(node.ns, mount.self, std::span(&index, 1), decl.walk);
  if (!met) return std::nullopt;
  return std::pair(nodes_[met->mount].superblock, path::join(nodes_[met->mount].root, met->rest));
}

bool Forest::follow_selves() {
  bool moved = false;
  for (std::uint32_t index = 0; index < layout_.mounts.size(); ++index) {
    auto shown = followed(index);
    Node& node = nodes_[index];
    if (!shown || *shown == std::pair(node.superblock, node.root)) continue;
    std::tie(node.superblock, node.root) = std::move(*shown);
    moved = true;
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

std::string Forest::place_in(const Node& node, const std::string& below) const {
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

std::vector<std::uint32_t> Forest::tree_order() const { return placement_->tree_order(); }

}  // namespace mntcr::layout
