// The main of tests that make real mounts. Before any test runs, the program leaves the machine's
// mount namespace: as root by unshare alone, else as root of a user namespace. What is mounted is
// seen by nobody else and dies with the process.
#define CATCH_CONFIG_RUNNER
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/kernel/support/sandbox.h"

namespace {

/// What CTest takes as "skipped".
constexpr int skipped = 77;

bool write_file(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  return written;
}

/// As root a mount namespace is enough. Others become root of a user namespace, with a pid
/// namespace, without which they could not mount proc; it begins with the next child.
bool enter_namespaces(bool root) {
  if (root) return ::unshare(CLONE_NEWNS) == 0;
  const std::string uid = std::to_string(::getuid());
  const std::string gid = std::to_string(::getgid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0 &&
         write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", "0 " + uid + " 1") &&
         write_file("/proc/self/gid_map", "0 " + gid + " 1");
}

/// A directory with a tmpfs on it; empty when it cannot be made.
std::string make_scratch(bool root) {
  std::string path = "/tmp/mntcr-kernel-tests.XXXXXX";
  if (::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return {};
  if (!root && ::mount("proc", "/proc", "proc", 0, nullptr) != 0) return {};
  if (::mkdtemp(path.data()) == nullptr) return {};
  if (::mount("scratch", path.c_str(), "tmpfs", 0, nullptr) == 0) return path;
  ::rmdir(path.c_str());
  return {};
}

int run_tests(bool root, int argc, char** argv) {
  const std::string scratch = make_scratch(root);
  if (scratch.empty()) {
    std::fprintf(stderr, "kernel tests: cannot make mounts: %s\n", std::strerror(errno));
    return root ? 1 : skipped;
  }
  mntcr::sandbox::set_scratch(scratch);
  const int result = Catch::Session().run(argc, argv);
  ::umount2(scratch.c_str(), MNT_DETACH);
  ::rmdir(scratch.c_str());
  return result;
}

/// Runs the tests as the first process of the new pid namespace.
int run_in_child(int argc, char** argv) {
  const pid_t child = ::fork();
  if (child == 0) std::exit(run_tests(false, argc, argv));
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) < 0) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool root = ::geteuid() == 0;
  if (!enter_namespaces(root)) {
    std::fprintf(stderr, "kernel tests: cannot make a mount namespace: %s\n", std::strerror(errno));
    return root ? 1 : skipped;
  }
  return root ? run_tests(true, argc, argv) : run_in_child(argc, argv);
}
