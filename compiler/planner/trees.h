// The trees: each namespace's mounts from its root down, all private until what hangs on them
// stands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/planner/anchors.h"
#include "compiler/planner/sharing.h"
#include "compiler/planner/steps.h"
#include "compiler/planner/survey.h"

namespace mntcr {

/// Writes the steps of the phase `trees`. All must outlive it.
class Trees {
 public:
  Trees(const Layout& layout, const Survey& survey, Anchors& anchors, Sharing& sharing,
        Steps& steps);

  /// The mount `root` of a namespace and all that hangs on it. What is left of the namespace's
  /// steps is returned: the mounts that are still private with their registers open, because
  /// pivot_root(2) refuses to put the old root on a shared mount. These are the root and the
  /// topmost of what covers it.
  std::vector<std::uint32_t> build(std::uint32_t root);

  /// What can be done only when all trees stand: names that shall go, filesystems that become
  /// read-only, the anchors.
  void finish();

  /// The register of a mount that was built.
  [[nodiscard]] Slot slot(std::uint32_t mount) const { return slots_[mount]; }

 private:
  [[nodiscard]] const Access& access_of(const LayoutMount& mount) const {
    return survey_.access[mount.superblock];
  }
  /// Whether a directory made there would be made on a filesystem of the parent.
  [[nodiscard]] bool on_parents(const LayoutMount& mount) const {
    return writes_reach_parent(layout_.superblocks, mount.superblock);
  }
  [[nodiscard]] std::uint32_t node_at(std::uint32_t superblock, const std::string& path) const;
  void sort_children(std::uint32_t index);
  void build_mount(std::uint32_t index);
  void complete(std::uint32_t index, bool later);
  [[nodiscard]] std::uint32_t topmost(std::uint32_t root) const;
  Slot take_mount(std::uint32_t index);
  void make_mountpoint(std::uint32_t index);
  void make_read_only(std::uint32_t superblock);
  void remove_nodes();

  const Layout& layout_;
  const Survey& survey_;
  Anchors& anchors_;
  Sharing& sharing_;
  Steps& steps_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> nodes_;  ///< their numbers
  std::vector<std::vector<std::uint32_t>> children_;                      ///< by mount
  std::vector<Slot> slots_;                                               ///< by mount
};

}  // namespace mntcr
