// The one seam to Linux. Methods are named after the syscalls and do one each (new_user_namespace
// is the exception); nothing here decides anything. LinuxKernel makes the calls, FaultKernel fails
// the call you choose, and whatever works on mounts is written against this interface so that it
// can be run on either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace mntcr {

class Kernel;

/// A file descriptor that closes through the kernel that opened it.
class Fd {
 public:
  Fd() = default;
  Fd(Kernel& kernel, int number) : kernel_(&kernel), number_(number) {}
  Fd(Fd&& other) noexcept;
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  /// The number to pass to a method of Kernel; -1 when empty. Lent, not given.
  [[nodiscard]] int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  void reset();

 private:
  Kernel* kernel_ = nullptr;
  int number_ = -1;
};

/// struct open_how of openat2(2). O_CLOEXEC is always added.
struct OpenHow {
  std::uint64_t flags = 0;
  std::uint64_t mode = 0;
  std::uint64_t resolve = 0;
};

/// struct mount_attr of mount_setattr(2).
struct MountAttr {
  std::uint64_t attr_set = 0;
  std::uint64_t attr_clr = 0;
  std::uint64_t propagation = 0;  ///< MS_PRIVATE and the like, or 0 for unchanged
  int userns = -1;                ///< with MOUNT_ATTR_IDMAP: the user namespace that has the map
};

/// What statx(2) says of an open file.
struct FileStatus {
  std::uint32_t mode = 0;  ///< type and permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint32_t rdev_major = 0;
  std::uint32_t rdev_minor = 0;
  std::uint64_t mount_id = 0;    ///< unique over time where the kernel can (6.8), else reused
  bool mount_id_unique = false;  ///< which of the two
  bool is_mount_root = false;
};

/// What statmount(2) says of a mount. Strings are raw bytes, nothing is escaped.
struct MountStatus {
  std::uint64_t id = 0;         ///< unique over time
  std::uint64_t parent_id = 0;  ///< unique over time
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t sb_magic = 0;
  std::uint32_t sb_flags = 0;     ///< bits of fs_flag and others
  std::uint64_t attrs = 0;        ///< MOUNT_ATTR_*
  std::uint64_t propagation = 0;  ///< MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE
  std::uint64_t peer_group = 0;   ///< 0 when not shared
  std::uint64_t master = 0;       ///< 0 when not a slave
  std::string root;               ///< path of the mount's root within its filesystem
  std::string mountpoint;         ///< path in the namespace
  std::string fs_type;
  std::string fs_subtype;  ///< "sshfs" of fuse.sshfs
  std::string source;
  /// The security module's, then the filesystem's, one by one; without ro and rw.
  std::vector<std::string> fs_options;
  /// "inside outside count", a range each, in numbers of the caller's user namespace; ranges that
  /// it has no numbers for are left out. Empty where the mount is not idmapped (attrs says).
  std::vector<std::string> uid_map;
  std::vector<std::string> gid_map;
};

/// How much statmount(2) is asked for. `placement` leaves out what costs most and says nothing of
/// where a mount stands or how it propagates: root, type, source and options.
/// `basics` leaves out the mountpoint, too.
enum class StatmountPart : std::uint8_t { everything, placement, basics };

/// Linux as mntcr uses it. Every method fails with the call's name and errno. Paths are bytes
/// without NUL, relative to a directory fd or to at_fdcwd; an empty path means the fd itself.
class Kernel {
 public:
  static constexpr int at_fdcwd = -100;
  static constexpr std::uint64_t lsmt_root = UINT64_MAX;

  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  // Files.
  virtual Result<Fd> openat2(int dir, const std::string& path, const OpenHow& how) = 0;
  virtual Result<void> mkdirat(int dir, const std::string& path, std::uint32_t mode) = 0;
  virtual Result<void> unlinkat(int dir, const std::string& path, int flags) = 0;
  /// `mode` holds the type as well; the numbers are those of a device node.
  virtual Result<void> mknodat(int dir, const std::string& path, std::uint32_t mode,
                               std::uint32_t major, std::uint32_t minor) = 0;
  virtual Result<void> symlinkat(const std::string& target, int dir, const std::string& path) = 0;
  virtual Result<void> fchownat(int dir, const std::string& path, std::uint32_t uid,
                                std::uint32_t gid, int flags) = 0;
  /// Follows a symlink at the end of `path`.
  virtual Result<void> fchmodat(int dir, const std::string& path, std::uint32_t mode) = 0;
  virtual Result<std::string> readlinkat(int dir, const std::string& path) = 0;
  virtual Result<FileStatus> statx(int dir, const std::string& path, int flags) = 0;
  /// f_type of fstatfs(2): PROC_SUPER_MAGIC and the like.
  virtual Result<std::uint64_t> fstatfs_type(int fd) = 0;
  /// The whole content from the file's position on.
  virtual Result<std::string> read_all(int fd) = 0;
  /// Whether poll(2) finds POLLPRI now. Of a mountinfo: whether its mounts changed since it was
  /// opened or last asked (mounts, umounts, moves, attributes; not propagation by mount(2)).
  virtual Result<bool> poll_priority(int fd) = 0;
  /// Names of a directory's entries without "." and "..", in no order.
  virtual Result<std::vector<std::string>> getdents(int fd) = 0;
  virtual void close(int fd) = 0;

  // Mounts.
  virtual Result<Fd> open_tree(int dir, const std::string& path, unsigned flags) = 0;
  /// Flags of move_mount(2); MOVE_MOUNT_{F,T}_EMPTY_PATH are added for empty paths.
  virtual Result<void> move_mount(int from, const std::string& from_path, int to,
                                  const std::string& to_path, unsigned flags) = 0;
  virtual Result<void> mount_setattr(int dir, const std::string& path, unsigned flags,
                                     const MountAttr& attr) = 0;
  virtual Result<Fd> fsopen(const std::string& type) = 0;
  virtual Result<void> fsconfig_string(int context, const std::string& key,
                                       const std::string& value) = 0;
  virtual Result<void> fsconfig_flag(int context, const std::string& key) = 0;
  /// FSCONFIG_CMD_CREATE. On failure kernel_text holds what the kernel said.
  virtual Result<void> fsconfig_create(int context) = 0;
  virtual Result<Fd> fsmount(int context, unsigned mount_attrs) = 0;
  /// A context of the filesystem whose mount has its root open as `mount`, to reconfigure it.
  virtual Result<Fd> fspick(int mount) = 0;
  /// FSCONFIG_CMD_RECONFIGURE.
  virtual Result<void> fsconfig_reconfigure(int context) = 0;
  virtual Result<void> umount2(const std::string& path, int flags) = 0;
  virtual Result<void> pivot_root(const std::string& new_root, const std::string& put_old) = 0;

  // Reading mounts.
  /// Unique ids of the mounts of namespace `ns_id` (0: the caller's) below the mount `below`, or
  /// with lsmt_root from the namespace's root on, after `last_id` (0 to begin) into `ids`; how many
  /// were written. Ascending, which is not tree order. `below` itself is not among them.
  virtual Result<std::size_t> listmount(std::uint64_t ns_id, std::uint64_t below,
                                        std::uint64_t last_id, std::span<std::uint64_t> ids) = 0;
  /// EOPNOTSUPP where the kernel's statmount cannot tell all of MountStatus (before 6.15).
  virtual Result<MountStatus> statmount(std::uint64_t mount_id, std::uint64_t ns_id,
                                        StatmountPart part) = 0;

  // Namespaces and threads.
  virtual Result<void> unshare(int flags) = 0;
  virtual Result<void> setns(int ns, int type) = 0;
  /// A new user namespace with these maps, for MOUNT_ATTR_IDMAP; the texts are those of
  /// /proc/PID/uid_map, `proc` is /proc. The one method of several calls: the kernel gives such a
  /// namespace only to a process that lives in it, so one is started, and has ended on return.
  /// EPERM for a chrooted caller.
  virtual Result<Fd> new_user_namespace(int proc, const std::string& uid_map,
                                        const std::string& gid_map) = 0;
  virtual Result<void> fchdir(int dir) = 0;
  virtual Result<void> chroot(const std::string& path) = 0;
  virtual Result<std::uint64_t> ioctl_ns_get_mntns_id(int ns) = 0;  ///< NS_GET_MNTNS_ID
  virtual Result<int> ioctl_ns_get_nstype(int ns) = 0;              ///< NS_GET_NSTYPE
  /// NS_MNT_GET_NEXT: the mount namespace of the machine with the next larger id, whether or not a
  /// process is in it. ENOENT after the last one.
  virtual Result<Fd> ioctl_ns_mnt_get_next(int ns) = 0;
  virtual Result<std::vector<int>> sched_getaffinity() = 0;  ///< CPUs the calling thread may use
  virtual Result<void> sched_setaffinity(std::span<const int> cpus) = 0;
};

}  // namespace mntcr
