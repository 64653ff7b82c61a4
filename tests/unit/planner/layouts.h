// Layouts for tests of the planner and the plan's form: short to write, and random ones.
#pragma once

#include <random>
#include <set>
#include <string>

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
  mount.span = mount.target_span = mount.source_span = {0, 4, 8};
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
  const std::size_t all = layout.superblocks.size();
  add_mount(layout, no_index, static_cast<std::uint32_t>(below(all)), "");
  std::set<std::pair<std::size_t, std::string>> places;
  while (layout.mounts.size() < mounts) {
    const std::size_t parent = below(layout.mounts.size());
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
  return layout;
}

}  // namespace mntcr::test
