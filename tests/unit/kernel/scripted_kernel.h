// A Kernel without Linux behind it: every call succeeds, fds are numbers, closes are counted.
#pragma once

#include <set>

#include "runtime/kernel/kernel.h"

namespace mntcr {

class ScriptedKernel : public Kernel {
 public:
  std::set<int> open;
  int closes = 0;
  /// What calls without an fd to return fail with; 0 for success.
  int error = 0;

  Result<Fd> openat2(int, const std::string&, const OpenHow&) override { return next(); }
  Result<void> mknodat(int, const std::string&, std::uint32_t, std::uint32_t,
                       std::uint32_t) override {
    return done();
  }
  Result<void> symlinkat(const std::string&, int, const std::string&) override { return done(); }
  Result<void> fchownat(int, const std::string&, std::uint32_t, std::uint32_t, int) override {
    return done();
  }
  Result<void> fchmodat(int, const std::string&, std::uint32_t) override { return done(); }
  Result<void> mkdirat(int, const std::string&, std::uint32_t) override { return done(); }
  Result<void> unlinkat(int, const std::string&, int) override { return done(); }
  Result<std::string> readlinkat(int, const std::string&) override { return value<std::string>(); }
  Result<FileStatus> statx(int, const std::string&, int) override { return value<FileStatus>(); }
  Result<std::uint64_t> fstatfs_type(int) override { return value<std::uint64_t>(); }
  Result<std::string> read_all(int) override { return value<std::string>(); }
  Result<bool> poll_priority(int) override { return value<bool>(); }
  Result<std::vector<std::string>> getdents(int) override {
    return value<std::vector<std::string>>();
  }
  void close(int fd) override {
    ++closes;
    open.erase(fd);
  }
  Result<Fd> open_tree(int, const std::string&, unsigned) override { return next(); }
  Result<void> move_mount(int, const std::string&, int, const std::string&, unsigned) override {
    return done();
  }
  Result<void> mount_setattr(int, const std::string&, unsigned, const MountAttr&) override {
    return done();
  }
  Result<Fd> fsopen(const std::string&) override { return next(); }
  Result<void> fsconfig_string(int, const std::string&, const std::string&) override {
    return done();
  }
  Result<void> fsconfig_flag(int, const std::string&) override { return done(); }
  Result<void> fsconfig_create(int) override { return done(); }
  Result<Fd> fsmount(int, unsigned) override { return next(); }
  Result<Fd> fspick(int) override { return next(); }
  Result<void> fsconfig_reconfigure(int) override { return done(); }
  Result<void> umount2(const std::string&, int) override { return done(); }
  Result<void> pivot_root(const std::string&, const std::string&) override { return done(); }
  Result<std::size_t> listmount(std::uint64_t, std::uint64_t, std::uint64_t,
                                std::span<std::uint64_t>) override {
    return value<std::size_t>();
  }
  Result<MountStatus> statmount(std::uint64_t, std::uint64_t, StatmountPart) override {
    return value<MountStatus>();
  }
  Result<void> unshare(int) override { return done(); }
  Result<void> setns(int, int) override { return done(); }
  Result<Fd> new_user_namespace(int, const std::string&, const std::string&) override {
    return next();
  }
  Result<void> fchdir(int) override { return done(); }
  Result<void> chroot(const std::string&) override { return done(); }
  Result<std::uint64_t> ioctl_ns_get_mntns_id(int) override { return value<std::uint64_t>(); }
  Result<int> ioctl_ns_get_nstype(int) override { return value<int>(); }
  Result<Fd> ioctl_ns_mnt_get_next(int) override { return next(); }
  Result<std::vector<int>> sched_getaffinity() override { return value<std::vector<int>>(); }
  Result<void> sched_setaffinity(std::span<const int>) override { return done(); }

 private:
  Result<Fd> next() {
    if (error != 0) return fail("scripted", error);
    open.insert(++last_);
    return Fd(*this, last_);
  }
  [[nodiscard]] Result<void> done() const {
    if (error != 0) return fail("scripted", error);
    return {};
  }
  template <class T>
  Result<T> value() const {
    if (error != 0) return fail("scripted", error);
    return T{};
  }

  int last_ = 2;
};

}  // namespace mntcr
