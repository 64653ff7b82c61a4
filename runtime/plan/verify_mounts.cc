// What is wrong with the desired mounts: that they are trees, one for each namespace, and that
// their peer groups could be ones of a kernel.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/plan/verify_parts.h"

namespace mntcr {
namespace {

Fault namespaces_fault(const Plan& plan) {
  if (plan.namespaces.empty() || plan.namespaces.front().name != main_namespace)
    return "its first namespace is not main";
  std::set<std::string_view> names;
  for (std::size_t index = 0; index < plan.namespaces.size(); ++index) {
    const DesiredNamespace& ns = plan.namespaces[index];
    if (!is_container_name(ns.name))
      return fmt::format("namespace {} has a name that is none", index);
    if (!names.insert(ns.name).second) return fmt::format("namespace {} has another's name", index);
    if (ns.clone != no_index && ns.clone >= index)
      return fmt::format("namespace {} is a copy of none before it", index);
  }
  return std::nullopt;
}

Fault group_fault(const Plan& plan, std::size_t index) {
  const DesiredGroup& group = plan.groups[index];
  if (group.master != no_index && group.master >= index) return "does not follow its master";
  if (is_crossing(group) && !path::is_normal_absolute(group.parent))
    return "has a path that is not normal";
  if (is_crossing(group) && group.master != no_index) return "is the parent's and has a master";
  if (!is_crossing(group) && group.exact) return "has a mountpoint in the parent without a path";
  return std::nullopt;
}

Fault groups_fault(const Plan& plan) {
  for (std::size_t index = 0; index < plan.groups.size(); ++index) {
    if (const Fault fault = group_fault(plan, index))
      return fmt::format("group {} {}", index, *fault);
  }
  return std::nullopt;
}

/// The mounts of a namespace stand together, its root first.
Fault place_fault(const Plan& plan, std::size_t index) {
  const DesiredMount& mount = plan.mounts[index];
  const std::uint32_t before = index == 0 ? no_index : plan.mounts[index - 1].ns;
  const bool is_root = index == 0 || mount.ns == before + 1;
  if (mount.ns >= plan.namespaces.size()) return "is in no namespace of the plan";
  if (!is_root && mount.ns != before) return "stands apart from its namespace";
  if (index == 0 && mount.ns != 0) return "stands apart from its namespace";
  if (is_root ? mount.parent != no_index : mount.parent >= index)
    return "does not follow its parent";
  if (is_root && !(mount.target == "/" && mount.mountpoint.empty())) return "is no root";
  if (!is_root && plan.mounts[mount.parent].ns != mount.ns) return "lies on another namespace";
  return std::nullopt;
}

Fault mount_fault(const Plan& plan, std::size_t index) {
  const DesiredMount& mount = plan.mounts[index];
  if (Fault fault = place_fault(plan, index)) return fault;
  if (mount.superblock >= plan.superblocks.size()) return "shows no superblock of the plan";
  if (!path::is_normal_absolute(mount.target)) return "has a target that is not normal";
  if (!path::is_normal_relative(mount.mountpoint)) return "has a mountpoint that is not normal";
  if (!path::is_normal_relative(mount.root)) return "has a root that is not normal";
  if (!is_sound(mount.attrs)) return "has flags without meaning";
  if (!mount.name.empty() && !is_container_name(mount.name)) return "has a name that is none";
  if (!mount.self.empty() && !path::is_normal_absolute(mount.self))
    return "shows a path that is not normal";
  if (mount.of != no_index && mount.of >= plan.mounts.size())
    return "takes its filesystem from no mount of the plan";
  if (mount.idmap != no_index && mount.idmap >= plan.idmaps.size())
    return "has no idmap of the plan";
  return std::nullopt;
}

/// The propagation that the kernel's rules allow a mount.
Fault propagation_fault(const Plan& plan, const DesiredMount& mount) {
  const auto is_none = [&](std::uint32_t group) {
    return group != no_index && group >= plan.groups.size();
  };
  if (is_none(mount.group)) return "is a member of no group of the plan";
  if (is_none(mount.master)) return "is a slave of no group of the plan";
  if (mount.group == no_index) return std::nullopt;
  if (mount.master != plan.groups[mount.group].master) return "has another master than its group";
  if (mount.unbindable) return "is unbindable and a member of a group";
  return std::nullopt;
}

/// All that has to do with a group of the container's own shows one superblock, also over masters
/// and slaves; with a group of the parent's, filesystems of the parent.
class OneSuperblock {
 public:
  explicit OneSuperblock(const Plan& plan) : plan_(plan), seen_(plan.groups.size(), no_index) {
    for (std::uint32_t index = 0; index < plan.groups.size(); ++index) {
      const std::uint32_t master = plan.groups[index].master;
      const bool own = master != no_index && !is_crossing(plan.groups[master]);
      top_.push_back(own ? top_[master] : index);
    }
  }

  Fault next(const DesiredMount& mount) {
    const std::uint32_t group = mount.group != no_index ? mount.group : mount.master;
    if (group == no_index) return std::nullopt;
    if (comes_from_parent(group) &&
        plan_.superblocks[mount.superblock].kind != DesiredSuperblock::Kind::parent)
      return "shares a filesystem of its own with the parent";
    if (is_crossing(plan_.groups[group])) return std::nullopt;
    std::uint32_t& seen = seen_[top_[group]];
    if (seen == no_index) seen = mount.superblock;
    return seen == mount.superblock ? Fault() : "shows another superblock than its group";
  }

 private:
  [[nodiscard]] bool comes_from_parent(std::uint32_t group) const {
    const DesiredGroup& top = plan_.groups[top_[group]];
    return is_crossing(top) || top.master != no_index;
  }

  const Plan& plan_;
  std::vector<std::uint32_t> top_;   ///< by group, the first of its masters that is our own
  std::vector<std::uint32_t> seen_;  ///< by such a group, the superblock
};

/// The inodes of a plan that have no name in the end, by their places before.
using Unnamed = std::set<std::pair<std::uint32_t, std::string_view>>;

/// A mount with `deleted` shows one inode of a filesystem that the plan makes, and nothing lies on
/// it: the kernel mounts nothing on what has no name.
Fault deleted_fault(const Plan& plan, std::size_t index, const Unnamed& unnamed) {
  const DesiredMount& mount = plan.mounts[index];
  const bool is_root = mount.parent == no_index;
  if (!is_root && plan.mounts[mount.parent].deleted) return "lies on what has no name";
  if (!mount.deleted) return std::nullopt;
  if (is_root) return "is a root without a name";
  const bool held = unnamed.contains({mount.superblock, mount.root});
  if (deleted_label(mount.root).empty() || !held) return "shows no inode without a name";
  return std::nullopt;
}

}  // namespace

Fault mounts_fault(const Plan& plan) {
  if (Fault fault = namespaces_fault(plan)) return fault;
  if (Fault fault = groups_fault(plan)) return fault;
  if (plan.mounts.empty()) return "it has no mounts";
  Unnamed unnamed;
  for (const DesiredNode& node : plan.nodes) {
    if (node.deleted) unnamed.emplace(node.superblock, node.path);
  }
  OneSuperblock superblocks(plan);
  std::set<std::pair<std::uint32_t, std::string_view>> places;
  for (std::size_t index = 0; index < plan.mounts.size(); ++index) {
    const DesiredMount& mount = plan.mounts[index];
    Fault fault = mount_fault(plan, index);
    if (!fault) fault = propagation_fault(plan, mount);
    if (!fault) fault = superblocks.next(mount);
    if (!fault) fault = deleted_fault(plan, index, unnamed);
    const bool is_root = mount.parent == no_index;
    if (!fault && !is_root && !places.emplace(mount.parent, mount.mountpoint).second)
      fault = "stands where another does";
    if (fault) return fmt::format("mount {} {}", index, *fault);
  }
  if (plan.mounts.back().ns + 1 != plan.namespaces.size())
    return "it has namespaces without mounts";
  return std::nullopt;
}

}  // namespace mntcr
