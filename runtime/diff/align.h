// Which desired mount is which live one. Namespaces go by their names, and the root of one stands
// for the root of the other; below a pair, what is mounted at one place on either side is a stack,
// and stacks are aligned as sequences by identity, so that a mount put over or beneath another is
// one addition and everything else keeps its counterpart.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/identity.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// A mount of either side with its counterpart, no_index where it has none.
struct Pair {
  std::uint32_t desired = no_index;
  std::uint32_t live = no_index;
  /// A pair only: not the same source. Happens at the root, and where the desired source is gone or
  /// was replaced.
  bool other_source = false;
  /// Then: the live mount shows what was at the desired source before it was deleted.
  Deleted deleted_source = Deleted::no;
};

/// Every mount of both sides once, in tree order: namespace by namespace, those that only the live
/// side has last; a mount before those below it, stacks from the bottom up, siblings by the bytes
/// of their mountpoints.
std::vector<Pair> align(const Plan& plan, const ResolvedSources& sources, const MountTable& live);

/// The pairs behind `changes`, which `diff` gave for `plan` and `live`; of each desired mount its
/// live one or no_index.
std::vector<std::uint32_t> counterparts(const Plan& plan, const MountTable& live,
                                        const std::vector<Change>& changes);

}  // namespace mntcr
