// Which live mount shows what a desired one shall show: the same part of the same filesystem.
//
// A superblock of the parent is known beforehand, by what its path leads to. One that the plan
// makes is whatever device stands for it; it is found on the way, and then holds: two mounts of one
// superblock show one device, two superblocks two devices. Inodes without a name are found in the
// same way (unnamed.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/diff/unnamed.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Whether a live mount shows what was at a source before: the file or directory that stood there
/// was deleted, and nothing or another one has its name now.
enum class Deleted : std::uint8_t { no, gone, replaced };

/// See the top of the file. Refers to the plan and table that it is made from.
class Identities {
 public:
  Identities(const Plan& plan, const ResolvedSources& sources, const MountTable& table,
             const MountTree& desired_tree, const MountTree& live_tree);

  /// Whether `live` shows what `desired` shall show, as far as superblocks are bound by now.
  [[nodiscard]] bool same(std::uint32_t desired, std::uint32_t live) const;
  /// Whether the source of `desired` leads nowhere, so that `same` can never hold.
  [[nodiscard]] bool unknown(std::uint32_t desired) const;
  /// Whether `live` shows what was at the source of `desired` and has been deleted since.
  [[nodiscard]] Deleted deleted(std::uint32_t desired, std::uint32_t live) const;
  /// Takes `live`, which must be the same, for `desired`: their superblocks belong together from
  /// now on.
  void bind(std::uint32_t desired, std::uint32_t live);

 private:
  using Device = std::uint64_t;

  void vote(const MountTree& desired_tree, const MountTree& live_tree);
  [[nodiscard]] bool shares_root(std::uint32_t desired, std::uint32_t live) const;
  [[nodiscard]] bool shares_type_and_root(std::uint32_t desired, std::uint32_t live) const;
  [[nodiscard]] static Device device_of(const LiveMount& mount);
  void bind_device(std::uint32_t superblock, Device device);

  const Plan& plan_;
  const MountTable& table_;
  std::vector<std::string> roots_;            ///< of each desired mount, as mountinfo would show it
  std::vector<std::optional<Device>> bound_;  ///< of each desired superblock
  std::map<std::uint32_t, Device> former_;    ///< of superblocks whose source is missing
  std::map<Device, std::uint32_t> taken_;     ///< devices with the superblock they stand for
  UnnamedRoots unnamed_;
};

}  // namespace mntcr
