#include "tests/kernel/support/mutator.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {
namespace {

constexpr std::array<const char*, 6> names = {"a", "b", "c d", "e\nf", "#g$", "h\\\xFF"};

/// With places inside to mount on, or most later steps would find nothing.
void mount_at(const std::string& path, const char* type) {
  if (::mount(type, path.c_str(), type, 0, "size=1m") == 0)
    Mutator::populate(path == "/" ? "" : path);
}

void beneath(const std::string& from, const std::string& to) {
  static_cast<void>(::syscall(abi::sys_move_mount, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                              abi::move_mount_beneath));
}

}  // namespace

void Mutator::populate(const std::string& path) {
  for (const char* name : names) static_cast<void>(::mkdir((path + "/" + name).c_str(), 0755));
  for (const char* below : {"/a/a", "/a/b", "/b/a", "/b/b"}) {
    static_cast<void>(::mkdir((path + below).c_str(), 0755));
  }
}

void Mutator::step() {
  switch (below(12)) {
    case 0:
    case 1:
      static_cast<void>(::mkdir(path().c_str(), 0755));
      break;
    case 2:
    case 3:
      mount_at(path(), "tmpfs");
      break;
    case 4:
    case 5:
      static_cast<void>(::mount(path().c_str(), path().c_str(), nullptr, MS_BIND, nullptr));
      break;
    case 6:
      static_cast<void>(
          ::mount(path().c_str(), path().c_str(), nullptr, MS_BIND | MS_REC, nullptr));
      break;
    case 7:
      static_cast<void>(::umount2(path().c_str(), below(2) == 0 ? MNT_DETACH : 0));
      break;
    case 8:
      static_cast<void>(::mount(path().c_str(), path().c_str(), nullptr, MS_MOVE, nullptr));
      break;
    case 9:
      beneath(path(), path());
      break;
    case 10:
      remount();
      break;
    default:
      if (below(4) == 0 && reads_by_statmount()) mount_at("/", "tmpfs");
      break;
  }
}

std::size_t Mutator::below(std::size_t n) {
  return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
}

/// A path of one to three components, some of them odd, at times below /data.
std::string Mutator::path() {
  std::string path = below(8) == 0 ? "/data" : "";
  for (std::size_t depth = 1 + below(3); depth > 0; --depth)
    path += std::string("/") + names.at(below(below(2) == 0 ? 2 : names.size()));
  return path;
}

void Mutator::remount() {
  constexpr std::array<unsigned long, 5> flags = {MS_RDONLY, MS_NOSUID | MS_NODEV, MS_NOATIME,
                                                  MS_NOEXEC | MS_RDONLY, 0};
  static_cast<void>(::mount(nullptr, path().c_str(), nullptr,
                            MS_BIND | MS_REMOUNT | flags.at(below(flags.size())), nullptr));
}

std::size_t count_from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

}  // namespace mntcr::sandbox
