// States of mounts to test against, made with plain syscalls so that no code of ours has to be
// right.
//
// kernel_main.cc puts the whole test program into a throwaway mount namespace in which everything
// is private, with a tmpfs of its own to work on. Helpers throw when a call fails; Catch2 reports
// it.
#pragma once

#include <sys/mount.h>
#include <sys/types.h>

#include <functional>
#include <string>

#include "runtime/kernel/kernel.h"

namespace mntcr::sandbox {

/// The tmpfs to work on. Set once by main.
const std::string& scratch();
void set_scratch(std::string path);

/// Whether all user numbers are there; in a user namespace of ours only 0 is.
bool in_initial_user_namespace();

/// A new, empty directory below scratch().
std::string fresh_dir();

void make_dir(const std::string& path);  ///< with those above it
void make_file(const std::string& path, const std::string& content = {});
void make_symlink(const std::string& target, const std::string& path);

/// mount(2) of a filesystem made out of nothing.
void mount_new(const std::string& type, const std::string& path, const std::string& source,
               unsigned long flags = 0, const std::string& options = {});
void mount_tmpfs(const std::string& path, const std::string& options = {});
/// Not named "bind": with strings as arguments that finds std::bind.
/// `flags`: MS_REC, and MS_RDONLY and the like, which take a second call.
void mount_bind(const std::string& from, const std::string& to, unsigned long flags = 0);
/// MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, perhaps with MS_REC.
void propagate(const std::string& path, unsigned long type);
void mount_move(const std::string& from, const std::string& to);
void unmount(const std::string& path);

/// The kernel, for the code under test.
Kernel& linux_kernel();

/// A process in a mount namespace of its own, a private copy of ours in which `set_up` has run (it
/// must not use Catch2). It sleeps until this is destroyed.
class Process {
 public:
  explicit Process(const std::function<void()>& set_up);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

}  // namespace mntcr::sandbox
