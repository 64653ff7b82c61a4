// Which live peer group is which desired one. The kernel's numbers mean nothing, so groups are
// compared as partitions of the mounts: a group of the container's own is the live one that most of
// its mounts are in, and one that crosses the border is that of the parent's mount.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file.
struct GroupBinding {
  std::vector<std::uint64_t> live_of;  ///< by desired group; 0 where there is none
  std::map<std::uint64_t, std::vector<std::uint32_t>> desired_of;  ///< several only across borders
};

/// `live_of`: of each desired mount its live one or no_index. A group of the container's own is
/// never one that has members in the parent.
GroupBinding bind_groups(const Plan& plan, const ResolvedSources& sources, const MountTable& live,
                         const std::vector<std::uint32_t>& live_of);

/// Whether the propagation of `live` is what `desired` asks for. What a group across the border is
/// a slave of is the parent's affair.
bool has_same_propagation(const Plan& plan, const GroupBinding& binding,
                          const DesiredMount& desired, const LiveMount& live);

/// What a spec says of a desired mount: "private", "slave:var-log shared".
std::string desired_propagation(const Plan& plan, const DesiredMount& desired);

}  // namespace mntcr
