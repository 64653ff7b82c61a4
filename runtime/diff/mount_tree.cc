#include "runtime/diff/mount_tree.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

bool is_unseen(const std::vector<bool>& unseen, std::uint32_t mount) {
  return !unseen.empty() && unseen[mount];
}

}  // namespace

MountTree::MountTree(const Plan& plan) {
  for (const DesiredMount& mount : plan.mounts) {
    parents_.push_back(mount.parent);
    places_.emplace_back(mount.mountpoint);
  }
  index_children();
}

MountTree::MountTree(const MountTable& table) {
  for (const LiveMount& mount : table.mounts) {
    parents_.push_back(mount.parent);
    places_.emplace_back(mount.below_parent);
  }
  index_children();
}

void MountTree::index_children() {
  for (std::uint32_t mount = 0; mount < size(); ++mount) {
    if (parents_[mount] != no_index) ordered_.push_back(mount);
  }
  std::ranges::sort(ordered_, [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(parents_[a], places_[a], a) < std::tie(parents_[b], places_[b], b);
  });
  first_.assign(size() + 1, 0);
  for (const std::uint32_t mount : ordered_) ++first_[parents_[mount] + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
}

std::span<const std::uint32_t> MountTree::children(std::uint32_t mount) const {
  return std::span(ordered_).subspan(first_[mount], first_[mount + 1] - first_[mount]);
}

std::uint32_t MountTree::child_at(std::uint32_t mount, std::string_view place) const {
  const auto all = children(mount);
  const auto found =
      std::ranges::lower_bound(all, place, {}, [&](std::uint32_t child) { return places_[child]; });
  return found != all.end() && places_[*found] == place ? *found : no_index;
}

std::vector<std::uint32_t> MountTree::stack(std::uint32_t bottom) const {
  std::vector<std::uint32_t> layers;
  for (std::uint32_t layer = bottom; layer != no_index; layer = child_at(layer, "")) {
    layers.push_back(layer);
  }
  return layers;
}

std::vector<std::uint32_t> MountTree::covered_by(std::uint32_t mount) const {
  const std::uint32_t below = parents_[mount];
  if (below == no_index) return {};
  const auto place_of = [&](std::uint32_t child) { return places_[child]; };
  std::vector<std::uint32_t> covered;
  if (places_[mount].empty()) covered.push_back(below);
  // What lies below a place stands in one run: "a/b" and "a/c" follow "a/", while "a-b" does not.
  const std::string prefix = places_[mount].empty() ? "" : std::string(places_[mount]) + '/';
  const auto all = children(below);
  auto sibling = std::ranges::lower_bound(all, std::string_view(prefix), {}, place_of);
  for (; sibling != all.end() && places_[*sibling].starts_with(prefix); ++sibling) {
    if (*sibling != mount) covered.push_back(*sibling);
  }
  return covered;
}

// The highest mount of a stack that is seen; no_index when none is.
std::uint32_t MountTree::topmost(std::uint32_t bottom, const std::vector<bool>& unseen,
                                 std::uint32_t without) const {
  std::uint32_t seen = no_index;
  for (const std::uint32_t layer : stack(bottom)) {
    if (layer == without) break;
    if (!is_unseen(unseen, layer)) seen = layer;
  }
  return seen;
}

MountTree::Met MountTree::meet(std::string_view path, const std::vector<bool>& unseen,
                               std::uint32_t without) const {
  if (parents_.empty()) return {};
  Met here{topmost(0, unseen, without), {}};
  if (here.mount == no_index) return here;
  for (const std::string_view component : path::components(path)) {
    here.rest = path::join(here.rest, component);
    const std::uint32_t child = child_at(here.mount, here.rest);
    const std::uint32_t next = child == no_index ? no_index : topmost(child, unseen, without);
    if (next != no_index) here = {next, {}};
  }
  return here;
}

}  // namespace mntcr
