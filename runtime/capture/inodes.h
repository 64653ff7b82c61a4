// Inodes that mounts need: what their roots are, and what their mountpoints and the directories
// above those are, underneath the mounts. A spec that shall bring the mounts back has to make them
// again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mntcr {

struct MountTable;

/// What an inode can be.
enum class InodeKind : std::uint8_t { directory, file, symlink, fifo, socket, character, block };

/// What the inspector saw of an inode. Numbers are the kernel's, as the reader's user namespace
/// shows them.
struct InodeFacts {
  InodeKind kind = InodeKind::directory;
  std::uint64_t inode = 0;  ///< 0 where it is not known
  std::uint32_t mode = 0;   ///< permission bits with set-id and sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::uint32_t rdev_major = 0;  ///< of devices
  std::uint32_t rdev_minor = 0;
  std::string target;  ///< of symlinks
  bool operator==(const InodeFacts&) const = default;
};

/// An inode by its path within the filesystem: "run/app", never the root itself.
struct NeededInode {
  std::string path;
  InodeFacts facts;
  bool operator==(const NeededInode&) const = default;
};

/// A superblock by its device number.
using DeviceNumber = std::pair<std::uint32_t, std::uint32_t>;

/// Inodes of some superblocks, each list sorted by the bytes of the paths.
using NeededInodes = std::map<DeviceNumber, std::vector<NeededInode>>;

/// Whether mountinfo's `root` is of an inode that has been removed, and the path within the
/// filesystem that it had. What is only called so ("x (deleted)", "deleted") has not: no path has
/// the "//" of the kernel's mark.
bool is_deleted_root(std::string_view root);
std::string_view deleted_path(std::string_view root);

/// Where restored inodes had their names before these were removed:
/// "/.mntcr-deleted/LABEL//deleted".
inline constexpr std::string_view restored_folder = ".mntcr-deleted";

/// Of filesystems that hold directories the paths that `mounts` of `table` need: those of their
/// roots, of their mountpoints, and of every directory above. Relative, without the root itself.
std::map<DeviceNumber, std::set<std::string>> needed_paths(
    const MountTable& table, const std::vector<std::uint32_t>& mounts);

}  // namespace mntcr
