// Peer groups by names of the language instead of the kernel's numbers, which are reused and mean
// nothing tomorrow.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/group_binding.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/diff/names.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Names live groups. One that stands for a group of the plan has its name; another is called after
/// its first member in the container, else in the parent, else after its first slave. Refers to
/// what it is made from.
class GroupNames {
 public:
  /// `live_of`: of each desired mount its live one or no_index. Mounts that are `taken` (of the
  /// plan; none when empty) are said anew.
  GroupNames(const Plan& plan, const ResolvedSources& sources, const MountTable& live,
             const MountTree& live_tree, const std::vector<std::uint32_t>& live_of,
             const std::vector<bool>& taken = {});

  /// The words of `propagation` for a live mount: "private", "shared", "slave:var-log shared:srv".
  std::string words(std::uint32_t live);

  /// Whether a live mount has the propagation that its counterpart asks for.
  [[nodiscard]] bool same(std::uint32_t desired, std::uint32_t live) const;

  /// A group across the border that words() has named and the plan does not declare.
  struct Crossing {
    std::string name;
    OutsideGroup outside;
  };
  /// In the order of their names.
  [[nodiscard]] std::vector<Crossing> crossings() const;

  /// What the words for `live` cannot say: it has to do with a group of which nothing is seen but
  /// its slaves, or no path leads to its members.
  [[nodiscard]] std::string lacks(std::uint32_t live) const;

 private:
  /// What a live group has in the container.
  struct Extent {
    std::uint32_t members = 0;
    std::uint32_t slaves = 0;
    std::uint32_t planned = 0;       ///< of both, how many are what the plan has in the group
    std::uint32_t first = no_index;  ///< member, else slave
  };

  void count(const MountTree& live_tree, const std::vector<bool>& taken);
  [[nodiscard]] const std::string* name_in_plan(std::uint64_t group, std::uint32_t live) const;
  /// The master and the group of a mount as far as words tell them, 0 for none.
  [[nodiscard]] std::array<std::uint64_t, 2> groups_of(const LiveMount& mount) const;
  [[nodiscard]] std::string eponym(std::uint64_t group) const;
  [[nodiscard]] bool needs_no_name(std::uint64_t group) const;
  [[nodiscard]] bool is_declarable(std::uint64_t group) const;
  std::string name(std::uint64_t group, std::uint32_t live);

  const Plan& plan_;
  const ResolvedSources& sources_;
  const MountTable& live_;
  const GroupBinding binding_;
  std::vector<std::uint32_t> desired_of_;  ///< of each live mount
  std::map<std::uint64_t, Extent> extents_;
  UniqueNames names_;
  std::map<std::uint64_t, std::string> derived_;
  std::set<std::uint64_t> used_;  ///< of derived_: what words() has named
};

}  // namespace mntcr
