#include "runtime/diff/unnamed.h"

namespace mntcr {

UnnamedRoots::UnnamedRoots(const Plan& plan, const MountTable& table) {
  for (const DesiredMount& mount : plan.mounts) {
    if (mount.deleted) labels_[mount.superblock].insert(mount.root);
  }
  for (const LiveMount& mount : table.mounts) {
    if (is_deleted_root(mount.root)) roots_[{mount.dev_major, mount.dev_minor}].insert(mount.root);
  }
}

bool UnnamedRoots::same(const DesiredMount& desired, const LiveMount& live) const {
  if (!is_deleted_root(live.root)) return false;
  const auto bound = bound_.find({desired.superblock, desired.root});
  if (bound != bound_.end()) return bound->second == live.root;
  const bool taken = taken_.contains({{live.dev_major, live.dev_minor}, live.root});
  return !taken || can_be_shared(desired, live);
}

/// Two inodes that had one name after the other look alike. That is so only where there are more
/// labels than live roots.
bool UnnamedRoots::can_be_shared(const DesiredMount& desired, const LiveMount& live) const {
  return labels_.at(desired.superblock).size() > roots_.at({live.dev_major, live.dev_minor}).size();
}

void UnnamedRoots::bind(const DesiredMount& desired, const LiveMount& live) {
  bound_.try_emplace({desired.superblock, desired.root}, live.root);
  taken_.insert({{live.dev_major, live.dev_minor}, live.root});
}

}  // namespace mntcr
