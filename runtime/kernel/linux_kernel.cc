// The only file with syscalls. It decides nothing: a method adds O_CLOEXEC, the flag that an empty
// path needs, and in a failure the call's name. What it retries is EINTR of openat2 and read, which
// have done nothing then; an interrupted mount call is the caller's to judge.
#include "runtime/kernel/linux_kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/linux_kernel_userns.h"
#include "runtime/kernel/statmount_decode.h"

namespace mntcr {
namespace {

/// "<call>: <text of errno>", with errno as it is now.
Failure failed(const char* call) {
  const int number = errno;
  const char* text = strerrordesc_np(number);
  return fail(fmt::format("{}: {}", call, text != nullptr ? text : "unknown error"), number);
}

Result<void> done(long result, const char* call) {
  if (result < 0) return failed(call);
  return {};
}

template <class Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// What the kernel wrote into the log of an fs context since it was last read: one message a read,
/// "e tmpfs: Bad value for 'size'". Errors only; warnings and notes are dropped.
std::string read_fs_log(int context) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t size = ::read(context, buffer.data(), buffer.size());
    if (size <= 0) return text;
    std::string_view message(buffer.data(), static_cast<std::size_t>(size));
    if (message.ends_with('\n')) message.remove_suffix(1);
    if (!message.starts_with("e ")) continue;
    if (!text.empty()) text += "; ";
    text += message.substr(2);
  }
}

/// As failed(), with what the kernel said through `context`.
Failure failed_in_context(const char* call, int context) {
  Failure failure = failed(call);
  failure.error().kernel_text = read_fs_log(context);
  return failure;
}

abi::MntIdReq mount_request(std::uint64_t mount_id, std::uint64_t param, std::uint64_t ns_id) {
  // Kernels before 6.11 know the struct without its last member and refuse a larger one.
  constexpr std::uint32_t size_without_namespace = 24;
  const std::uint32_t size = ns_id == 0 ? size_without_namespace : sizeof(abi::MntIdReq);
  return {size, 0, mount_id, param, ns_id};
}

FileStatus file_status_of(const struct ::statx& raw) {
  FileStatus status;
  status.mode = raw.stx_mode;
  status.uid = raw.stx_uid;
  status.gid = raw.stx_gid;
  status.inode = raw.stx_ino;
  status.size = raw.stx_size;
  status.dev_major = raw.stx_dev_major;
  status.dev_minor = raw.stx_dev_minor;
  status.rdev_major = raw.stx_rdev_major;
  status.rdev_minor = raw.stx_rdev_minor;
  // Debian's struct statx has no name for the member: it follows stx_dev_minor.
  std::memcpy(&status.mount_id,
              reinterpret_cast<const char*>(&raw) + offsetof(struct ::statx, stx_dev_minor) +
                  sizeof(raw.stx_dev_minor),
              sizeof(status.mount_id));
  status.mount_id_unique = (raw.stx_mask & abi::statx_mnt_id_unique) != 0;
  status.is_mount_root = (raw.stx_attributes & abi::statx_attr_mount_root) != 0;
  return status;
}

class LinuxKernel final : public Kernel {
 public:
  Result<Fd> openat2(int dir, const std::string& path, const OpenHow& how) override {
    abi::OpenHow raw{how.flags | O_CLOEXEC, how.mode, how.resolve};
    return owned(retry_interrupted([&] {
                   return ::syscall(abi::sys_openat2, dir, path.c_str(), &raw, sizeof(raw));
                 }),
                 "openat2");
  }

  Result<void> mkdirat(int dir, const std::string& path, std::uint32_t mode) override {
    return done(::mkdirat(dir, path.c_str(), mode), "mkdirat");
  }

  Result<void> unlinkat(int dir, const std::string& path, int flags) override {
    return done(::unlinkat(dir, path.c_str(), flags), "unlinkat");
  }

  Result<void> mknodat(int dir, const std::string& path, std::uint32_t mode, std::uint32_t major,
                       std::uint32_t minor) override {
    return done(::mknodat(dir, path.c_str(), mode, makedev(major, minor)), "mknodat");
  }

  Result<void> symlinkat(const std::string& target, int dir, const std::string& path) override {
    return done(::symlinkat(target.c_str(), dir, path.c_str()), "symlinkat");
  }

  Result<void> fchownat(int dir, const std::string& path, std::uint32_t uid, std::uint32_t gid,
                        int flags) override {
    return done(::fchownat(dir, path.c_str(), uid, gid, flags), "fchownat");
  }

  Result<void> fchmodat(int dir, const std::string& path, std::uint32_t mode) override {
    return done(::fchmodat(dir, path.c_str(), mode, 0), "fchmodat");
  }

  Result<std::string> readlinkat(int dir, const std::string& path) override {
    std::string target(256, '\0');
    for (;;) {
      const ssize_t size = ::readlinkat(dir, path.c_str(), target.data(), target.size());
      if (size < 0) return failed("readlinkat");
      if (static_cast<std::size_t>(size) < target.size()) {
        target.resize(static_cast<std::size_t>(size));
        return target;
      }
      target.resize(target.size() * 4);
    }
  }

  Result<FileStatus> statx(int dir, const std::string& path, int flags) override {
    struct ::statx raw{};
    const int all_flags = flags | (path.empty() ? AT_EMPTY_PATH : 0);
    const unsigned mask = STATX_BASIC_STATS | abi::statx_mnt_id | abi::statx_mnt_id_unique;
    if (::statx(dir, path.c_str(), all_flags, mask, &raw) < 0) return failed("statx");
    return file_status_of(raw);
  }

  Result<std::uint64_t> fstatfs_type(int fd) override {
    struct ::statfs raw{};
    if (::fstatfs(fd, &raw) < 0) return failed("fstatfs");
    return static_cast<std::uint64_t>(raw.f_type);
  }

  Result<std::string> read_all(int fd) override {
    constexpr std::size_t least_room = 4096;
    std::string content(4 * least_room, '\0');
    std::size_t used = 0;
    for (;;) {
      if (content.size() - used < least_room) content.resize(content.size() * 2);
      const ssize_t size = retry_interrupted(
          [&] { return ::read(fd, content.data() + used, content.size() - used); });
      if (size < 0) return failed("read");
      if (size == 0) break;
      used += static_cast<std::size_t>(size);
    }
    content.resize(used);
    return content;
  }

  Result<bool> poll_priority(int fd) override {
    pollfd asked{fd, POLLPRI, 0};
    if (retry_interrupted([&] { return ::poll(&asked, 1, 0); }) < 0) return failed("poll");
    return (asked.revents & POLLPRI) != 0;
  }

  Result<std::vector<std::string>> getdents(int fd) override {
    std::vector<std::string> names;
    alignas(dirent64) std::array<char, 32768> buffer;
    for (;;) {
      const ssize_t size = ::getdents64(fd, buffer.data(), buffer.size());
      if (size < 0) return failed("getdents64");
      if (size == 0) return names;
      for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
        const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") names.emplace_back(name);
        at += entry->d_reclen;
      }
    }
  }

  void close(int fd) override { ::close(fd); }

  Result<Fd> open_tree(int dir, const std::string& path, unsigned flags) override {
    const unsigned all_flags =
        flags | O_CLOEXEC | (path.empty() ? static_cast<unsigned>(AT_EMPTY_PATH) : 0U);
    return owned(::syscall(abi::sys_open_tree, dir, path.c_str(), all_flags), "open_tree");
  }

  Result<void> move_mount(int from, const std::string& from_path, int to,
                          const std::string& to_path, unsigned flags) override {
    const unsigned all_flags = flags | (from_path.empty() ? abi::move_mount_f_empty_path : 0U) |
                               (to_path.empty() ? abi::move_mount_t_empty_path : 0U);
    return done(
        ::syscall(abi::sys_move_mount, from, from_path.c_str(), to, to_path.c_str(), all_flags),
        "move_mount");
  }

  Result<void> mount_setattr(int dir, const std::string& path, unsigned flags,
                             const MountAttr& attr) override {
    abi::MountAttr raw{attr.attr_set, attr.attr_clr, attr.propagation, 0};
    if (attr.userns >= 0) raw.userns_fd = static_cast<std::uint64_t>(attr.userns);
    const unsigned all_flags = flags | (path.empty() ? static_cast<unsigned>(AT_EMPTY_PATH) : 0U);
    return done(::syscall(abi::sys_mount_setattr, dir, path.c_str(), all_flags, &raw, sizeof(raw)),
                "mount_setattr");
  }

  Result<Fd> fsopen(const std::string& type) override {
    return owned(::syscall(abi::sys_fsopen, type.c_str(), abi::fsopen_cloexec), "fsopen");
  }

  Result<void> fsconfig_string(int context, const std::string& key,
                               const std::string& value) override {
    return fsconfig(context, abi::fsconfig_set_string, key.c_str(), value.c_str());
  }

  Result<void> fsconfig_flag(int context, const std::string& key) override {
    return fsconfig(context, abi::fsconfig_set_flag, key.c_str(), nullptr);
  }

  Result<void> fsconfig_create(int context) override {
    return fsconfig(context, abi::fsconfig_cmd_create, nullptr, nullptr);
  }

  Result<Fd> fsmount(int context, unsigned mount_attrs) override {
    const long fd = ::syscall(abi::sys_fsmount, context, abi::fsmount_cloexec, mount_attrs);
    if (fd < 0) return failed_in_context("fsmount", context);
    return owned(fd, "fsmount");
  }

  Result<Fd> fspick(int mount) override {
    constexpr unsigned flags = abi::fspick_cloexec | abi::fspick_empty_path;
    return owned(::syscall(abi::sys_fspick, mount, "", flags), "fspick");
  }

  Result<void> fsconfig_reconfigure(int context) override {
    return fsconfig(context, abi::fsconfig_cmd_reconfigure, nullptr, nullptr);
  }

  Result<void> umount2(const std::string& path, int flags) override {
    return done(::umount2(path.c_str(), flags), "umount2");
  }

  Result<void> pivot_root(const std::string& new_root, const std::string& put_old) override {
    return done(::syscall(SYS_pivot_root, new_root.c_str(), put_old.c_str()), "pivot_root");
  }

  Result<std::size_t> listmount(std::uint64_t ns_id, std::uint64_t below, std::uint64_t last_id,
                                std::span<std::uint64_t> ids) override {
    const abi::MntIdReq request = mount_request(below, last_id, ns_id);
    const long count = ::syscall(abi::sys_listmount, &request, ids.data(), ids.size(), 0);
    if (count < 0) return failed("listmount");
    return static_cast<std::size_t>(count);
  }

  Result<MountStatus> statmount(std::uint64_t mount_id, std::uint64_t ns_id,
                                StatmountPart part) override {
    const abi::MntIdReq request = mount_request(mount_id, statmount_request(part), ns_id);
    alignas(8) std::array<std::byte, 8192> buffer;
    std::span<std::byte> bytes(buffer);
    std::vector<std::byte> larger;
    while (::syscall(abi::sys_statmount, &request, bytes.data(), bytes.size(), 0) < 0) {
      if (errno != EOVERFLOW) return failed("statmount");
      larger.resize(bytes.size() * 4);
      bytes = larger;
    }
    return decode_statmount(bytes, part);
  }

  Result<void> unshare(int flags) override { return done(::unshare(flags), "unshare"); }

  Result<void> setns(int ns, int type) override { return done(::setns(ns, type), "setns"); }

  Result<Fd> new_user_namespace(int proc, const std::string& uid_map,
                                const std::string& gid_map) override {
    const Result<int> made = make_user_namespace(proc, uid_map, gid_map);
    if (!made) return in_context("making a user namespace", made.error());
    return Fd(*this, *made);
  }

  Result<void> fchdir(int dir) override { return done(::fchdir(dir), "fchdir"); }

  Result<void> chroot(const std::string& path) override {
    return done(::chroot(path.c_str()), "chroot");
  }

  Result<std::uint64_t> ioctl_ns_get_mntns_id(int ns) override {
    std::uint64_t id = 0;
    if (::ioctl(ns, abi::ns_get_mntns_id, &id) < 0) return failed("ioctl(NS_GET_MNTNS_ID)");
    return id;
  }

  Result<int> ioctl_ns_get_nstype(int ns) override {
    const int type = ::ioctl(ns, abi::ns_get_nstype);
    if (type < 0) return failed("ioctl(NS_GET_NSTYPE)");
    return type;
  }

  Result<Fd> ioctl_ns_mnt_get_next(int ns) override {
    return owned(::ioctl(ns, abi::ns_mnt_get_next, nullptr), "ioctl(NS_MNT_GET_NEXT)");
  }

  Result<std::vector<int>> sched_getaffinity() override {
    CpuSet set{};  // the kernel fills no more than it has CPUs
    const long size = ::syscall(SYS_sched_getaffinity, 0, sizeof(set), set.data());
    if (size < 0) return failed("sched_getaffinity");
    std::vector<int> cpus;
    for (std::size_t cpu = 0; cpu < set.size() * bits_per_word; ++cpu) {
      if ((set[cpu / bits_per_word] >> (cpu % bits_per_word) & 1U) != 0) {
        cpus.push_back(static_cast<int>(cpu));
      }
    }
    return cpus;
  }

  Result<void> sched_setaffinity(std::span<const int> cpus) override {
    CpuSet set{};
    for (const int cpu : cpus) {
      const auto bit = static_cast<std::size_t>(cpu);
      if (cpu < 0 || bit >= set.size() * bits_per_word) {
        errno = EINVAL;
        return failed("sched_setaffinity");
      }
      set[bit / bits_per_word] |= 1UL << (bit % bits_per_word);
    }
    return done(::syscall(SYS_sched_setaffinity, 0, sizeof(set), set.data()), "sched_setaffinity");
  }

 private:
  static constexpr std::size_t bits_per_word = 64;
  /// Room for 8192 CPUs, the most that Linux can be configured for.
  using CpuSet = std::array<unsigned long, 8192 / bits_per_word>;

  Result<Fd> owned(long fd, const char* call) {
    if (fd < 0) return failed(call);
    return Fd(*this, static_cast<int>(fd));
  }

  static Result<void> fsconfig(int context, unsigned command, const char* key, const char* value) {
    if (::syscall(abi::sys_fsconfig, context, command, key, value, 0) < 0) {
      return failed_in_context("fsconfig", context);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Kernel> make_linux_kernel() { return std::make_unique<LinuxKernel>(); }

}  // namespace mntcr
