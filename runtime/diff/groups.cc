#include "runtime/diff/groups.h"

#include <algorithm>

namespace mntcr {
namespace {

const LiveMount* first_member(const MountTable& table, std::uint64_t group) {
  const auto found = std::ranges::find(table.mounts, group, &LiveMount::peer_group);
  return found == table.mounts.end() ? nullptr : &*found;
}

}  // namespace

GroupNames::GroupNames(const MountTable& live, const MountTable& parent)
    : live_(live), parent_(parent) {
  names_.take("parent");  // a word of the language
}

std::string GroupNames::words(const LiveMount& mount) {
  if (mount.unbindable) return "unbindable";
  std::string words;
  if (mount.master != 0) words = "slave:" + name(mount.master, mount);
  if (mount.peer_group != 0) {
    if (!words.empty()) words += ' ';
    words += is_alone(mount) ? "shared" : "shared:" + name(mount.peer_group, mount);
  }
  return words.empty() ? "private" : words;
}

const std::string& GroupNames::name(std::uint64_t group, const LiveMount& asked) {
  const auto known = known_.find(group);
  if (known != known_.end()) return known->second;
  const LiveMount* inside = first_member(live_, group);
  const LiveMount* outside = first_member(parent_, group);
  const LiveMount* member = inside != nullptr ? inside : outside;
  const LiveMount& eponym = member != nullptr ? *member : asked;
  const std::string& name = known_.emplace(group, names_.derive(eponym.mountpoint)).first->second;
  if (outside != nullptr) crossings_.push_back({name, outside->mountpoint});
  return name;
}

// `shared` without a name makes a group of its own: right when nobody else has to do with the
// group.
bool GroupNames::is_alone(const LiveMount& mount) const {
  const auto concerns = [&](const LiveMount& other) {
    return &other != &mount &&
           (other.peer_group == mount.peer_group || other.master == mount.peer_group);
  };
  return std::ranges::none_of(live_.mounts, concerns) &&
         std::ranges::none_of(parent_.mounts, concerns);
}

}  // namespace mntcr
