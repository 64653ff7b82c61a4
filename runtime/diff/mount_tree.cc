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
  for (const DesiredMount& mount : plan.mounts) add(mount.parent, mount.mountpoint, mount.ns);
  index_children();
}

MountTree::MountTree(const MountTable& table) {
  for (const LiveMount& mount : table.mounts) add(mount.parent, mount.below_parent, mount.ns);
  index_children();
}

void MountTree::add(std::uint32_t parent, std::string_view place, std::uint32_t ns) {
  if (parent == no_index) {
    if (ns >= roots_.size()) roots_.resize(ns + 1, no_index);
    if (roots_[ns] == no_index) roots_[ns] = static_cast<std::uint32_t>(size());
  }
  parents_.push_back(parent);
  places_.push_back(place);
  namespaces_.push_back(ns);
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

std::vector<std::uint32_t> MountTree::tree_order() const {
  std::vector<std::uint32_t> order;
  order.reserve(size());
  for (const std::uint32_t start : roots_) {
    std::vector<std::uint32_t> todo;
    if (start != no_index) todo.push_back(start);
    while (!todo.empty()) {
      order.push_back(todo.back());
      todo.pop_back();
      const auto above = children(order.back());
      todo.insert(todo.end(), above.rbegin(), above.rend());
    }
  }
  return order;
}

MountTree::Met MountTree::meet(std::uint32_t ns, std::string_view path,
                               const std::vector<bool>& unseen, std::uint32_t without) const {
  if (root(ns) == no_index) return {};
  Met here{topmost(root(ns), unseen, without), {}};
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
