// Inodes without a name on both sides of a comparison. The spec knows them by labels, the kernel by
// what their last name was, followed by "//deleted"; neither says anything about the other, so a
// label is bound to the live root that its first pair shows, and then holds.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/capture/mount_table.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// See the top of the file. `device` is that of the live mount.
class UnnamedRoots {
 public:
  UnnamedRoots(const Plan& plan, const MountTable& table);

  /// Whether `live` may show what `desired`, which is `deleted`, shows, as far as is bound by now;
  /// that their filesystems are one is for the caller to know.
  [[nodiscard]] bool same(const DesiredMount& desired, const LiveMount& live) const;

  void bind(const DesiredMount& desired, const LiveMount& live);

 private:
  using Device = std::pair<std::uint32_t, std::uint32_t>;
  using Root = std::pair<Device, std::string_view>;
  using Label = std::pair<std::uint32_t, std::string_view>;

  [[nodiscard]] bool can_be_shared(const DesiredMount& desired, const LiveMount& live) const;

  std::map<std::uint32_t, std::set<std::string_view>> labels_;  ///< of each desired superblock
  std::map<Device, std::set<std::string_view>> roots_;          ///< of each live device
  std::map<Label, std::string_view> bound_;
  std::set<Root> taken_;
};

}  // namespace mntcr
