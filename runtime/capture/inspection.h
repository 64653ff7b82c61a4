// One look at the inodes of a namespace, in a copy of it that ends with the thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// What shall be looked at, decided from the table alone.
struct Agenda {
  explicit Agenda(const MountTable& table);

  std::vector<std::vector<std::uint32_t>> children;  ///< of each mount, ordered by place
  std::vector<bool>
      safe;  ///< whether files of its filesystem can be looked at without asking a server
  /// Paths within the filesystem to look at through a mount: the one whose root is widest.
  std::map<std::uint32_t, std::vector<std::string>> underneath;
  /// Whether the mount, or what lies inside it, but not what lies on its root, is to be looked at.
  std::vector<bool> wanted;
  std::vector<bool> stack_wanted;  ///< whether it or what lies on its root is wanted

  [[nodiscard]] bool empty() const { return stack_wanted.empty() || !stack_wanted.front(); }
  /// The mount on the root of `mount`, UINT32_MAX when there is none.
  [[nodiscard]] std::uint32_t above(const MountTable& table, std::uint32_t mount) const;
  /// `bottom` and what lies on its root, from the bottom up.
  [[nodiscard]] std::vector<std::uint32_t> stack(const MountTable& table,
                                                 std::uint32_t bottom) const;
};

/// What was seen. `changed`: something was not as the table says.
struct Seen {
  std::vector<std::optional<InodeFacts>> roots;  ///< of each mount
  std::map<DeviceNumber, std::map<std::string, InodeFacts>> needed;
  bool changed = false;
};

/// Looks at everything of `agenda` that can be reached. To be called on a thread of its own, which
/// it leaves in a throwaway copy of `ns`. Fails when no such copy can be made.
Result<Seen> look_inside(Kernel& kernel, const Fd& proc, const Fd& ns, const MountTable& table,
                         const Agenda& agenda);

}  // namespace mntcr
