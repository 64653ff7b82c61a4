// Each method enters (it is logged, counted and perhaps failed) and passes on. An fd of the inner
// kernel stays in `open_`; what the caller gets is an Fd of ours with the same number, whose close
// takes the inner one out of there.
#include "runtime/kernel/fault_kernel.h"

#include <fmt/format.h>

#include <cstring>
#include <type_traits>
#include <utility>

namespace mntcr {
namespace {

/// Numbers without a sign are flags, modes and ids: hexadecimal. Signed ones are fds.
template <class T>
std::string shown(const T& arg) {
  if constexpr (std::is_unsigned_v<T>) {
    return fmt::format("{:#x}", arg);
  } else {
    return fmt::format("{}", arg);
  }
}

}  // namespace

template <class... Args>
Result<void> FaultKernel::enter(const char* name, const Args&... args) {
  std::string call = std::string(name) + "(";
  [[maybe_unused]] const char* separator = "";
  ((call += std::exchange(separator, ", "), call += shown(args)), ...);
  log_.push_back(call + ")");
  if (log_.size() != failing_call_) return {};
  const char* text = strerrordesc_np(error_);
  return fail(fmt::format("{}: {}", name, text != nullptr ? text : "unknown error"), error_);
}

Result<Fd> FaultKernel::lend(Result<Fd> opened) {
  if (!opened) return opened;
  const int number = opened->get();
  open_.insert_or_assign(number, std::move(*opened));
  return Fd(*this, number);
}

void FaultKernel::fail_call(std::size_t call, int error) {
  failing_call_ = call == 0 ? 0 : calls() + call;
  error_ = error;
}

void FaultKernel::close(int fd) {
  ++closes_;
  open_.erase(fd);
}

Result<Fd> FaultKernel::openat2(int dir, const std::string& path, const OpenHow& how) {
  if (auto entered = enter("openat2", dir, path, how.flags, how.resolve); !entered) {
    return Failure(entered.error());
  }
  return lend(inner_.openat2(dir, path, how));
}

Result<void> FaultKernel::mkdirat(int dir, const std::string& path, std::uint32_t mode) {
  if (auto entered = enter("mkdirat", dir, path, mode); !entered) return entered;
  return inner_.mkdirat(dir, path, mode);
}

Result<void> FaultKernel::unlinkat(int dir, const std::string& path, int flags) {
  if (auto entered = enter("unlinkat", dir, path, flags); !entered) return entered;
  return inner_.unlinkat(dir, path, flags);
}

Result<void> FaultKernel::mknodat(int dir, const std::string& path, std::uint32_t mode,
                                  std::uint32_t major, std::uint32_t minor) {
  if (auto entered = enter("mknodat", dir, path, mode, major, minor); !entered) return entered;
  return inner_.mknodat(dir, path, mode, major, minor);
}

Result<void> FaultKernel::symlinkat(const std::string& target, int dir, const std::string& path) {
  if (auto entered = enter("symlinkat", target, dir, path); !entered) return entered;
  return inner_.symlinkat(target, dir, path);
}

Result<void> FaultKernel::fchownat(int dir, const std::string& path, std::uint32_t uid,
                                   std::uint32_t gid, int flags) {
  if (auto entered = enter("fchownat", dir, path, uid, gid, flags); !entered) return entered;
  return inner_.fchownat(dir, path, uid, gid, flags);
}

Result<void> FaultKernel::fchmodat(int dir, const std::string& path, std::uint32_t mode) {
  if (auto entered = enter("fchmodat", dir, path, mode); !entered) return entered;
  return inner_.fchmodat(dir, path, mode);
}

Result<std::string> FaultKernel::readlinkat(int dir, const std::string& path) {
  if (auto entered = enter("readlinkat", dir, path); !entered) return Failure(entered.error());
  return inner_.readlinkat(dir, path);
}

Result<FileStatus> FaultKernel::statx(int dir, const std::string& path, int flags) {
  if (auto entered = enter("statx", dir, path, flags); !entered) return Failure(entered.error());
  return inner_.statx(dir, path, flags);
}

Result<std::uint64_t> FaultKernel::fstatfs_type(int fd) {
  if (auto entered = enter("fstatfs_type", fd); !entered) return Failure(entered.error());
  return inner_.fstatfs_type(fd);
}

Result<std::string> FaultKernel::read_all(int fd) {
  if (auto entered = enter("read_all", fd); !entered) return Failure(entered.error());
  return inner_.read_all(fd);
}

Result<bool> FaultKernel::poll_priority(int fd) {
  if (auto entered = enter("poll_priority", fd); !entered) return Failure(entered.error());
  return inner_.poll_priority(fd);
}

Result<std::vector<std::string>> FaultKernel::getdents(int fd) {
  if (auto entered = enter("getdents", fd); !entered) return Failure(entered.error());
  return inner_.getdents(fd);
}

Result<Fd> FaultKernel::open_tree(int dir, const std::string& path, unsigned flags) {
  if (auto entered = enter("open_tree", dir, path, flags); !entered) {
    return Failure(entered.error());
  }
  return lend(inner_.open_tree(dir, path, flags));
}

Result<void> FaultKernel::move_mount(int from, const std::string& from_path, int to,
                                     const std::string& to_path, unsigned flags) {
  if (auto entered = enter("move_mount", from, from_path, to, to_path, flags); !entered) {
    return entered;
  }
  return inner_.move_mount(from, from_path, to, to_path, flags);
}

Result<void> FaultKernel::mount_setattr(int dir, const std::string& path, unsigned flags,
                                        const MountAttr& attr) {
  if (auto entered =
          enter("mount_setattr", dir, path, flags, attr.attr_set, attr.attr_clr, attr.propagation);
      !entered) {
    return entered;
  }
  return inner_.mount_setattr(dir, path, flags, attr);
}

Result<Fd> FaultKernel::fsopen(const std::string& type) {
  if (auto entered = enter("fsopen", type); !entered) return Failure(entered.error());
  return lend(inner_.fsopen(type));
}

Result<void> FaultKernel::fsconfig_string(int context, const std::string& key,
                                          const std::string& value) {
  if (auto entered = enter("fsconfig_string", context, key, value); !entered) return entered;
  return inner_.fsconfig_string(context, key, value);
}

Result<void> FaultKernel::fsconfig_flag(int context, const std::string& key) {
  if (auto entered = enter("fsconfig_flag", context, key); !entered) return entered;
  return inner_.fsconfig_flag(context, key);
}

Result<void> FaultKernel::fsconfig_create(int context) {
  if (auto entered = enter("fsconfig_create", context); !entered) return entered;
  return inner_.fsconfig_create(context);
}

Result<Fd> FaultKernel::fsmount(int context, unsigned mount_attrs) {
  if (auto entered = enter("fsmount", context, mount_attrs); !entered) {
    return Failure(entered.error());
  }
  return lend(inner_.fsmount(context, mount_attrs));
}

Result<Fd> FaultKernel::fspick(int mount) {
  if (auto entered = enter("fspick", mount); !entered) return Failure(entered.error());
  return lend(inner_.fspick(mount));
}

Result<void> FaultKernel::fsconfig_reconfigure(int context) {
  if (auto entered = enter("fsconfig_reconfigure", context); !entered) return entered;
  return inner_.fsconfig_reconfigure(context);
}

Result<void> FaultKernel::umount2(const std::string& path, int flags) {
  if (auto entered = enter("umount2", path, flags); !entered) return entered;
  return inner_.umount2(path, flags);
}

Result<void> FaultKernel::pivot_root(const std::string& new_root, const std::string& put_old) {
  if (auto entered = enter("pivot_root", new_root, put_old); !entered) return entered;
  return inner_.pivot_root(new_root, put_old);
}

Result<std::size_t> FaultKernel::listmount(std::uint64_t ns_id, std::uint64_t below,
                                           std::uint64_t last_id, std::span<std::uint64_t> ids) {
  if (auto entered = enter("listmount", ns_id, below, last_id, ids.size()); !entered) {
    return Failure(entered.error());
  }
  return inner_.listmount(ns_id, below, last_id, ids);
}

Result<MountStatus> FaultKernel::statmount(std::uint64_t mount_id, std::uint64_t ns_id,
                                           StatmountPart part) {
  if (auto entered = enter("statmount", mount_id, ns_id); !entered) {
    return Failure(entered.error());
  }
  return inner_.statmount(mount_id, ns_id, part);
}

Result<void> FaultKernel::unshare(int flags) {
  if (auto entered = enter("unshare", flags); !entered) return entered;
  return inner_.unshare(flags);
}

Result<void> FaultKernel::setns(int ns, int type) {
  if (auto entered = enter("setns", ns, type); !entered) return entered;
  return inner_.setns(ns, type);
}

Result<Fd> FaultKernel::new_user_namespace(int proc, const std::string& uid_map,
                                           const std::string& gid_map) {
  if (auto entered = enter("new_user_namespace", proc, uid_map, gid_map); !entered) {
    return Failure(entered.error());
  }
  return lend(inner_.new_user_namespace(proc, uid_map, gid_map));
}

Result<void> FaultKernel::fchdir(int dir) {
  if (auto entered = enter("fchdir", dir); !entered) return entered;
  return inner_.fchdir(dir);
}

Result<void> FaultKernel::chroot(const std::string& path) {
  if (auto entered = enter("chroot", path); !entered) return entered;
  return inner_.chroot(path);
}

Result<std::uint64_t> FaultKernel::ioctl_ns_get_mntns_id(int ns) {
  if (auto entered = enter("ioctl_ns_get_mntns_id", ns); !entered) {
    return Failure(entered.error());
  }
  return inner_.ioctl_ns_get_mntns_id(ns);
}

Result<int> FaultKernel::ioctl_ns_get_nstype(int ns) {
  if (auto entered = enter("ioctl_ns_get_nstype", ns); !entered) return Failure(entered.error());
  return inner_.ioctl_ns_get_nstype(ns);
}

Result<Fd> FaultKernel::ioctl_ns_mnt_get_next(int ns) {
  if (auto entered = enter("ioctl_ns_mnt_get_next", ns); !entered) return Failure(entered.error());
  return lend(inner_.ioctl_ns_mnt_get_next(ns));
}

Result<std::vector<int>> FaultKernel::sched_getaffinity() {
  if (auto entered = enter("sched_getaffinity"); !entered) return Failure(entered.error());
  return inner_.sched_getaffinity();
}

Result<void> FaultKernel::sched_setaffinity(std::span<const int> cpus) {
  if (auto entered = enter("sched_setaffinity", cpus.size()); !entered) return entered;
  return inner_.sched_setaffinity(cpus);
}

}  // namespace mntcr
