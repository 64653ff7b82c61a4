// Either side of a comparison as trees, one for each namespace: what lies on a mount, how a stack
// is layered, and which mount a walk along a path meets. Works on indices, so the desired and the
// live side are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file. Refers to the strings of the plan or table that it is made from.
class MountTree {
 public:
  explicit MountTree(const Plan& plan);
  explicit MountTree(const MountTable& table);

  [[nodiscard]] std::size_t size() const { return parents_.size(); }
  /// The namespace of a mount.
  [[nodiscard]] std::uint32_t ns(std::uint32_t mount) const { return namespaces_[mount]; }
  /// The root of a namespace; no_index where it has no mounts.
  [[nodiscard]] std::uint32_t root(std::uint32_t ns) const {
    return ns < roots_.size() ? roots_[ns] : no_index;
  }
  [[nodiscard]] bool is_root(std::uint32_t mount) const { return parents_[mount] == no_index; }
  /// no_index for a root.
  [[nodiscard]] std::uint32_t parent(std::uint32_t mount) const { return parents_[mount]; }
  /// The mountpoint relative to the parent's root.
  [[nodiscard]] std::string_view place(std::uint32_t mount) const { return places_[mount]; }
  /// Ordered by the bytes of their places; a mount on the root itself (place "") comes first.
  [[nodiscard]] std::span<const std::uint32_t> children(std::uint32_t mount) const;
  /// The child at `place`, or no_index.
  [[nodiscard]] std::uint32_t child_at(std::uint32_t mount, std::string_view place) const;
  /// `bottom` and the mounts that lie on one another's root above it, from the bottom up.
  [[nodiscard]] std::vector<std::uint32_t> stack(std::uint32_t bottom) const;

  /// The mounts that `mount` hides: what it lies on where it covers its parent's root, else
  /// siblings whose mountpoints lie below its own.
  [[nodiscard]] std::vector<std::uint32_t> covered_by(std::uint32_t mount) const;

  /// A place that a walk ends at: a mount, and the way on from its root.
  struct Met {
    std::uint32_t mount = no_index;
    std::string rest;
  };
  /// Where a walk along the absolute `path` ends. Mounts for which `unseen` holds true are walked
  /// past, as the walks of a spec pass those with `cover`; empty when all are seen. The mount
  /// `without` is taken for absent, with all that lies on its root: so walks a spec's `self:`.
  [[nodiscard]] Met meet(std::uint32_t ns, std::string_view path,
                         const std::vector<bool>& unseen = {},
                         std::uint32_t without = no_index) const;
  /// The mount of that place.
  [[nodiscard]] std::uint32_t walk(std::uint32_t ns, std::string_view path,
                                   const std::vector<bool>& unseen = {},
                                   std::uint32_t without = no_index) const {
    return meet(ns, path, unseen, without).mount;
  }

  /// All mounts, namespace by namespace, in tree order: a mount before those below it, siblings by
  /// the bytes of their places.
  [[nodiscard]] std::vector<std::uint32_t> tree_order() const;

 private:
  void add(std::uint32_t parent, std::string_view place, std::uint32_t ns);
  void index_children();
  [[nodiscard]] std::uint32_t topmost(std::uint32_t bottom, const std::vector<bool>& unseen,
                                      std::uint32_t without) const;

  std::vector<std::uint32_t> parents_;
  std::vector<std::string_view> places_;
  std::vector<std::uint32_t> namespaces_;
  std::vector<std::uint32_t> roots_;    ///< of each namespace
  std::vector<std::uint32_t> ordered_;  ///< all mounts but the roots, by (parent, place)
  std::vector<std::size_t> first_;      ///< where the children of a mount begin in ordered_
};

}  // namespace mntcr
