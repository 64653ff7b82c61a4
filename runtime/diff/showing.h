// The path at which mounts of a namespace show a place of a filesystem: what a source can be
// written as.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/mount_tree.h"

namespace mntcr {

/// See the top of the file. Refers to what it is made from.
class Showing {
 public:
  /// Looks among the mounts of `table` for which `eligible` holds; walks pass those of `unseen`.
  Showing(const MountTable& table, const MountTree& tree, const std::vector<bool>& eligible,
          const std::vector<bool>& unseen);

  /// A path, and the mount on which it ends.
  struct Shown {
    std::string path;
    std::uint32_t mount;
  };

  /// The path in the namespace `ns` to what `wanted` shows, by the mount whose root is nearest to
  /// it, for a walk without the mount `without`. One that would give its binds another idmap is
  /// taken only where there is no other.
  [[nodiscard]] std::optional<Shown> path_to(const LiveMount& wanted, std::uint32_t ns,
                                             std::uint32_t without = no_index) const;

 private:
  using Key = std::pair<DeviceNumber, std::string>;

  [[nodiscard]] std::optional<Shown> path_to(const LiveMount& wanted, std::uint32_t ns,
                                             std::uint32_t without, bool fitting) const;

  const MountTable& table_;
  const MountTree& tree_;
  const std::vector<bool>& unseen_;
  std::multimap<Key, std::uint32_t> by_root_;
  bool idmapped_ = false;  ///< one of the mounts is
};

}  // namespace mntcr
