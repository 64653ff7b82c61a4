// Walks paths as openat2(2) does: over mounts onto the topmost, through symlinks, and no further
// than the flags allow.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/model/mount_model.h"

namespace mntcr::model {

/// Where a walk begins and what it may do.
struct WalkSetting {
  Place start;  ///< of a relative path
  Place root;
  std::uint64_t resolve = 0;  ///< RESOLVE_* of openat2(2)
  bool follow = true;         ///< a symlink at the end
};

/// Leads on from a magic link of proc.
using MagicTarget = std::function<Outcome<Place>(const Inode& link)>;

class PathWalk {
 public:
  PathWalk(WalkSetting setting, const MagicTarget& magic) : setting_(setting), magic_(magic) {}

  /// The place that the path leads to. ENOENT for an empty one.
  Outcome<Place> walk(std::string_view path);

  /// The directory in which the path's last name is, and in `name` that name.
  Outcome<Place> walk_to_parent(std::string_view path, std::string& name);

 private:
  Outcome<void> begin(std::string_view path);
  Outcome<void> step(const std::string& name, bool last);
  Outcome<void> climb();
  Outcome<void> arrive(const Place& place);
  Outcome<void> follow_symlink(const Inode& link);
  Outcome<void> follow_magic(const Inode& link);
  [[nodiscard]] bool asked(std::uint64_t flag) const { return (setting_.resolve & flag) != 0; }

  WalkSetting setting_;
  const MagicTarget& magic_;
  Place at_;
  std::vector<std::string> todo_;  ///< the next name last
  bool only_directory_ = false;    ///< the path ends in "/"
  int links_ = 0;
};

}  // namespace mntcr::model
