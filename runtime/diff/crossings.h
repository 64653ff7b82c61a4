// Sharing across the container's border: mounts that receive what the parent mounts, or send it
// what they get. Only a spec that says so may have it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"

namespace mntcr {

/// A mount of the container that shares with one of the parent.
struct Crossing {
  enum class Direction : std::uint8_t { receives, sends, both };
  Direction direction{};
  std::uint32_t mount = no_index;  ///< of the container
  std::uint32_t partner =
      no_index;             ///< of the parent; no_index: some namespace that is not looked at
  std::uint64_t group = 0;  ///< the peer group through which
};

/// "receives from", "sends to", "receives from and sends to".
std::string_view direction_words(Crossing::Direction direction);

/// Each mount of `container` that has something to do with `parent`, with the first partner there,
/// in the order of the table. A mount that receives from one and sends to another is told twice.
/// A master of which neither side shows a member is told, too.
std::vector<Crossing> find_crossings(const MountTable& container, const MountTable& parent);

/// Those that no group of the plan declares, in tree order; none where the plan allows them.
std::vector<Crossing> undeclared_crossings(const DiffReport& report);

}  // namespace mntcr
