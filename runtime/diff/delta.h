// What a delta has to say: the changes as entries of a spec that extends the one compared with.
//
// More than a list of changes in one point: [[remove]] takes a mount and all that lies on it, so
// what still stands above a removed layer is listed again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/diff/diff.h"
#include "runtime/diff/mount_tree.h"

namespace mntcr {

/// A layer of an overlay that the delta makes.
struct ListedLayer {
  LayerRole role{};
  std::string source;  ///< "self:/tmp/upper", "parent:/srv/base"
};

/// Where a listed mount comes from.
struct ListedSource {
  std::string type;       ///< it makes a filesystem of its own; then there is no source
  std::string source;     ///< "self:/tmp", "parent:/srv", "fs:tmp/a", "device:8:1/a"
  bool untraced = false;  ///< nothing in the parent or the container shows the source
  /// It shows an inode of the filesystem `source` that has been removed; mounts of one filesystem
  /// with one label show one inode.
  std::string label = {};
  std::string note = {};            ///< what there is to say about it
  std::uint32_t parent = no_index;  ///< of `parent:`, the parent's mount that it leads to
  std::uint32_t shown = no_index;   ///< else the live mount of the base that it leads to, if any
};

/// A [filesystem] that the delta declares because no path of the container leads to it, or because
/// mounts that share it come from the parent by different paths.
struct ListedFilesystem {
  std::string name;
  std::string parent = {};  ///< the parent shows it at this path; empty when it is not the parent's
  std::string of = {};      ///< the target of a mount that shows it; empty when it is new
  std::string of_ns = {};   ///< the namespace of that mount
  std::uint32_t layer = no_index;  ///< of that mount, where several share the target
  std::uint32_t live = no_index;   ///< a mount that shows it
};

/// See the top of the file.
struct Delta {
  std::vector<std::uint32_t> removals;            ///< desired; what lies on them goes with them
  std::vector<bool> taken;                        ///< desired mounts that go, by whatever removal
  std::vector<std::uint32_t> silenced;            ///< desired; stay, but imply no copies any more
  std::vector<const Change*> changes;             ///< of mounts that stay
  std::vector<std::uint32_t> resourced;           ///< desired; stay, but need another source
  std::vector<std::uint32_t> mounts;              ///< live, in tree order
  std::map<std::uint32_t, ListedSource> sources;  ///< by live mount: of `mounts`, `resourced`
                                                  ///< and changes of source
  std::vector<ListedFilesystem> filesystems;
  NeededInodes trees;  ///< of filesystems of the base, what mounts need and the base does not make
  /// By a live mount: of overlays that are made again there, and of changed ones as far as their
  /// layers can be found.
  std::map<std::uint32_t, std::vector<ListedLayer>> layers;
  std::vector<bool> unseen;  ///< live mounts that walks of the delta pass: those with `cover`
};

/// `relisted`: copies of sharing that are listed though nothing about them has changed: what else
/// is there needs something said about them, and no [[change]] finds them.
Delta make_delta(const DiffReport& report, const MountTree& live_tree,
                 const std::set<std::uint32_t>& relisted = {});

}  // namespace mntcr
