// What a Layout asks of its superblocks and peer groups as a whole, found out before the first
// operation is written: which superblocks need an anchor, and which groups need a helper.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "compiler/layout/layout.h"

namespace mntcr {

/// How a superblock is reached while the trees are built.
struct Access {
  std::uint32_t mounts = 0;  ///< that show it
  std::uint32_t layers = 0;  ///< of overlays that are parts of it
  bool part = false;         ///< one of them shows only a part of it
  bool made_on = false;      ///< mountpoints are made on it
  bool holds = false;        ///< a tree is made on it
  bool read_only = false;    ///< one of its mounts is read-only
  bool idmapped = false;     ///< one of its mounts is: nobody's files could be made through it
  bool helped = false;       ///< helpers of peer groups are cloned from it
  /// A namespace after the first has it as its root. listmount(2) finds a namespace's root only
  /// among mounts that are younger than the namespace, so it has to be a clone.
  bool later_root = false;
  bool closing = false;   ///< it becomes read-only itself when all places on it are made
  bool anchored = false;  ///< its mounts are clones of an anchor, else its one mount is used up

  [[nodiscard]] bool used() const { return mounts > 0 || layers > 0; }
};

/// What has to do with a peer group.
struct GroupUse {
  std::uint32_t members = 0;  ///< mounts
  std::uint32_t slaves = 0;   ///< mounts that are slaves and no members of another group
  std::uint32_t slave_groups = 0;
  /// How many slave-only helpers its slaves need: one for each superblock.
  std::uint32_t slave_helpers = 0;
  std::uint32_t superblock = no_index;  ///< that a group of our own is a group of

  [[nodiscard]] bool used() const { return members + slaves + slave_groups > 0; }
};

/// The pure slaves of a group that show one superblock: how many they are.
using SlaveCounts = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>;

/// See the top of the file.
struct Survey {
  std::vector<Access> access;    ///< by superblock
  std::vector<GroupUse> groups;  ///< by group
  SlaveCounts slaves;            ///< by group and superblock
};

/// Which mountpoints a plan may make: on filesystems of its own, or where the spec says so.
bool may_make(Create create, bool on_parents);

/// Whether the one member of a group of our own is all that has to do with it: then no helper is
/// needed.
bool is_alone(const DesiredGroup& group, const GroupUse& use);

/// Whether a helper stands in for the group while its members and slaves come.
bool needs_helper(const DesiredGroup& group, const GroupUse& use);

Survey survey(const Layout& layout);

}  // namespace mntcr
