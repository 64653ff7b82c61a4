// Where the parts of the planner put the operations, one after another.
#pragma once

#include "runtime/plan/plan.h"

namespace mntcr {

/// Writes operations into a plan. `plan` must outlive it.
class Steps {
 public:
  explicit Steps(Plan& plan) : plan_(plan) {}

  /// The new operation; the next one invalidates the reference.
  Op& emit(OpKind kind, Span span, std::uint32_t mount = no_index) {
    Op& op = plan_.ops.emplace_back();
    op.kind = kind;
    op.span = span;
    op.mount = mount;
    return op;
  }

  Slot new_slot() { return plan_.slots++; }

 private:
  Plan& plan_;
};

}  // namespace mntcr
