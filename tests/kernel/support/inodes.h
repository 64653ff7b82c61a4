// Inodes that no shell makes at once: for tests of what mounts need and show.
#pragma once

#include <sys/types.h>

#include <string>

namespace mntcr::sandbox {

/// Throws, with what errno says, where a call of `doing` was not good.
void must(bool good, const std::string& doing);

/// A directory, with those above it, of just this mode and, where all user numbers are there,
/// owner.
void make_odd_dir(const std::string& path, mode_t mode, uid_t owner = 0);

void make_socket(const std::string& path);

/// Binds what `from` is, also a symlink.
void bind_itself(const std::string& from, const std::string& to);

}  // namespace mntcr::sandbox
