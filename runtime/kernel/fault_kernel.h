// A Kernel on top of another that fails the call you choose and remembers what was called, so that
// a test can fail a program at each of its calls in turn and see that it leaves nothing behind.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/kernel/kernel.h"

namespace mntcr {

/// Passes every call on to `inner`, save the one that shall fail. Calls are counted from 1; close
/// is counted apart and never fails, because nothing can be done about it. Not for several threads
/// at a time. Fds that it hands out close through it and must not outlive it.
class FaultKernel final : public Kernel {
 public:
  explicit FaultKernel(Kernel& inner) : inner_(inner) {}

  /// Call number `call` from now on fails with errno `error`; 0 for none.
  void fail_call(std::size_t call, int error);

  /// The calls made, "open_tree(5, /srv, 0x1)". Fds are shown by their number.
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  [[nodiscard]] std::size_t calls() const { return log_.size(); }
  [[nodiscard]] std::size_t closes() const { return closes_; }
  /// How many of the fds handed out are still open.
  [[nodiscard]] std::size_t open_fds() const { return open_.size(); }

  Result<Fd> openat2(int dir, const std::string& path, const OpenHow& how) override;
  Result<void> mkdirat(int dir, const std::string& path, std::uint32_t mode) override;
  Result<void> unlinkat(int dir, const std::string& path, int flags) override;
  Result<void> mknodat(int dir, const std::string& path, std::uint32_t mode, std::uint32_t major,
                       std::uint32_t minor) override;
  Result<void> symlinkat(const std::string& target, int dir, const std::string& path) override;
  Result<void> fchownat(int dir, const std::string& path, std::uint32_t uid, std::uint32_t gid,
                        int flags) override;
  Result<void> fchmodat(int dir, const std::string& path, std::uint32_t mode) override;
  Result<std::string> readlinkat(int dir, const std::string& path) override;
  Result<FileStatus> statx(int dir, const std::string& path, int flags) override;
  Result<std::uint64_t> fstatfs_type(int fd) override;
  Result<std::string> read_all(int fd) override;
  Result<bool> poll_priority(int fd) override;
  Result<std::vector<std::string>> getdents(int fd) override;
  void close(int fd) override;
  Result<Fd> open_tree(int dir, const std::string& path, unsigned flags) override;
  Result<void> move_mount(int from, const std::string& from_path, int to,
                          const std::string& to_path, unsigned flags) override;
  Result<void> mount_setattr(int dir, const std::string& path, unsigned flags,
                             const MountAttr& attr) override;
  Result<Fd> fsopen(const std::string& type) override;
  Result<void> fsconfig_string(int context, const std::string& key,
                               const std::string& value) override;
  Result<void> fsconfig_flag(int context, const std::string& key) override;
  Result<void> fsconfig_create(int context) override;
  Result<Fd> fspick(int mount) override;
  Result<void> fsconfig_reconfigure(int context) override;
  Result<Fd> fsmount(int context, unsigned mount_attrs) override;
  Result<void> umount2(const std::string& path, int flags) override;
  Result<void> pivot_root(const std::string& new_root, const std::string& put_old) override;
  Result<std::size_t> listmount(std::uint64_t ns_id, std::uint64_t below, std::uint64_t last_id,
                                std::span<std::uint64_t> ids) override;
  Result<MountStatus> statmount(std::uint64_t mount_id, std::uint64_t ns_id,
                                StatmountPart part) override;
  Result<void> unshare(int flags) override;
  Result<void> setns(int ns, int type) override;
  Result<Fd> new_user_namespace(int proc, const std::string& uid_map,
                                const std::string& gid_map) override;
  Result<void> fchdir(int dir) override;
  Result<void> chroot(const std::string& path) override;
  Result<std::uint64_t> ioctl_ns_get_mntns_id(int ns) override;
  Result<int> ioctl_ns_get_nstype(int ns) override;
  Result<Fd> ioctl_ns_mnt_get_next(int ns) override;
  Result<std::vector<int>> sched_getaffinity() override;
  Result<void> sched_setaffinity(std::span<const int> cpus) override;

 private:
  template <class... Args>
  Result<void> enter(const char* name, const Args&... args);
  Result<Fd> lend(Result<Fd> opened);

  Kernel& inner_;
  std::vector<std::string> log_;
  std::size_t closes_ = 0;
  std::size_t failing_call_ = 0;
  int error_ = 0;
  std::unordered_map<int, Fd> open_;  ///< the inner kernel's fds by number
};

}  // namespace mntcr
