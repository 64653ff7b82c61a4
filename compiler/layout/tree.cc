// See tree.h.
#include "compiler/layout/tree.h"

#include <algorithm>

#include "runtime/base/path.h"

namespace mntcr::layout {

Tree::Tree(const spec::Spec& spec) : spec_(spec) {
  for (MountIndex mount = 0; mount < spec.mounts.size(); ++mount) {
    stacks_[spec.mounts[mount].target.value].push_back(mount);
  }
}

std::optional<MountIndex> Tree::underlying(MountIndex mount) const {
  const auto& stack = stacks_.find(spec_.mounts[mount].target.value)->second;
  const auto at = std::lower_bound(stack.begin(), stack.end(), mount);
  if (at == stack.begin()) return std::nullopt;
  return *(at - 1);
}

std::optional<Place> Tree::meet(std::string_view from, std::string_view path) const {
  for (;; from = path::parent(from)) {
    const auto stack = stacks_.find(from);
    if (stack != stacks_.end()) return Place{stack->second.back(), path::relative_to(path, from)};
    if (from == "/") return std::nullopt;
  }
}

std::optional<Place> Tree::below(MountIndex mount) const {
  return walk_without(spec_.mounts[mount].target.value, mount);
}

std::optional<Place> Tree::walk_without(std::string_view path, MountIndex mount) const {
  const std::string_view target = spec_.mounts[mount].target.value;
  if (!path::is_at_or_below(path, target)) return meet(path, path);
  if (const auto under = underlying(mount)) return Place{*under, path::relative_to(path, target)};
  if (target == "/") return std::nullopt;
  return meet(path::parent(target), path);
}

}  // namespace mntcr::layout
