// The finished tree of a spec's mounts: what lies where, and what a walk of a path meets. It works
// on the index of a mount in Spec::mounts and knows nothing of what a mount shows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spec/spec.h"

namespace mntcr::layout {

/// Index in Spec::mounts.
using MountIndex = std::uint32_t;

/// A mount, and the way on from its root.
struct Place {
  MountIndex mount = 0;
  std::string rest;
};

/// See the top of the file. Two facts make walks cheap: only the top of a stack is ever met, and
/// what lies strictly below a target lies on the top of the stack there (language.md, rule 1).
class Tree {
 public:
  explicit Tree(const spec::Spec& spec);

  /// What `mount` lies on; nothing for the root.
  [[nodiscard]] std::optional<Place> below(MountIndex mount) const;

  /// What a walk of the absolute `path` meets when `mount` and all that lies on it are not there.
  /// Nothing when no root is left.
  [[nodiscard]] std::optional<Place> walk_without(std::string_view path, MountIndex mount) const;

  /// The mounts at each target that has any, bottom up.
  [[nodiscard]] const std::map<std::string, std::vector<MountIndex>, std::less<>>& stacks() const {
    return stacks_;
  }

 private:
  /// The mount of the stack at `mount`'s target that lies directly under it.
  [[nodiscard]] std::optional<MountIndex> underlying(MountIndex mount) const;
  /// The top of the stack at `from`, or at the nearest folder above it, with the way on to `path`.
  [[nodiscard]] std::optional<Place> meet(std::string_view from, std::string_view path) const;

  const spec::Spec& spec_;
  std::map<std::string, std::vector<MountIndex>, std::less<>> stacks_;
};

}  // namespace mntcr::layout
