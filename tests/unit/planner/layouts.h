// Layouts for tests of the planner and the plan's form: short to write, and random ones.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "compiler/layout/layout.h"
#include "runtime/base/filesystem_flags.h"

namespace mntcr::test {

inline DesiredSuperblock parent_path(std::string path) {
  return {.kind = DesiredSuperblock::Kind::parent, .path = std::move(path), .span = {0, 0, 1}};
}

inline DesiredSuperblock made(std::string type, std::vector<std::string> params = {}) {
  return {.kind = DesiredSuperblock::Kind::made,
          .type = std::move(type),
          .params = std::move(params),
          .span = {0, 2, 3}};
}

/// A filesystem that is read-only itself.
inline DesiredSuperblock read_only(DesiredSuperblock superblock) {
  superblock.flags = {fs_flag::rdonly, fs_flag::rdonly};
  return superblock;
}

/// Another namespace: what is added after it without a parent is its root.
inline void add_namespace(Layout& layout, std::string name) {
  layout.namespaces.push_back({std::move(name), no_index, {0, 4, 8}});
}

/// A peer group of the container's own, perhaps with a master.
inline std::uint32_t add_group(Layout& layout, std::string name, std::uint32_t master = no_index) {
  layout.groups.push_back(
      {.name = std::move(name), .master = master, .parent = {}, .span = {0, 4, 8}});
  return static_cast<std::uint32_t>(layout.groups.size() - 1);
}

/// The group of the parent's mount that holds `path`.
inline std::uint32_t add_crossing(Layout& layout, std::string path, bool exact = false) {
  layout.groups.push_back(
      {.name = "parent", .parent = std::move(path), .exact = exact, .span = {0, 4, 8}});
  return static_cast<std::uint32_t>(layout.groups.size() - 1);
}

/// Makes the mount a member of `group`.
inline void join(Layout& layout, LayoutMount& mount, std::uint32_t group) {
  mount.group = group;
  mount.master = layout.groups.at(group).master;
}

/// A mount on `parent`, whose target is that of the parent and `mountpoint`.
inline LayoutMount& add_mount(Layout& layout, std::uint32_t parent, std::uint32_t superblock,
                              std::string mountpoint, std::string root = {}) {
  LayoutMount mount;
  mount.parent = parent;
  mount.superblock = superblock;
  const std::string base = parent == no_index ? "/" : layout.mounts.at(parent).target;
  mount.target = mountpoint.empty() ? base : (base == "/" ? "/" : base + "/") + mountpoint;
  mount.mountpoint = std::move(mountpoint);
  mount.root = std::move(root);
  mount.span = mount.target_span = mount.source_span = mount.propagation_span = {0, 4, 8};
  mount.ns = parent == no_index ? static_cast<std::uint32_t>(layout.namespaces.size() - 1)
                                : layout.mounts.at(parent).ns;
  return layout.mounts.emplace_back(std::move(mount));
}

/// An overlay of random layers among the superblocks that there are.
template <class Below>
void add_overlay(Layout& layout, Below below) {
  const auto any = [&] { return static_cast<std::uint32_t>(below(layout.superblocks.size())); };
  DesiredSuperblock overlay = made("overlay", {"index=off"});
  for (std::size_t count = 1 + below(3); count > 0; --count) {
    overlay.layers.push_back(
        {LayerRole::lower, any(), below(2) == 0 ? "low" : "", "/low", {0, 9, 10}});
  }
  if (below(2) == 0) {
    const std::uint32_t holder = any();
    overlay.layers.push_back({LayerRole::upper, holder, "rw/up", "/up", {0, 11, 12}});
    overlay.layers.push_back({LayerRole::work, holder, "rw/work", "/work", {0, 13, 14}});
  }
  layout.superblocks.push_back(std::move(overlay));
}

/// The root of a namespace and mounts below it, of the superblocks that there are.
inline void add_random_tree(Layout& layout, std::mt19937& random, std::size_t mounts) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::size_t first = layout.mounts.size();
  const std::size_t all = layout.superblocks.size();
  add_mount(layout, no_index, static_cast<std::uint32_t>(below(all)), "");
  std::set<std::pair<std::size_t, std::string>> places;
  while (layout.mounts.size() < first + mounts) {
    const std::size_t parent = first + below(layout.mounts.size() - first);
    std::string mountpoint;
    for (std::size_t depth = below(4); depth > 0; --depth) {
      mountpoint +=
          (mountpoint.empty() ? "" : "/") + std::string(1, static_cast<char>('a' + below(4)));
    }
    if (!places.emplace(parent, mountpoint).second) continue;
    LayoutMount& mount =
        add_mount(layout, static_cast<std::uint32_t>(parent),
                  static_cast<std::uint32_t>(below(all)), mountpoint, below(3) == 0 ? "part" : "");
    mount.create = static_cast<Create>(below(4));
    if (below(3) == 0) mount.attrs = {mount_attr::rdonly, mount_attr::rdonly};
    if (below(4) == 0) mount.idmap = static_cast<std::uint32_t>(below(2));
  }
}

/// A random Layout: some superblocks of both kinds, at times an overlay of them, a tree of mounts
/// with stacks, parts, flags and every way to create.
inline Layout random_layout(std::mt19937& random, std::size_t mounts) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  Layout layout{
      .name = "random",
      .superblocks = {},
      .mounts = {},
      .idmaps = {{{{0, 1000, 1}}, {{0, 1000, 1}}}, {{{0, 5, 2}, {2, 9, 1}}, {{7, 7, 7}}}}};
  const std::size_t superblocks = 1 + below(6);
  for (std::size_t index = 0; index < superblocks; ++index) {
    switch (below(6)) {
      case 0:
      case 1:
        layout.superblocks.push_back(parent_path("/src" + std::to_string(index)));
        break;
      case 2:
        layout.superblocks.push_back(read_only(made("tmpfs")));
        break;
      case 3:
        layout.superblocks.push_back(made("sysfs"));
        break;
      default:
        layout.superblocks.push_back(made("tmpfs", {"size=1m"}));
        break;
    }
  }
  if (below(3) == 0) add_overlay(layout, below);
  add_random_tree(layout, random, mounts);
  return layout;
}

/// Groups of both kinds for the mounts that there are: members, slaves and unbindable mounts. A
/// group with slaves has members.
inline void add_random_groups(Layout& layout, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  std::vector<std::uint32_t> superblock_of;
  for (std::size_t groups = below(7); groups > 0; --groups) {
    const auto superblock = static_cast<std::uint32_t>(below(layout.superblocks.size()));
    const bool parents = layout.superblocks[superblock].kind == DesiredSuperblock::Kind::parent;
    if (parents && below(2) == 0) {
      add_crossing(layout, layout.superblocks[superblock].path);
    } else {
      std::uint32_t master = no_index;
      for (std::uint32_t other = 0; other < superblock_of.size(); ++other)
        if (superblock_of[other] == superblock && below(2) == 0) master = other;
      add_group(layout, "g" + std::to_string(groups), master);
    }
    superblock_of.push_back(superblock);
  }
  const auto pick = [&](const LayoutMount& mount) {
    std::vector<std::uint32_t> fitting = {no_index};
    for (std::uint32_t group = 0; group < superblock_of.size(); ++group)
      if (superblock_of[group] == mount.superblock) fitting.push_back(group);
    return fitting[below(fitting.size())];
  };
  std::vector<bool> lives(layout.groups.size(), false);
  for (LayoutMount& mount : layout.mounts) {
    if (below(2) == 0) mount.group = pick(mount);
    if (mount.group != no_index) lives[mount.group] = true;
  }
  for (std::size_t group = 0; group < layout.groups.size(); ++group) {
    if (is_crossing(layout.groups[group])) lives[group] = true;
    std::uint32_t& master = layout.groups[group].master;
    while (master != no_index && !lives[master]) master = layout.groups[master].master;
  }
  for (LayoutMount& mount : layout.mounts) {
    if (mount.group != no_index) {
      mount.master = layout.groups[mount.group].master;
    } else {
      mount.master = pick(mount);
      if (mount.master != no_index && !lives[mount.master]) mount.master = no_index;
      mount.unbindable = below(4) == 0;
    }
  }
}

/// A random Layout of one to four namespaces with peer groups over all of them.
inline Layout random_shared_layout(std::mt19937& random, std::size_t mounts) {
  Layout layout = random_layout(random, mounts);
  for (std::size_t more = random() % 4; more > 0; --more) {
    add_namespace(layout, "n" + std::to_string(more));
    add_random_tree(layout, random, mounts);
  }
  add_random_groups(layout, random);
  return layout;
}

}  // namespace mntcr::test
