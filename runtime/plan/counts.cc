#include "runtime/plan/counts.h"

#include <vector>

namespace mntcr {
namespace {

/// What is known of the register that a step of sharing is about.
struct Seen {
  bool stands = false;  ///< it holds a mount of the plan, else a helper
  bool slave = false;
};

/// A helper of a group ends as shared, one that slaves take from is only a slave.
void count_propagation(Seen& mount, Propagation propagation, PlanCounts& counts) {
  if (propagation == Propagation::shared && mount.stands) {
    ++counts.alone;
  } else if (propagation == Propagation::shared) {
    ++counts.helpers;
    if (mount.slave) --counts.slave_helpers;
  } else if (propagation == Propagation::slave) {
    mount.slave = true;
    ++counts.slave_helpers;
  }
}

}  // namespace

PlanCounts count_branches(const Plan& plan) {
  PlanCounts counts;
  std::vector<Seen> slots(plan.slots);
  for (const Op& op : plan.ops) {
    if (op.kind == OpKind::attach || op.kind == OpKind::attach_root) slots[op.a].stands = true;
    if (op.kind == OpKind::open_group) ++counts.crossing;
    if (op.kind == OpKind::set_propagation)
      count_propagation(slots[op.a], static_cast<Propagation>(op.b), counts);
  }
  counts.inner_groups = counts.alone + counts.helpers;
  for (const DesiredMount& mount : plan.mounts) {
    if (!mount.unbindable) continue;
    ++(mount.master == no_index ? counts.unbindable : counts.unbindable_slaves);
  }
  counts.namespaces = plan.namespaces.size();
  return counts;
}

}  // namespace mntcr
