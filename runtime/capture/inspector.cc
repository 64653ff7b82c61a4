#include "runtime/capture/inspector.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/filesystem_types.h"
#include "runtime/capture/inspection.h"
#include "runtime/capture/readers.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

/// How often a copy that is not as the table says is made again while the table stays the same.
constexpr int most_disagreements = 3;

/// What shows a filesystem: of each root the first mount that has it.
using Views = std::unordered_map<std::string_view, std::uint32_t>;

/// The views of each filesystem that holds directories.
std::map<DeviceNumber, Views> views_of(const MountTable& table) {
  std::map<DeviceNumber, Views> views;
  for (std::uint32_t index = 0; index < table.mounts.size(); ++index) {
    const LiveMount& mount = table.mounts[index];
    if (what_holds(mount.fs_type) == Holds::nothing || is_deleted_root(mount.root)) continue;
    views[{mount.dev_major, mount.dev_minor}].emplace(mount.root, index);
  }
  return views;
}

/// The mount that shows `path`, which is relative to the filesystem's root, and most around it.
std::uint32_t widest_view(const Views& views, std::string_view path) {
  const std::string whole = path::join("/", path);
  for (std::size_t length = 1;; length = std::min(whole.find('/', length + 1), whole.size())) {
    const auto view = views.find(std::string_view(whole).substr(0, length));
    if (view != views.end()) return view->second;
    if (length == whole.size()) return none;
  }
}

std::map<std::uint32_t, std::vector<std::string>> underneath_of(const MountTable& table) {
  std::vector<std::uint32_t> all(table.mounts.size());
  for (std::uint32_t mount = 0; mount < all.size(); ++mount) all[mount] = mount;
  const auto views = views_of(table);
  std::map<std::uint32_t, std::vector<std::string>> underneath;
  for (const auto& [device, paths] : needed_paths(table, all)) {
    const Views& shown = views.at(device);
    for (const std::string& path : paths) {
      const std::uint32_t view = widest_view(shown, path);
      if (view != none) underneath[view].push_back(path);
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
    safe.push_back(answers_by_itself(table.mounts[mount].fs_type));
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
