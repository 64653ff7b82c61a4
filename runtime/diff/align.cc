#include "runtime/diff/align.h"

#include <algorithm>
#include <functional>
#include <span>

#include "runtime/diff/compare.h"
#include "runtime/diff/identity.h"
#include "runtime/diff/namespaces.h"

namespace mntcr {
namespace {

using Layers = std::vector<std::uint32_t>;

/// How well two mounts fit, 0 when they are not the same.
using Score = std::function<std::uint32_t(std::uint32_t desired, std::uint32_t live)>;

/// A place of both trees: the bottoms of the stacks there, no_index for none.
struct Place {
  std::uint32_t desired = no_index;
  std::uint32_t live = no_index;
};

bool is_paired(const Pair& pair) { return pair.desired != no_index && pair.live != no_index; }

/// The places that lie on a pair, in order. Whatever has no counterpart still has places of its
/// own.
std::vector<Place> places_on(const Pair& pair, const MountTree& desired, const MountTree& live) {
  const auto on = [](const MountTree& tree, std::uint32_t mount) {
    return mount == no_index ? std::span<const std::uint32_t>{} : tree.children(mount);
  };
  auto left = on(desired, pair.desired);
  auto right = on(live, pair.live);
  std::vector<Place> places;
  while (!left.empty() || !right.empty()) {
    Place place;
    const bool take_left =
        right.empty() || (!left.empty() && desired.place(left[0]) <= live.place(right[0]));
    const bool take_right =
        left.empty() || (!right.empty() && live.place(right[0]) <= desired.place(left[0]));
    const std::string_view where = take_left ? desired.place(left[0]) : live.place(right[0]);
    if (take_left) place.desired = left[0];
    if (take_right) place.live = right[0];
    left = left.subspan(take_left ? 1 : 0);
    right = right.subspan(take_right ? 1 : 0);
    if (!where.empty()) places.push_back(place);  // "" is the next layer of the stack itself
  }
  return places;
}

/// The roots of all namespaces of either side.
std::vector<Place> pair_namespace_roots(const Plan& plan, const MountTable& table,
                                        const MountTree& desired, const MountTree& live) {
  std::vector<Place> places;
  const std::vector<std::uint32_t> pairs = pair_namespaces(plan, table);
  for (std::uint32_t ns = 0; ns < pairs.size(); ++ns) {
    places.push_back({desired.root(ns), pairs[ns] == no_index ? no_index : live.root(pairs[ns])});
  }
  for (const std::uint32_t ns : odd_namespaces(plan, table).appeared)
    places.push_back({no_index, live.root(ns)});
  return places;
}

/// Goes over all places in tree order, from `roots` on. `at` gets the stacks of a place and says
/// how they pair up.
void for_each_place(const MountTree& desired, const MountTree& live,
                    const std::vector<Place>& roots,
                    const std::function<std::vector<Pair>(const Layers&, const Layers&)>& at) {
  std::vector<Place> todo(roots.rbegin(), roots.rend());
  while (!todo.empty()) {
    const Place place = todo.back();
    todo.pop_back();
    const Layers left = place.desired == no_index ? Layers{} : desired.stack(place.desired);
    const Layers right = place.live == no_index ? Layers{} : live.stack(place.live);
    for (const Pair& pair : at(left, right)) {
      const std::vector<Place> above = places_on(pair, desired, live);
      todo.insert(todo.end(), above.rbegin(), above.rend());
    }
  }
}

/// The best common subsequence of two stacks: the most pairs, and of those the best fitting, from
/// the bottom up where that leaves a choice. Between two pairs removed mounts come before added
/// ones.
std::vector<Pair> best_alignment(const Layers& desired, const Layers& live, const Score& score) {
  const std::size_t columns = live.size() + 1;
  std::vector<std::uint32_t> best((desired.size() + 1) * columns, 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
    return best[(i * columns) + j];
  };
  for (std::size_t i = desired.size(); i-- > 0;) {
    for (std::size_t j = live.size(); j-- > 0;) {
      const std::uint32_t fit = score(desired[i], live[j]);
      at(i, j) = std::max({at(i + 1, j), at(i, j + 1), fit > 0 ? fit + at(i + 1, j + 1) : 0});
    }
  }
  std::vector<Pair> pairs;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < desired.size() || j < live.size()) {
    const std::uint32_t fit =
        i < desired.size() && j < live.size() ? score(desired[i], live[j]) : 0;
    if (fit > 0 && at(i, j) == fit + at(i + 1, j + 1)) {
      pairs.push_back({desired[i++], live[j++]});
    } else if (i < desired.size() && at(i, j) == at(i + 1, j)) {
      pairs.push_back({desired[i++], no_index});
    } else {
      pairs.push_back({no_index, live[j++]});
    }
  }
  return pairs;
}

/// An alignment in linear space for stacks that nobody builds by intention: each desired layer
/// takes the next live one that is the same.
std::vector<Pair> quick_alignment(const Layers& desired, const Layers& live, const Score& score) {
  std::vector<Pair> pairs;
  std::size_t next = 0;
  for (const std::uint32_t layer : desired) {
    const auto same = [&](std::uint32_t candidate) { return score(layer, candidate) > 0; };
    const auto found =
        std::ranges::find_if(live.begin() + static_cast<std::ptrdiff_t>(next), live.end(), same);
    if (found == live.end()) {
      pairs.push_back({layer, no_index});
      continue;
    }
    const auto index = static_cast<std::size_t>(found - live.begin());
    for (; next < index; ++next) pairs.push_back({no_index, live[next]});
    pairs.push_back({layer, live[next++]});
  }
  for (; next < live.size(); ++next) pairs.push_back({no_index, live[next]});
  return pairs;
}

/// Binds the superblocks of the pairs and takes those apart again that contradict an earlier one.
std::vector<Pair> confirm(const std::vector<Pair>& proposed, Identities& identities) {
  std::vector<Pair> pairs;
  for (const Pair& pair : proposed) {
    if (!is_paired(pair)) {
      pairs.push_back(pair);
    } else if (identities.same(pair.desired, pair.live)) {
      identities.bind(pair.desired, pair.live);
      pairs.push_back(pair);
    } else if (identities.deleted(pair.desired, pair.live) != Deleted::no) {
      pairs.push_back({pair.desired, pair.live, true});
    } else {
      pairs.push_back({pair.desired, no_index});
      pairs.push_back({no_index, pair.live});
    }
  }
  return pairs;
}

/// Where one mount whose source is gone stands alone against one that is nothing else: it is that
/// one.
void pair_unknown_sources(std::vector<Pair>& pairs, const Identities& identities) {
  for (auto begin = pairs.begin(); begin != pairs.end();) {
    const auto end = std::find_if(begin, pairs.end(), is_paired);
    const bool one_each = end - begin == 2 && begin->desired != no_index &&
                          begin->live == no_index && (begin + 1)->live != no_index &&
                          (begin + 1)->desired == no_index;
    if (one_each && identities.unknown(begin->desired)) {
      *begin = {begin->desired, (begin + 1)->live, true};
      begin = pairs.erase(begin + 1);
    } else {
      begin = std::find_if_not(end, pairs.end(), is_paired);
    }
  }
}

/// A namespace always has a root: the bottoms of its stack are one mount, of whatever source.
void pair_roots(std::vector<Pair>& pairs, const MountTree& desired_tree,
                const MountTree& live_tree) {
  const auto root_of = [](const MountTree& tree) {
    return [&](std::uint32_t mount) { return mount != no_index && tree.is_root(mount); };
  };
  const auto desired = std::ranges::find_if(pairs, root_of(desired_tree), &Pair::desired);
  const auto live = std::ranges::find_if(pairs, root_of(live_tree), &Pair::live);
  if (desired == pairs.end() || live == pairs.end() || desired == live) return;
  if (desired->live != no_index || live->desired != no_index) return;
  const Pair roots{desired->desired, live->live, true};
  pairs.erase(std::max(desired, live));
  pairs.erase(std::min(desired, live));
  pairs.insert(pairs.begin(), roots);
}

constexpr std::size_t most_cells = 1U << 20U;  ///< of the table that best_alignment makes
constexpr std::uint32_t deleted_source = 1;
constexpr std::uint32_t same_source = 1U
                                      << 12U;  ///< outweighs the likeness of all layers of a stack

/// Whether propagation is of the same kind on both sides; which groups it is about is found out by
/// the pairs.
bool is_shared_alike(const DesiredMount& desired, const LiveMount& live) {
  return (desired.group != no_index) == (live.peer_group != 0) &&
         desired.unbindable == live.unbindable &&
         (desired.group != no_index || (desired.master != no_index) == (live.master != 0));
}

Score score_of(const Plan& plan, const MountTable& live, const Identities& identities) {
  return [&](std::uint32_t desired, std::uint32_t candidate) -> std::uint32_t {
    if (!identities.same(desired, candidate)) {
      return identities.deleted(desired, candidate) == Deleted::no ? 0 : deleted_source;
    }
    const DesiredMount& wanted = plan.mounts[desired];
    const LiveMount& found = live.mounts[candidate];
    const bool like =
        compare_mount(wanted, found).empty() && is_shared_alike(wanted, found) &&
        compare_superblock(plan.superblocks[wanted.superblock], found, live.ids_are_ours).empty();
    return like ? same_source + 1 : same_source;
  };
}

}  // namespace

std::vector<Pair> align(const Plan& plan, const ResolvedSources& sources, const MountTable& live) {
  const MountTree desired_tree(plan);
  const MountTree live_tree(live);
  Identities identities(plan, sources, live, desired_tree, live_tree);
  const Score score = score_of(plan, live, identities);
  std::vector<Pair> all;
  const auto roots = pair_namespace_roots(plan, live, desired_tree, live_tree);
  for_each_place(desired_tree, live_tree, roots, [&](const Layers& wanted, const Layers& found) {
    const bool small = wanted.size() <= most_cells / (found.size() + 1);
    std::vector<Pair> pairs = confirm(
        small ? best_alignment(wanted, found, score) : quick_alignment(wanted, found, score),
        identities);
    pair_unknown_sources(pairs, identities);
    pair_roots(pairs, desired_tree, live_tree);
    for (Pair& pair : pairs) {
      if (pair.other_source) pair.deleted_source = identities.deleted(pair.desired, pair.live);
    }
    all.insert(all.end(), pairs.begin(), pairs.end());
    return pairs;
  });
  return all;
}

std::vector<std::uint32_t> counterparts(const Plan& plan, const MountTable& live,
                                        const std::vector<Change>& changes) {
  std::vector<bool> removed(plan.mounts.size(), false);
  std::vector<bool> added(live.mounts.size(), false);
  for (const Change& change : changes) {
    if (change.kind == Change::Kind::removed) removed[change.desired] = true;
    if (change.kind == Change::Kind::added) added[change.live] = true;
  }
  std::vector<std::uint32_t> found(plan.mounts.size(), no_index);
  if (plan.mounts.empty()) return found;
  const MountTree desired_tree(plan);
  const MountTree live_tree(live);
  const auto roots = pair_namespace_roots(plan, live, desired_tree, live_tree);
  for_each_place(desired_tree, live_tree, roots, [&](Layers wanted, Layers present) {
    std::erase_if(wanted, [&](std::uint32_t mount) { return removed[mount]; });
    std::erase_if(present, [&](std::uint32_t mount) { return added[mount]; });
    std::vector<Pair> pairs;
    for (std::size_t at = 0; at < std::min(wanted.size(), present.size()); ++at) {
      found[wanted[at]] = present[at];
      pairs.push_back({wanted[at], present[at]});
    }
    return pairs;
  });
  return found;
}

}  // namespace mntcr
