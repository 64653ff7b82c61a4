// Idmaps of mounts: what a desired mount shall have, what differs, and what a spec has to say so
// that a mount has the idmap that it has. A bind has the idmap of what it binds without saying.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/idmap.h"
#include "runtime/capture/mount_table.h"
#include "runtime/diff/delta.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// The difference between the idmap of a desired mount and its live one. Without one in the spec
/// that is the source's; where the source is missing nothing is compared. Unknown ranges are like
/// any.
std::vector<Difference> compare_idmap(const Plan& plan, const ResolvedSources& sources,
                                      const DesiredMount& desired, const LiveMount& live);

/// What a spec has to say about the idmaps of live mounts.
class IdmapWords {
 public:
  /// `desired_of` are the counterparts of live mounts. All must outlive this.
  IdmapWords(const DiffReport& report, const Delta& delta,
             const std::map<std::uint32_t, std::uint32_t>& desired_of);

  /// The value of the key `idmap` as TOML; empty when the mount has it without saying.
  [[nodiscard]] std::string value(std::uint32_t live) const;

 private:
  [[nodiscard]] const LiveMount* source_of(std::uint32_t live) const;

  const DiffReport& report_;
  const Delta& delta_;
  const std::map<std::uint32_t, std::uint32_t>& desired_of_;
  MountTree parent_tree_;
};

}  // namespace mntcr
