// Which mount a walk along a path meets, told by the table of mounts alone, without touching a
// file: where a filesystem is served by somebody who may not answer (a FUSE server, a network),
// looking can take for ever.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/capture/mount_table.h"

namespace mntcr {

/// Whether looking at files of such a filesystem may never come back: everywhere but where it
/// answers by itself (filesystem_types.h). Overlays are trusted: what their layers lie on the table
/// does not say.
bool may_hang(std::string_view fs_type);

/// See the top of the file. `table` must outlive it.
class TableWalk {
 public:
  explicit TableWalk(const MountTable& table);

  /// Whether any path needs care: a filesystem that may hang is mounted somewhere but on "/"
  /// itself. Were that one dead, nothing would run.
  [[nodiscard]] bool needs_care() const { return needs_care_; }

  /// Where a path leads when none of its components is a symlink.
  struct Place {
    const LiveMount* mount = nullptr;
    std::string below;         ///< relative to the mount's root
    bool untouchable = false;  ///< the way leads to, or through, a filesystem that may hang
  };
  [[nodiscard]] Place at(const std::vector<std::string>& components) const;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  [[nodiscard]] std::uint32_t child_at(std::uint32_t mount, std::string_view place) const;
  [[nodiscard]] std::uint32_t topmost(std::uint32_t mount) const;
  [[nodiscard]] bool is_dubious(std::uint32_t mount) const;

  const MountTable& table_;
  bool needs_care_ = false;
  std::uint32_t root_ = none;  ///< the topmost mount on "/"
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> children_;
};

}  // namespace mntcr
