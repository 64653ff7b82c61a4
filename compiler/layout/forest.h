// The mounts of a Layout together with copies that sharing implies, as one set of trees: what lies
// on what, worked out anew by the rules of placement whenever the copies are others.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/spec/placement.h"
#include "compiler/spec/spec.h"

namespace mntcr::layout {

/// What a mount is called for as long as copies are looked for: its index in the Layout, or a
/// number behind all of these for a copy.
using MountId = std::uint32_t;

/// A copy of `given` that lies on `receiver`, beneath what else lies there.
struct Copy {
  MountId id = 0;
  MountId given = 0;
  MountId receiver = 0;  ///< its id is less
  std::uint32_t ns = 0;
  std::string target;
  std::uint32_t group = no_index;  ///< in Layout::groups, or a number behind them
  std::uint32_t master = no_index;
  auto operator<=>(const Copy&) const = default;
};

/// A mount of the forest.
struct Node {
  MountId id = 0;
  MountId given = 0;                ///< what it is, or is a copy of
  std::uint32_t parent = no_index;  ///< in Forest::nodes
  std::string mountpoint;
  std::string target;
  std::uint32_t ns = 0;
  std::uint32_t superblock = 0;
  std::string root;
  std::uint32_t group = no_index;
  std::uint32_t master = no_index;
  [[nodiscard]] bool is_copy() const { return id != given; }
};

/// See the top of the file.
class Forest {
 public:
  /// Both must outlive this. The mounts of the Layout are the first nodes.
  Forest(const spec::Spec& spec, const Layout& layout);

  /// Puts these copies into the forest in place of those before, and follows `self:` sources
  /// through it. Says whether one of them shows something else than before.
  bool rebuild(std::span<const Copy> copies);

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  /// What lies directly on a node at this place.
  [[nodiscard]] std::optional<std::uint32_t> child(std::uint32_t node,
                                                   const std::string& mountpoint) const;
  /// Whether the node is a mount or a copy of it, or lies on one.
  [[nodiscard]] bool comes_after(std::uint32_t node, MountId given) const;
  /// Where something lies that is at `below` of the node, for comparison with others of one group:
  /// relative to their filesystem, or for those of the parent absolute.
  [[nodiscard]] std::string place_in(const Node& node, const std::string& below) const;

  /// The nodes of a group, and those that are slaves of it and in no group.
  [[nodiscard]] std::span<const std::uint32_t> members(std::uint32_t group) const;
  [[nodiscard]] std::span<const std::uint32_t> slaves(std::uint32_t group) const;
  /// The groups whose master this one is.
  [[nodiscard]] std::span<const std::uint32_t> slave_groups(std::uint32_t group) const;

  /// All nodes: by namespace, each behind what it lies on, siblings by bytes.
  [[nodiscard]] std::vector<std::uint32_t> tree_order() const;

 private:
  using Lists = std::map<std::uint32_t, std::vector<std::uint32_t>>;

  void add_given();
  void place();
  void add_groups();
  bool follow_selves();
  [[nodiscard]] spec::Standing standing(std::uint32_t node) const;
  [[nodiscard]] std::optional<std::pair<std::uint32_t, std::string>> followed(
      std::uint32_t index) const;
  static std::span<const std::uint32_t> list(const Lists& lists, std::uint32_t key);

  const spec::Spec& spec_;
  const Layout& layout_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> by_decl_;       ///< index in Spec::mounts -> node
  std::map<MountId, std::uint32_t> copies_;  ///< id -> node
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> children_;
  std::optional<spec::Placement> placement_;  ///< of the nodes, by their index
  Lists members_;
  Lists slaves_;
  Lists slave_groups_;
};

}  // namespace mntcr::layout
