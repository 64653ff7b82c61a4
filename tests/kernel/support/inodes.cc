#include "tests/kernel/support/inodes.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {

void must(bool good, const std::string& doing) {
  if (!good) throw std::system_error(errno, std::generic_category(), doing);
}

void make_odd_dir(const std::string& path, mode_t mode, uid_t owner) {
  make_dir(path);
  must(::chmod(path.c_str(), mode) == 0, "chmod");
  if (in_initial_user_namespace()) must(::chown(path.c_str(), owner, owner) == 0, "chown");
}

void make_socket(const std::string& path) {
  const int file = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  must(::bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "bind");
  ::close(file);
}

void bind_itself(const std::string& from, const std::string& to) {
  const long tree = ::syscall(abi::sys_open_tree, AT_FDCWD, from.c_str(),
                              abi::open_tree_clone | AT_SYMLINK_NOFOLLOW);
  must(tree >= 0, "open_tree");
  must(::syscall(abi::sys_move_mount, tree, "", AT_FDCWD, to.c_str(),
                 abi::move_mount_f_empty_path) == 0,
       "move_mount");
  ::close(static_cast<int>(tree));
}

}  // namespace mntcr::sandbox
