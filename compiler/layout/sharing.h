// Peer groups and masters: what the `propagation` of each mount and the [group] tables amount to.
// A group is of the container alone, or (with `parent`) that of a mount of the parent namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::layout {

/// Fills Layout::groups, and what its mounts are members and slaves of. Complains about what no
/// kernel can hold. Of mounts that are just `shared`, a copy by `clone` and its original are
/// members of one group.
void add_sharing(const spec::Spec& spec, Layout& layout, Diagnostics& diagnostics);

/// What can be known to be of no use, or not what was meant, when all copies are there.
void check_sharing(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics);

/// Complains about members and slaves of groups of the container that show no place which another
/// of them shows: a part of check_sharing.
void check_reach(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics);

/// A group while it is put together; mounts by their index in the Layout.
struct GroupDraft {
  DesiredGroup group;  ///< its master is not filled
  std::vector<std::uint32_t> members;
  std::vector<std::uint32_t> slaves;                ///< those that are no members of another group
  std::vector<std::size_t> slave_groups;            ///< drafts whose master this is
  std::vector<std::optional<std::size_t>> masters;  ///< drafts, as each of `members` says it
};

/// Complains about drafts that cannot be: members with different masters, rings of masters, slaves
/// of nobody, members and slaves that do not show one filesystem.
void check_drafts(const spec::Spec& spec, const Layout& layout,
                  const std::vector<GroupDraft>& drafts, Diagnostics& diagnostics);

}  // namespace mntcr::layout
