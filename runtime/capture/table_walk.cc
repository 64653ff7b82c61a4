#include "runtime/capture/table_walk.h"

#include <algorithm>

#include "runtime/base/overlay.h"
#include "runtime/base/path.h"
#include "runtime/capture/filesystem_types.h"

namespace mntcr {

bool may_hang(std::string_view fs_type) {
  return fs_type != overlay_type && !answers_by_itself(fs_type);
}

TableWalk::TableWalk(const MountTable& table) : table_(table) {
  if (table.mounts.empty()) return;
  std::string_view last;
  bool last_may_hang = false;
  std::vector<std::uint32_t> dubious;
  for (std::uint32_t mount = 0; mount < table.mounts.size(); ++mount) {
    const std::string& type = table.mounts[mount].fs_type;
    if (mount == 0 || type != last) last_may_hang = may_hang(type);
    last = type;
    if (last_may_hang) dubious.push_back(mount);
  }
  if (dubious.empty()) return;
  for (std::uint32_t mount = 1; mount < table.mounts.size(); ++mount) {
    const LiveMount& child = table.mounts[mount];
    children_.try_emplace({child.parent, child.below_parent}, mount);
  }
  root_ = topmost(0);
  needs_care_ = std::ranges::any_of(dubious, [&](std::uint32_t mount) { return mount != root_; });
}

std::uint32_t TableWalk::child_at(std::uint32_t mount, std::string_view place) const {
  const auto found = children_.find({mount, place});
  return found == children_.end() ? none : found->second;
}

std::uint32_t TableWalk::topmost(std::uint32_t mount) const {
  for (std::uint32_t above = mount; above != none; above = child_at(mount, "")) mount = above;
  return mount;
}

bool TableWalk::is_dubious(std::uint32_t mount) const {
  return mount != root_ && may_hang(table_.mounts[mount].fs_type);
}

TableWalk::Place TableWalk::at(const std::vector<std::string>& components) const {
  std::uint32_t mount = root_;
  Place place;
  for (const std::string& component : components) {
    place.untouchable = place.untouchable || is_dubious(mount);
    place.below = path::join(place.below, component);
    const std::uint32_t child = child_at(mount, place.below);
    if (child == none) continue;
    mount = topmost(child);
    place.below.clear();
  }
  place.untouchable = place.untouchable || is_dubious(mount);
  place.mount = &table_.mounts[mount];
  return place;
}

}  // namespace mntcr
