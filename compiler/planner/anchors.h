// The registers through which superblocks are reached: the anchor, each namespace's own copy of it,
// or the one mount of a superblock that has no anchor.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/planner/steps.h"
#include "compiler/planner/survey.h"

namespace mntcr {

/// Writes the `reopen` of an anchor where a namespace first needs it. All must outlive it.
class Anchors {
 public:
  Anchors(const Layout& layout, const std::vector<Access>& access, Steps& steps)
      : layout_(layout), access_(access), steps_(steps), slots_(access.size(), no_slot) {}

  /// The register that the superblock came to be with.
  [[nodiscard]] Slot original(std::uint32_t superblock) const { return slots_[superblock]; }
  Slot open(std::uint32_t superblock) { return slots_[superblock] = steps_.new_slot(); }

  /// The register to reach the superblock by in the namespace that is being built.
  Slot at(std::uint32_t superblock) {
    if (first_ || !access_[superblock].anchored) return slots_[superblock];
    const auto found = copies_.find(superblock);
    if (found != copies_.end()) return found->second;
    const Slot copy = steps_.new_slot();
    Op& op = steps_.emit(OpKind::reopen, layout_.superblocks[superblock].span);
    op.dst = copy;
    op.a = slots_[superblock];
    copies_.emplace(superblock, copy);
    return copy;
  }

  /// The tree of the namespace being built stands; what comes is for another.
  void leave() {
    for (const auto& [superblock, copy] : copies_)
      steps_.emit(OpKind::close, layout_.superblocks[superblock].span).a = copy;
    copies_.clear();
    first_ = false;
  }

 private:
  const Layout& layout_;
  const std::vector<Access>& access_;
  Steps& steps_;
  std::vector<Slot> slots_;               ///< by superblock
  std::map<std::uint32_t, Slot> copies_;  ///< in the namespace being built, by superblock
  bool first_ = true;                     ///< which is the one where the anchors were made
};

}  // namespace mntcr
