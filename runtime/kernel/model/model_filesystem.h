// Filesystems of the model: superblocks with inodes, which stand for dentries as well (there are no
// hard links), made when they are first needed. A mount's root and its mountpoint are inodes, so
// that a name that is removed and made anew is another place.
//
// A boundless superblock stands for a filesystem of which nothing is known: every name in it
// exists, of a kind that fits directory and file alike.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mntcr::model {

struct Mount;
struct Superblock;

enum class InodeKind : std::uint8_t {
  directory,
  file,
  symlink,
  fifo,
  socket,
  character,
  block,
  unknown,    ///< of a boundless superblock: whatever is wanted
  magic,      ///< a link of proc to something that has no path
  fd_folder,  ///< the folder of proc with a magic link for each fd
  ns_file,    ///< stands for a mount namespace
};

struct Inode {
  Superblock* superblock = nullptr;
  std::uint64_t number = 0;  ///< unique in its superblock, never reused
  Inode* parent = nullptr;   ///< none of a superblock's root
  std::string name;
  InodeKind kind = InodeKind::directory;
  std::uint32_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t rdev_major = 0;
  std::uint32_t rdev_minor = 0;
  std::string target;              ///< of a symlink; of a magic link what it leads to
  std::uint64_t namespace_id = 0;  ///< of an ns_file
  bool deleted = false;            ///< its name is gone; it may still be a mount's root
  /// By name; nullptr for a name that was taken away from a boundless superblock.
  std::map<std::string, Inode*, std::less<>> entries;
  std::map<std::uint64_t, Mount*> mounted;  ///< the mounts that stand on it, in any namespace

  [[nodiscard]] bool fits_directory() const {
    return kind == InodeKind::directory || kind == InodeKind::fd_folder ||
           kind == InodeKind::unknown;
  }
  [[nodiscard]] bool fits_file() const {
    return kind != InodeKind::directory && kind != InodeKind::fd_folder;
  }
};

struct Superblock {
  Superblock() = default;
  Superblock(const Superblock&) = delete;
  Superblock& operator=(const Superblock&) = delete;
  ~Superblock() = default;

  std::string type;
  std::uint32_t dev_minor = 0;  ///< the major number is 0
  std::uint32_t flags = 0;      ///< bits of fs_flag
  std::string source;
  std::vector<std::string> options;
  bool boundless = false;
  std::deque<Inode> inodes;  ///< the first is the root; none ever goes

  [[nodiscard]] Inode& root() { return inodes.front(); }
};

/// A superblock with a root directory, open to all.
std::shared_ptr<Superblock> make_superblock(std::string type, std::uint32_t dev_minor);

/// f_type of statfs(2); of a type that is not known some number of its own.
std::uint64_t magic_of(std::string_view type);

/// The inode of that name in `directory`; made on the spot if its superblock is boundless, else
/// nullptr when there is none.
Inode* lookup(Inode& directory, std::string_view name);

/// A new inode of that name, which must be free.
Inode& make_inode(Inode& directory, std::string_view name, InodeKind kind,
                  std::uint32_t permissions);

/// Takes the name away. The inode lives on as long as its superblock.
void remove_inode(Inode& inode);

[[nodiscard]] bool is_at_or_below(const Inode& inode, const Inode& above);

/// The path of `inode` below `above`, which must hold it: "" when they are equal.
std::string path_below(const Inode& inode, const Inode& above);

/// The path within the filesystem as the kernel shows it of a mount's root: "/a", "/a//deleted".
std::string path_in_filesystem(const Inode& inode);

/// st_mode: type and permissions. An unknown inode passes for a directory.
std::uint32_t mode_of(const Inode& inode);

}  // namespace mntcr::model
