// Which mount lies on which (language.md, "Where a mount lies"): worked out from targets, `on`,
// `cover` and the order of the file alone. The one place that knows the rule: [[remove]] and `to`
// ask it about the mounts of a base, the layout about all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mntcr::spec {

/// Index of a mount in the list that a Placement is made from; in Spec::mounts.
using MountIndex = std::uint32_t;

/// A mount, and the way on from its root.
struct Place {
  MountIndex mount = 0;
  std::string rest;
};

/// What decides where a mount lies.
struct Standing {
  std::string target;
  std::optional<MountIndex> on;  ///< the mount that it names as its parent
  bool cover = false;
  std::uint32_t ns = 0;  ///< the number of its namespace
  bool root = false;     ///< of its namespace
  bool copied = false;   ///< with the namespace: it lies on a copy, which it names
};

/// Which mounts a walk can meet: all, or those that came with a namespace that is a copy.
enum class Walk : std::uint8_t { all, copies };

/// See the top of the file. Each namespace is a tree of its own; mounts[0] is the root of the first
/// one, and each root stands before the other mounts of its namespace. Total: an `on` that cannot
/// be (a target that the named mount does not hold, one of another namespace, a ring) is passed
/// over here and complained about elsewhere, as is a namespace without a root.
///
/// Mounts on one place form a chain: each lies on the root of the one before it. Walks step onto
/// the highest mount of a chain that is no cover, and past a chain of covers.
class Placement {
 public:
  explicit Placement(std::vector<Standing> mounts);

  /// What `mount` lies on; nothing for the root.
  [[nodiscard]] std::optional<Place> below(MountIndex mount) const;

  /// What a walk of the absolute `path` in the namespace `ns` meets when none of `without`, nor
  /// what lies on them, is there. Nothing when no root is left.
  [[nodiscard]] std::optional<Place> walk_without(std::uint32_t ns, std::string_view path,
                                                  std::span<const MountIndex> without,
                                                  Walk among = Walk::all) const;

  /// All mounts, those of one namespace together, a parent before its children, siblings by the
  /// bytes of their mountpoints.
  [[nodiscard]] std::vector<MountIndex> tree_order() const;

 private:
  /// What a walk meets of some mounts of one place: the highest that is no cover.
  struct Visible {
    std::optional<MountIndex> any;
    std::optional<MountIndex> copy;
  };
  /// The mounts of one place, bottom up. `visible[i]` is about the first i.
  struct Chain {
    std::vector<MountIndex> mounts;
    std::vector<Visible> visible = {{}};
  };
  struct Seat {
    std::size_t chain = 0;
    std::size_t height = 0;
  };
  using Site = std::pair<MountIndex, std::string>;
  using Followers = std::map<MountIndex, std::vector<MountIndex>>;

  void place_target(const std::vector<MountIndex>& group);
  [[nodiscard]] bool is_named(MountIndex mount) const;
  void put(std::size_t chain, MountIndex mount, const Followers& followers);
  std::size_t chain_at(Site site);
  [[nodiscard]] std::size_t namespace_count() const;
  [[nodiscard]] std::optional<MountIndex> met(std::size_t chain,
                                              std::span<const MountIndex> without,
                                              Walk among) const;

  std::vector<Standing> mounts_;
  std::size_t roots_;          ///< how many namespaces there are
  std::vector<Chain> chains_;  ///< the first are those of the roots, by namespace
  std::vector<Place> bases_;   ///< what the first mount of each chain lies on
  std::map<Site, std::size_t> sites_;
  std::vector<std::optional<Seat>> seats_;
};

}  // namespace mntcr::spec
