// The kernel lists mounts by age, and a child can be older than its parent (pivot_root,
// move_mount). A table in tree order with sorted siblings makes equal states equal whatever their
// history. Everything here is linear but for the sorting, and no recursion follows the depth of the
// tree.
#include "runtime/capture/table_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

/// Positions of rows by id: sorted pairs, for ids nearly always come ascending.
class IdIndex {
 public:
  explicit IdIndex(const std::vector<MountRow>& rows) {
    pairs_.reserve(rows.size());
    for (std::uint32_t i = 0; i < rows.size(); ++i) pairs_.emplace_back(rows[i].mount.id, i);
    if (!std::is_sorted(pairs_.begin(), pairs_.end())) std::sort(pairs_.begin(), pairs_.end());
  }

  [[nodiscard]] std::optional<std::uint64_t> duplicate() const {
    const auto same_id = [](const auto& a, const auto& b) { return a.first == b.first; };
    const auto found = std::adjacent_find(pairs_.begin(), pairs_.end(), same_id);
    if (found == pairs_.end()) return std::nullopt;
    return found->first;
  }

  [[nodiscard]] std::uint32_t find(std::uint64_t id) const {
    const auto found = std::lower_bound(pairs_.begin(), pairs_.end(), std::pair{id, 0U});
    return found != pairs_.end() && found->first == id ? found->second : none;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint32_t>> pairs_;
};

/// The children of each row, one after another in one vector.
struct Children {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> begin;  ///< children of row i: rows[begin[i]] to rows[begin[i + 1]]
};

Children children_of(const std::vector<std::uint32_t>& parents) {
  Children children;
  children.begin.assign(parents.size() + 2, 0);
  for (const std::uint32_t parent : parents) {
    if (parent != none) ++children.begin[parent + 2];
  }
  for (std::size_t i = 2; i < children.begin.size(); ++i)
    children.begin[i] += children.begin[i - 1];
  children.rows.resize(children.begin.back());
  for (std::uint32_t i = 0; i < parents.size(); ++i) {
    if (parents[i] != none) children.rows[children.begin[parents[i] + 1]++] = i;
  }
  children.begin.pop_back();
  return children;
}

/// The parents of all rows by position; `none` for the root.
Result<std::vector<std::uint32_t>> parents_of(const std::vector<MountRow>& rows) {
  const IdIndex index(rows);
  if (const auto twice = index.duplicate()) {
    return fail(fmt::format("two mounts have the id {}", *twice));
  }
  std::vector<std::uint32_t> parents(rows.size());
  std::uint32_t root = none;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    parents[i] = index.find(rows[i].parent_id);
    if (parents[i] == i) parents[i] = none;
    if (parents[i] != none) continue;
    if (root != none) {
      return fail(fmt::format(
          "only a part of the namespace can be seen: the mounts below {} and {} "
          "have no common root",
          path::printable(rows[root].mount.mountpoint), path::printable(rows[i].mount.mountpoint)));
    }
    root = i;
  }
  if (root == none) return fail("no mount is the root of the others");
  if (rows[root].mount.mountpoint != "/") {
    return fail(
        fmt::format("only a part of the namespace can be seen, the root is not: the topmost "
                    "mount is at {}",
                    path::printable(rows[root].mount.mountpoint)));
  }
  return parents;
}

/// Fills below_parent of all rows.
Result<void> place(std::vector<MountRow>& rows, const std::vector<std::uint32_t>& parents) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (parents[i] == none) continue;
    LiveMount& mount = rows[i].mount;
    const LiveMount& parent = rows[parents[i]].mount;
    if (!mount.mountpoint.starts_with('/') ||
        !path::is_at_or_below(mount.mountpoint, parent.mountpoint)) {
      return fail(fmt::format("the mount {} at {} does not lie below its parent at {}", mount.id,
                              path::printable(mount.mountpoint),
                              path::printable(parent.mountpoint)));
    }
    mount.below_parent = path::relative_to(mount.mountpoint, parent.mountpoint);
  }
  return {};
}

/// The rows in tree order: depth first, siblings by the bytes of below_parent. One place can carry
/// two mounts only where its directory was renamed away and made again; the older id comes first.
std::vector<std::uint32_t> tree_order(const std::vector<MountRow>& rows,
                                      const std::vector<std::uint32_t>& parents) {
  Children children = children_of(parents);
  const auto later = [&](std::uint32_t a, std::uint32_t b) {
    const int order = rows[a].mount.below_parent.compare(rows[b].mount.below_parent);
    return order != 0 ? order > 0 : rows[a].mount.id > rows[b].mount.id;
  };
  std::vector<std::uint32_t> order;
  order.reserve(rows.size());
  const auto root = std::find(parents.begin(), parents.end(), none);
  std::vector<std::uint32_t> waiting{static_cast<std::uint32_t>(root - parents.begin())};
  while (!waiting.empty()) {
    const std::uint32_t row = waiting.back();
    waiting.pop_back();
    order.push_back(row);
    const auto begin = children.rows.begin() + children.begin[row];
    const auto end = children.rows.begin() + children.begin[row + 1];
    std::sort(begin, end, later);
    waiting.insert(waiting.end(), begin, end);
  }
  return order;
}

}  // namespace

Result<MountTable> build_mount_table(std::vector<MountRow> rows, bool unique_ids) {
  const auto parents = parents_of(rows);
  if (!parents) return Failure(parents.error());
  if (auto placed = place(rows, *parents); !placed) return Failure(placed.error());
  const std::vector<std::uint32_t> order = tree_order(rows, *parents);
  if (order.size() != rows.size()) return fail("some mounts are one another's parents");

  std::vector<std::uint32_t> position(rows.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  MountTable table;
  table.unique_ids = unique_ids;
  table.mounts.reserve(rows.size());
  for (const std::uint32_t row : order) {
    LiveMount& mount = table.mounts.emplace_back(std::move(rows[row].mount));
    const std::uint32_t parent = (*parents)[row];
    mount.parent = parent == none ? none : position[parent];
  }
  return table;
}

}  // namespace mntcr
