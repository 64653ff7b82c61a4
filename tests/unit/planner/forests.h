// Random Layouts that are drawn as what they are: forests of peer groups over the mount trees of
// several namespaces. No sequence of operations led there, so nothing about them is likely: members
// without a common root, slaves wider than their master, hidden mounts, mounts over a root.
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/plan/counts.h"
#include "tests/unit/planner/layouts.h"

namespace mntcr::test {

/// See the top of the file. One use.
class ForestDrawer {
 public:
  explicit ForestDrawer(unsigned seed) : random_(seed) {}

  Layout draw() {
    layout_.name = "forest";
    for (std::size_t count = 1 + below(3); count > 0; --count)
      layout_.superblocks.push_back(made("tmpfs", {"size=1m"}));
    for (std::size_t count = below(7); count > 0; --count) add_group("g" + std::to_string(count));
    for (std::size_t ns = 1 + below(3); ns > 1; --ns)
      layout_.namespaces.push_back({"ns" + std::to_string(ns), no_index, {}});
    for (std::uint32_t ns = 0; ns < layout_.namespaces.size(); ++ns) draw_tree(ns);
    drop_empty_groups();
    put_in_order();
    return std::move(layout_);
  }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool once_in(std::size_t n) { return below(n) == 0; }

  std::string path(std::size_t deepest) {
    std::string path;
    for (std::size_t depth = below(deepest + 1); depth > 0; --depth)
      path += (path.empty() ? "" : "/") + std::string(1, once_in(2) ? 'a' : 'b');
    return path;
  }

  /// A group, at times the slave of an earlier one.
  std::uint32_t add_group(std::string name) {
    const auto index = static_cast<std::uint32_t>(layout_.groups.size());
    DesiredGroup group{.name = std::move(name), .parent = {}, .span = {0, 0, 1}};
    std::uint32_t superblock = static_cast<std::uint32_t>(below(layout_.superblocks.size()));
    if (index > 0 && once_in(2)) {
      group.master = static_cast<std::uint32_t>(below(index));
      superblock = shown_[group.master];
    }
    layout_.groups.push_back(std::move(group));
    shown_.push_back(superblock);
    return index;
  }

  void draw_tree(std::uint32_t ns) {
    const auto first = static_cast<std::uint32_t>(layout_.mounts.size());
    add(ns, no_index, {});
    std::set<std::pair<std::uint32_t, std::string>> places;
    for (std::size_t count = below(16); count > 0; --count) {
      const std::uint32_t parent =
          first + static_cast<std::uint32_t>(below(layout_.mounts.size() - first));
      const std::string place = path(3);
      if (places.emplace(parent, place).second) add(ns, parent, place);
    }
  }

  void add(std::uint32_t ns, std::uint32_t parent, const std::string& place) {
    const auto superblock = static_cast<std::uint32_t>(below(layout_.superblocks.size()));
    LayoutMount& mount = add_mount(layout_, parent, superblock, place, path(3));
    mount.ns = ns;
    if (once_in(4)) mount.attrs = {mount_attr::nosuid, mount_attr::nosuid};
    if (once_in(6)) mount.attrs = {mount_attr::rdonly, mount_attr::rdonly};
    share(static_cast<std::uint32_t>(layout_.mounts.size() - 1));
  }

  void share(std::uint32_t index) {
    const std::size_t dice = below(20);
    const bool has_groups = !shown_.empty();
    LayoutMount& mount = layout_.mounts[index];
    if (dice < 9 && has_groups) {
      join(mount, static_cast<std::uint32_t>(below(shown_.size())));
    } else if (dice < 13 && has_groups) {
      mount.master = static_cast<std::uint32_t>(below(shown_.size()));
      mount.superblock = shown_[mount.master];
      mount.unbindable = once_in(3);
    } else if (dice < 15) {
      mount.unbindable = true;
    } else if (dice < 17) {
      join(mount, add_group({}));
    }
  }

  void join(LayoutMount& mount, std::uint32_t group) {
    mount.group = group;
    mount.master = layout_.groups[group].master;
    mount.superblock = shown_[group];
  }

  /// The nearest of `group` and the groups above it that has a member.
  [[nodiscard]] std::uint32_t inhabited(std::uint32_t group,
                                        const std::vector<bool>& has_members) const {
    while (group != no_index && !has_members[group]) group = layout_.groups[group].master;
    return group;
  }

  void drop_empty_groups() {
    std::vector<bool> has_members(layout_.groups.size(), false);
    for (const LayoutMount& mount : layout_.mounts) {
      if (mount.group != no_index) has_members[mount.group] = true;
    }
    std::vector<std::uint32_t> number(layout_.groups.size(), no_index);
    const auto numbered = [&](std::uint32_t group) {
      group = inhabited(group, has_members);
      return group == no_index ? no_index : number[group];
    };
    std::vector<DesiredGroup> groups;
    for (std::uint32_t group = 0; group < layout_.groups.size(); ++group) {
      if (!has_members[group]) continue;
      number[group] = static_cast<std::uint32_t>(groups.size());
      groups.push_back(layout_.groups[group]);
      groups.back().master = numbered(groups.back().master);
    }
    for (LayoutMount& mount : layout_.mounts) {
      if (mount.group != no_index) mount.group = number[mount.group];
      mount.master = mount.group != no_index ? groups[mount.group].master : numbered(mount.master);
    }
    layout_.groups = std::move(groups);
  }

  /// Depth first, siblings by the bytes of their mountpoints.
  void put_in_order() {
    std::vector<std::vector<std::uint32_t>> children(layout_.mounts.size());
    std::vector<std::uint32_t> todo;
    for (std::uint32_t index = 0; index < layout_.mounts.size(); ++index) {
      const std::uint32_t parent = layout_.mounts[index].parent;
      (parent == no_index ? todo : children[parent]).push_back(index);
    }
    std::ranges::reverse(todo);
    std::vector<std::uint32_t> number(layout_.mounts.size(), no_index);
    std::vector<LayoutMount> ordered;
    while (!todo.empty()) {
      const std::uint32_t index = todo.back();
      todo.pop_back();
      number[index] = static_cast<std::uint32_t>(ordered.size());
      ordered.push_back(layout_.mounts[index]);
      std::uint32_t& parent = ordered.back().parent;
      if (parent != no_index) parent = number[parent];
      std::ranges::sort(children[index], std::greater{}, [&](std::uint32_t child) {
        return std::string_view(layout_.mounts[child].mountpoint);
      });
      todo.insert(todo.end(), children[index].begin(), children[index].end());
    }
    layout_.mounts = std::move(ordered);
  }

  std::mt19937 random_;
  Layout layout_{.name = {}, .superblocks = {}, .mounts = {}, .filesystem_names = {}};
  std::vector<std::uint32_t> shown_;  ///< the superblock of each group's members
};

/// The forest of a seed.
inline Layout draw_forest(unsigned seed) { return ForestDrawer(seed).draw(); }

/// What many forests amounted to, so that a test of nothing is noticed.
struct ForestTally {
  std::size_t forests = 0;
  std::size_t mounts = 0;
  std::size_t without_leader = 0;  ///< forests with a group none of whose members shows all of it
  PlanCounts branches;

  void add(const Layout& layout, const Plan& plan) {
    ++forests;
    mounts += layout.mounts.size();
    without_leader += lacks_leader(layout) ? 1U : 0U;
    const PlanCounts counts = count_branches(plan);
    for (const auto count : plan_counts) branches.*count += counts.*count;
  }

  [[nodiscard]] std::string text() const {
    return "forests " + std::to_string(forests) + ", mounts " + std::to_string(mounts) +
           ", forests with a group that no member could lead " + std::to_string(without_leader) +
           "; alone " + std::to_string(branches.alone) + ", groups " +
           std::to_string(branches.inner_groups) + ", helpers " + std::to_string(branches.helpers) +
           ", helpers for slaves " + std::to_string(branches.slave_helpers) + ", unbindable " +
           std::to_string(branches.unbindable) + ", unbindable slaves " +
           std::to_string(branches.unbindable_slaves) + ", namespaces " +
           std::to_string(branches.namespaces) + "\n";
  }

 private:
  /// Whether a group has no member whose root holds those of all members and slaves: only a clone
  /// of something wider can hand the group on.
  static bool lacks_leader(const Layout& layout) {
    for (std::uint32_t group = 0; group < layout.groups.size(); ++group) {
      std::vector<std::string> roots;
      std::vector<std::string> members;
      for (const LayoutMount& mount : layout.mounts) {
        if (mount.group == group || mount.master == group) roots.push_back("/" + mount.root);
        if (mount.group == group) members.push_back("/" + mount.root);
      }
      const auto leads = [&](const std::string& member) {
        return std::ranges::all_of(
            roots, [&](const std::string& root) { return path::is_at_or_below(root, member); });
      };
      if (!std::ranges::any_of(members, leads)) return true;
    }
    return false;
  }
};

}  // namespace mntcr::test
