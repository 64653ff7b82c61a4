// Gives mounts their propagation, once all that hangs on them stands. What helpers are, and why
// nothing is ever the peer of more than it shall be, is in specs/plan.md ("Sharing").
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/planner/anchors.h"
#include "compiler/planner/steps.h"
#include "compiler/planner/survey.h"

namespace mntcr {

/// Writes the steps of the phase `sharing`. All must outlive it.
class Sharing {
 public:
  Sharing(const Layout& layout, const Survey& survey, Anchors& anchors, Steps& steps);

  /// Opens the groups of the parent that mounts have to do with.
  void open_groups();

  /// Makes the helper that give() will need for the mount: as long as there are anchors.
  void prepare(std::uint32_t mount);

  /// Gives the mount number `index`, which is in `slot`, what it shall have. Helpers that nobody
  /// needs after it are closed.
  void give(std::uint32_t index, Slot slot);

 private:
  /// A register that set_group takes from, and how many that still wait for it.
  struct Giver {
    Slot slot = no_slot;
    std::uint32_t waiting = 0;
    Span span;
  };
  using SlaveKey = std::pair<std::uint32_t, std::uint32_t>;

  // `mount` is the one that the helper is made for first, to be named when that fails.
  Giver& helper_of(std::uint32_t group, std::uint32_t mount);
  void make_helper(std::uint32_t group, std::uint32_t mount);
  Giver& slave_helper_of(const SlaveKey& key, std::uint32_t mount);
  Giver* giver_of(std::uint32_t index);
  Slot clone_anchor(std::uint32_t superblock, Span span, std::uint32_t mount);
  void set(Slot slot, Propagation propagation, Span span, std::uint32_t mount);
  void take(Giver& giver, Slot to, Span span, std::uint32_t mount);

  const Layout& layout_;
  const Survey& survey_;
  Anchors& anchors_;
  Steps& steps_;
  std::vector<Giver> groups_;
  std::map<SlaveKey, Giver> slaves_;  ///< slave-only helpers, by group and superblock
};

}  // namespace mntcr
