// The kernel makes a user namespace only together with a process that is in it: unshare(2) is
// refused to a thread of several, so a child has to be started. It does nothing but wait until the
// parent has written the maps and opened the namespace, by system calls alone, as anything else is
// forbidden in the child of a process with threads. It ends when the other end of its pipe is
// closed, also when the parent dies, and sends no SIGCHLD that the parent's program would have to
// expect. It keeps no other file open: it has inherited all that the parent's threads had open, and
// among these is the pipe's end of each other child, which would wait for this one then.
//
// The child is found in `proc` by the number that its pidfd has there: the caller may be in another
// pid namespace than the one that this /proc shows.
#include "runtime/kernel/linux_kernel_userns.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

Failure failed(const std::string& what) {
  const int number = errno;
  const char* text = strerrordesc_np(number);
  return fail(fmt::format("{}: {}", what, text != nullptr ? text : "unknown error"), number);
}

/// An open file that closes.
class File {
 public:
  File() = default;
  explicit File(int number) : number_(number) {}
  File(File&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  File& operator=(File&& other) noexcept {
    reset();
    number_ = std::exchange(other.number_, -1);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { reset(); }
  [[nodiscard]] int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void reset() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_ = -1;
};

Result<File> open_at(int dir, const std::string& path, int flags) {
  File file(::openat(dir, path.c_str(), flags | O_CLOEXEC));
  if (file.get() < 0) return failed(path);
  return file;
}

/// Closes all files but one; false if the kernel cannot. Only system calls.
bool close_all_but(int kept) {
  constexpr unsigned last = std::numeric_limits<unsigned>::max();
  const auto number = static_cast<unsigned>(kept);
  if (number > 0 && ::syscall(abi::sys_close_range, 0U, number - 1, 0U) < 0) return false;
  return ::syscall(abi::sys_close_range, number + 1, last, 0U) == 0;
}

/// What the child does: waits for the end of `pipe`. Only system calls.
[[noreturn]] void wait_for_end(int pipe) {
  if (!close_all_but(pipe)) ::_exit(1);
  char byte = 0;
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

/// A process in a new user namespace; it ends, and is waited for, with this object.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    end_.reset();
    if (pid_ <= 0) return;
    while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }

  Result<void> start() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return failed("pipe2");
    const File waiting(ends[0]);
    end_ = File(ends[1]);
    int pidfd = -1;
    abi::CloneArgs args{};
    args.flags = abi::clone_newuser_flag | abi::clone_pidfd;
    args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    const long pid = ::syscall(abi::sys_clone3, &args, sizeof(args));
    if (pid == 0) wait_for_end(ends[0]);
    if (pid < 0) return failed("clone3");
    pid_ = static_cast<pid_t>(pid);
    pidfd_ = File(pidfd);
    return {};
  }

  /// The child's folder in `proc`.
  [[nodiscard]] Result<File> folder(int proc) const {
    const auto info = open_at(proc, fmt::format("thread-self/fdinfo/{}", pidfd_.get()), O_RDONLY);
    if (!info) return Failure(info.error());
    std::array<char, 512> buffer{};
    const ssize_t size = ::read(info->get(), buffer.data(), buffer.size());
    if (size < 0) return failed("fdinfo");
    const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    constexpr std::string_view key = "\nPid:\t";
    const std::size_t at = text.find(key);
    int pid = 0;
    if (at != std::string_view::npos)
      std::from_chars(text.data() + at + key.size(), text.data() + text.size(), pid);
    if (pid <= 0) return fail("this /proc does not show the own child", ENOENT);
    return open_at(proc, std::to_string(pid), O_PATH | O_DIRECTORY);
  }

 private:
  pid_t pid_ = -1;
  File pidfd_;
  File end_;
};

/// The kernel takes a map in one write(2) only.
Result<void> write_map(const File& folder, const std::string& name, const std::string& map) {
  const auto file = open_at(folder.get(), name, O_WRONLY);
  if (!file) return Failure(file.error());
  if (::write(file->get(), map.data(), map.size()) < 0) return failed("writing " + name);
  return {};
}

}  // namespace

Result<int> make_user_namespace(int proc, const std::string& uid_map, const std::string& gid_map) {
  Child child;
  if (auto started = child.start(); !started) return Failure(started.error());
  const auto folder = child.folder(proc);
  if (!folder) return Failure(folder.error());
  Result<void> done = write_map(*folder, "uid_map", uid_map);
  if (done) done = write_map(*folder, "gid_map", gid_map);
  if (!done) return Failure(done.error());
  auto ns = open_at(folder->get(), "ns/user", O_RDONLY);
  if (!ns) return Failure(ns.error());
  return ns->release();
}

}  // namespace mntcr
