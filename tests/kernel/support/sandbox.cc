#include "tests/kernel/support/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include "runtime/kernel/linux_kernel.h"

namespace mntcr::sandbox {
namespace {

std::string& scratch_path() {
  static std::string path;
  return path;
}

void check(bool good, const std::string& doing) {
  if (!good) throw std::system_error(errno, std::generic_category(), doing);
}

void plain_mount(const std::string& source, const std::string& path, const char* type,
                 unsigned long flags, const std::string& options) {
  check(::mount(source.c_str(), path.c_str(), type, flags, options.c_str()) == 0, "mount " + path);
}

/// The child: says "ready" or why not through `out`, then sleeps until it is killed.
[[noreturn]] void run_child(const std::function<void()>& set_up, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string said = "ready";
  try {
    check(::unshare(CLONE_NEWNS) == 0, "unshare");
    propagate("/", MS_REC | MS_PRIVATE);
    set_up();
  } catch (const std::exception& error) {
    said = error.what();
  }
  if (::write(out, said.data(), said.size()) < 0) ::_exit(1);
  ::close(out);
  for (;;) ::pause();
}

}  // namespace

const std::string& scratch() { return scratch_path(); }

void set_scratch(std::string path) { scratch_path() = std::move(path); }

bool in_initial_user_namespace() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  map >> inside >> outside >> count;
  return count == UINT32_MAX;
}

std::string fresh_dir() {
  std::string path = scratch() + "/XXXXXX";
  check(::mkdtemp(path.data()) != nullptr, "mkdtemp");
  return path;
}

void make_dir(const std::string& path) { std::filesystem::create_directories(path); }

void make_file(const std::string& path, const std::string& content) {
  std::ofstream file(path);
  file << content;
  file.close();
  check(file.good(), "writing " + path);
}

void make_symlink(const std::string& target, const std::string& path) {
  check(::symlink(target.c_str(), path.c_str()) == 0, "symlink " + path);
}

void mount_new(const std::string& type, const std::string& path, const std::string& source,
               unsigned long flags, const std::string& options) {
  plain_mount(source, path, type.c_str(), flags, options);
}

void mount_tmpfs(const std::string& path, const std::string& options) {
  plain_mount("tmpfs", path, "tmpfs", 0, options);
}

void mount_bind(const std::string& from, const std::string& to, unsigned long flags) {
  plain_mount(from, to, nullptr, MS_BIND | (flags & MS_REC), {});
  const unsigned long attributes = flags & ~static_cast<unsigned long>(MS_REC);
  if (attributes != 0) plain_mount("", to, nullptr, MS_BIND | MS_REMOUNT | attributes, {});
}

void propagate(const std::string& path, unsigned long type) {
  plain_mount("", path, nullptr, type, {});
}

void mount_move(const std::string& from, const std::string& to) {
  plain_mount(from, to, nullptr, MS_MOVE, {});
}

void unmount(const std::string& path) {
  check(::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0, "umount " + path);
}

Kernel& linux_kernel() {
  static const std::unique_ptr<Kernel> kernel = make_linux_kernel();
  return *kernel;
}

Process::Process(const std::function<void()>& set_up) {
  std::array<int, 2> pipe{};
  check(::pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
  pid_ = ::fork();
  check(pid_ >= 0, "fork");
  if (pid_ == 0) run_child(set_up, pipe[1]);
  ::close(pipe[1]);
  std::array<char, 1024> buffer;
  const ssize_t size = ::read(pipe[0], buffer.data(), buffer.size());
  ::close(pipe[0]);
  const std::string said(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  if (said != "ready") {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw std::runtime_error("process in a namespace: " + said);
  }
}

Process::~Process() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace mntcr::sandbox
