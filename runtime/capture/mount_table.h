// The mounts of a live namespace as data, whichever way they were read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/idmap.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/overlay.h"
#include "runtime/capture/inodes.h"

namespace mntcr {

/// A layer of a live overlay.
struct LiveLayer {
  LayerRole role{};
  std::string path;        ///< as the kernel prints it
  bool in_live = false;    ///< the mount's own namespace shows a directory there
  bool in_parent = false;  ///< the parent namespace does
  std::string named = {};  ///< of a plan: the [filesystem] and the place in it, when neither does
};

/// A mount of a live namespace. Strings are raw bytes.
struct LiveMount {
  std::uint64_t id = 0;               ///< unique over time when MountTable::unique_ids, else reused
  std::uint32_t parent = UINT32_MAX;  ///< index in the table; UINT32_MAX for a namespace's root
  std::uint32_t ns = 0;               ///< in MountTable::namespaces
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::string root;        ///< path of its root within the filesystem, "/" for all of it
  std::string mountpoint;  ///< absolute path in the namespace
  std::string
      below_parent;  ///< the mountpoint relative to the parent's root, "" when on that root itself
  std::uint64_t attrs = 0;                      ///< mount_attr bits
  std::uint64_t attrs_known = mount_attr::all;  ///< those that are known: all of a live mount
  std::uint64_t peer_group = 0;  ///< 0 when not shared; a name, not an identity over time
  std::uint64_t master = 0;      ///< 0 when not a slave
  bool unbindable = false;
  /// Nothing when the mount is not idmapped. The ranges are as the kernel gives them, in numbers of
  /// the reader's user namespace; unknown where mountinfo was read, which shows only that there are
  /// some.
  std::optional<IdMap> idmap;
  bool sb_rdonly = false;                ///< the superblock is read-only, apart from the mount
  std::uint64_t sb_flags = 0;            ///< the superblock's other bits of fs_flag
  std::string fs_type;                   ///< "tmpfs", "fuse.sshfs"
  std::string source;                    ///< "" when it has none
  std::vector<std::string> fs_options;   ///< the superblock's parameters, without its flags
  std::vector<LiveLayer> layers;         ///< an overlay's, once overlay_layers.h has looked
  std::optional<InodeFacts> root_inode;  ///< what its root is, where inspect() could look
};

/// All bits of fs_flag that are set on the filesystem that `mount` shows.
inline std::uint64_t filesystem_flags_of(const LiveMount& mount) {
  return mount.sb_flags | (mount.sb_rdonly ? fs_flag::rdonly : 0);
}

/// All mounts of a namespace, or of all namespaces of a container. Those of a namespace stand
/// together, in the order of the namespaces, its root first; a parent stands before its children
/// and siblings are ordered by the bytes of below_parent, so equal states give equal tables.
struct MountTable {
  std::vector<LiveMount> mounts;
  /// What the spec calls them. A table of one namespace calls it main.
  std::vector<std::string> namespaces = {"main"};
  bool unique_ids = false;
  /// Whether user and group numbers in fs_options mean what they mean to the reader: the kernel
  /// prints those of the initial user namespace.
  bool ids_are_ours = true;
  /// Filled by inspect(): of superblocks that are empty when new, what mounts need, as far as it
  /// was seen.
  NeededInodes needed;
  /// Why inspect() could look at nothing; empty when it could, or had nothing to look at.
  std::string inodes_unknown;
  /// What `needed` holds shall be there also where no mount needs it.
  bool needed_or_not = false;
};

}  // namespace mntcr
