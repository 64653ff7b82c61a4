#include "runtime/capture/inspector.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/inspection.h"
#include "runtime/capture/readers.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

/// How often a copy that is not as the table says is made again while the table stays the same.
constexpr int most_disagreements = 3;

/// Filesystems that no server stands behind. fuse, the network's and overlay, which may lie on
/// either, are not among them, nor is what nobody knows.
bool is_local(std::string_view type) {
  constexpr auto types = std::to_array<std::string_view>(
      {"binfmt_misc", "bpf",    "btrfs",    "cgroup",   "cgroup2",    "configfs",
       "debugfs",     "devpts", "devtmpfs", "efivarfs", "erofs",      "ext2",
       "ext3",        "ext4",   "f2fs",     "fusectl",  "hugetlbfs",  "mqueue",
       "nsfs",        "proc",   "pstore",   "ramfs",    "securityfs", "squashfs",
       "sysfs",       "tmpfs",  "tracefs",  "vfat",     "xfs"});
  return std::ranges::find(types, type) != types.end();
}

/// The mounts of each filesystem that holds files, those with the widest roots first.
std::map<DeviceNumber, std::vector<std::uint32_t>> views_of(const MountTable& table) {
  std::map<DeviceNumber, std::vector<std::uint32_t>> views;
  for (std::uint32_t index = 0; index < table.mounts.size(); ++index) {
    const LiveMount& mount = table.mounts[index];
    if (!holds_directories(mount.fs_type) || is_deleted_root(mount.root)) continue;
    views[{mount.dev_major, mount.dev_minor}].push_back(index);
  }
  for (auto& [device, mounts] : views) {
    std::ranges::sort(mounts, {}, [&](std::uint32_t mount) {
      return std::pair(table.mounts[mount].root.size(), mount);
    });
  }
  return views;
}

std::map<std::uint32_t, std::vector<std::string>> underneath_of(const MountTable& table) {
  std::vector<std::uint32_t> all(table.mounts.size());
  for (std::uint32_t mount = 0; mount < all.size(); ++mount) all[mount] = mount;
  const auto views = views_of(table);
  std::map<std::uint32_t, std::vector<std::string>> underneath;
  for (const auto& [device, paths] : needed_paths(table, all)) {
    const auto& mounts = views.at(device);
    for (const std::string& path : paths) {
      const auto view = std::ranges::find_if(mounts, [&](std::uint32_t mount) {
        return path::is_at_or_below('/' + path, table.mounts[mount].root);
      });
      if (view != mounts.end()) underneath[*view].push_back(path);
    }
  }
  return underneath;
}

/// Whether two readings show the same mounts.
bool same_mounts(const MountTable& a, const MountTable& b) {
  const auto place = [](const LiveMount& mount) {
    return std::tie(mount.parent, mount.dev_major, mount.dev_minor, mount.root, mount.mountpoint,
                    mount.fs_type);
  };
  return std::ranges::equal(a.mounts, b.mounts, {}, place, place);
}

void store(Seen seen, MountTable& table) {
  for (std::size_t mount = 0; mount < table.mounts.size(); ++mount) {
    table.mounts[mount].root_inode = std::move(seen.roots[mount]);
  }
  table.needed.clear();
  for (auto& [device, inodes] : seen.needed) {
    for (auto& [path, facts] : inodes) table.needed[device].push_back({path, std::move(facts)});
  }
}

}  // namespace

Agenda::Agenda(const MountTable& table)
    : children(table.mounts.size()),
      underneath(underneath_of(table)),
      wanted(table.mounts.size(), false),
      stack_wanted(table.mounts.size(), false) {
  for (std::uint32_t mount = 0; mount < table.mounts.size(); ++mount) {
    safe.push_back(is_local(table.mounts[mount].fs_type));
    const std::uint32_t parent = table.mounts[mount].parent;
    if (parent != none) children[parent].push_back(mount);
  }
  for (std::uint32_t mount = static_cast<std::uint32_t>(safe.size()); mount-- > 0;) {
    if (safe[mount]) wanted[mount] = true;
    if (wanted[mount]) stack_wanted[mount] = true;
    const std::uint32_t parent = table.mounts[mount].parent;
    if (parent == none || !stack_wanted[mount]) continue;
    const bool on_root = table.mounts[mount].below_parent.empty();
    (on_root ? stack_wanted : wanted)[parent] = true;
  }
}

std::uint32_t Agenda::above(const MountTable& table, std::uint32_t mount) const {
  const auto& all = children[mount];
  const bool covered = !all.empty() && table.mounts[all.front()].below_parent.empty();
  return covered ? all.front() : none;
}

std::vector<std::uint32_t> Agenda::stack(const MountTable& table, std::uint32_t bottom) const {
  std::vector<std::uint32_t> layers;
  for (std::uint32_t layer = bottom; layer != none; layer = above(table, layer)) {
    layers.push_back(layer);
  }
  return layers;
}

Result<void> inspect(Kernel& kernel, const Fd& proc, const Fd& ns, MountTable& table) {
  int disagreements = 0;
  for (int reading = 0; reading < most_readings; ++reading) {
    const Agenda agenda(table);
    if (agenda.empty()) return {};
    Result<Seen> seen = run_in_thread([&] { return look_inside(kernel, proc, ns, table, agenda); });
    if (!seen) {
      table.inodes_unknown = seen.error().message;
      return {};
    }
    if (!seen->changed) {
      store(std::move(*seen), table);
      return {};
    }
    Result<MountTable> again =
        capture(kernel, proc, ns, table.unique_ids ? Reader::automatic : Reader::mountinfo);
    if (!again) return Failure(again.error());
    if (!same_mounts(*again, table)) {
      table = std::move(*again);
      disagreements = 0;
    } else if (++disagreements == most_disagreements) {
      store(std::move(*seen), table);
      return {};
    }
  }
  return never_holds_still();
}

}  // namespace mntcr
