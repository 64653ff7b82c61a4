// Peer groups by names of the language instead of the kernel's numbers, which are reused and mean
// nothing tomorrow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/names.h"

namespace mntcr {

/// Names groups as they are asked for. A group is called after its first member in the container,
/// else in the parent, else after the mount asked about.
class GroupNames {
 public:
  GroupNames(const MountTable& live, const MountTable& parent);

  /// The words of `propagation` for `mount`: "private", "shared", "slave:var-log shared:srv".
  std::string words(const LiveMount& mount);

  /// A group that has a name by now and a member in the parent namespace.
  struct Crossing {
    std::string name;
    std::string parent_path;
  };
  [[nodiscard]] const std::vector<Crossing>& crossings() const { return crossings_; }

 private:
  const std::string& name(std::uint64_t group, const LiveMount& asked);
  [[nodiscard]] bool is_alone(const LiveMount& mount) const;

  const MountTable& live_;
  const MountTable& parent_;
  UniqueNames names_;
  std::map<std::uint64_t, std::string> known_;
  std::vector<Crossing> crossings_;
};

}  // namespace mntcr
