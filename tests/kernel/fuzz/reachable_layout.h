// Random Layouts that operations led to: a sequence of the fuzzer runs on the model of the kernel,
// and what stands then is a Layout. Drawn forests (tests/unit/planner/forests.h) have what no
// operation makes likely; these have what operations do: copies of copies, mounts that propagation
// tucked beneath others, groups whose first members are gone, namespaces that were cloned half-way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "compiler/layout/layout.h"
#include "runtime/kernel/model/mount_model.h"

namespace mntcr::fuzz {

/// Why a state is no Layout.
enum class Obstacle : std::uint8_t {
  machine,       ///< the model itself failed
  no_root,       ///< a namespace has nothing on its hidden rootfs
  locked,        ///< a copy of a more privileged namespace's mount, which nobody can make anew
  deleted_root,  ///< specs have no place for it: a directory without a name is an entry of [tree]
  memberless,    ///< a master whose members are in none of the namespaces
  too_many,      ///< mounts
};
inline constexpr std::size_t obstacle_count = static_cast<std::size_t>(Obstacle::too_many) + 1;

/// The mounts of the namespaces with these ids as a Layout whose superblocks are all new ones; the
/// hidden rootfs of each is left out.
std::expected<Layout, Obstacle> layout_of(const model::MountModel& state,
                                          std::span<const std::uint64_t> namespaces);

/// What the sequence of a seed leads to: 14 to 40 operations.
std::expected<Layout, Obstacle> reach_layout(std::uint64_t seed);

/// Draws states until they are Layouts, and counts those that are not.
class ReachableLayouts {
 public:
  explicit ReachableLayouts(std::uint64_t first_seed = 0) : next_(first_seed) {}

  Layout next();

  /// Of the last one.
  [[nodiscard]] std::uint64_t seed() const { return next_ - 1; }
  /// How many were passed over, and why.
  [[nodiscard]] std::string text() const;

 private:
  std::uint64_t next_;
  std::array<std::size_t, obstacle_count> passed_over_{};
};

}  // namespace mntcr::fuzz
