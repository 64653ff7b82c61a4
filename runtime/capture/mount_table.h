// The mounts of a live namespace as data, whichever way they were read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/overlay.h"

namespace mntcr {

/// A layer of a live overlay.
struct LiveLayer {
  LayerRole role{};
  std::string path;        ///< as the kernel prints it
  bool in_live = false;    ///< the mount's own namespace shows a directory there
  bool in_parent = false;  ///< the parent namespace does
};

/// A mount of a live namespace. Strings are raw bytes.
struct LiveMount {
  std::uint64_t id = 0;               ///< unique over time when MountTable::unique_ids, else reused
  std::uint32_t parent = UINT32_MAX;  ///< index in the table; UINT32_MAX for the namespace's root
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::string root;        ///< path of its root within the filesystem, "/" for all of it
  std::string mountpoint;  ///< absolute path in the namespace
  std::string
      below_parent;  ///< the mountpoint relative to the parent's root, "" when on that root itself
  std::uint64_t attrs = 0;       ///< mount_attr bits
  std::uint64_t peer_group = 0;  ///< 0 when not shared; a name, not an identity over time
  std::uint64_t master = 0;      ///< 0 when not a slave
  bool unbindable = false;
  bool sb_rdonly = false;               ///< the superblock is read-only, apart from the mount
  std::string fs_type;                  ///< "tmpfs", "fuse.sshfs"
  std::string source;                   ///< "" when it has none
  std::vector<std::string> fs_options;  ///< the superblock's, without ro and rw
  std::vector<LiveLayer> layers;        ///< an overlay's, once overlay_layers.h has looked for them
};

/// All mounts of one namespace. mounts[0] is its root; a parent stands before its children and
/// siblings are ordered by the bytes of below_parent, so equal states give equal tables.
struct MountTable {
  std::vector<LiveMount> mounts;
  bool unique_ids = false;
  /// Whether user and group numbers in fs_options mean what they mean to the reader: the kernel
  /// prints those of the initial user namespace.
  bool ids_are_ours = true;
};

}  // namespace mntcr
