#include "tests/kernel/support/mutator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {
namespace {

constexpr std::array<const char*, 6> names = {"a", "b", "c d", "e\nf", "#g$", "h\\\xFF"};

/// With places inside to mount on, or most later steps would find nothing.
bool mount_at(const std::string& path, const char* type) {
  if (::mount(type, path.c_str(), type, 0, "size=1m") != 0) return false;
  Mutator::populate(path == "/" ? "" : path);
  return true;
}

void beneath(const std::string& from, const std::string& to) {
  static_cast<void>(::syscall(abi::sys_move_mount, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                              abi::move_mount_beneath));
}

}  // namespace

Mutator::Mutator(unsigned seed, MutatorChoices choices) : random_(seed), choices_(choices) {
  struct ::stat status{};
  if (::stat(scratch().c_str(), &status) != 0) throw std::runtime_error("no scratch");
  parents_ = status.st_dev;
}

void Mutator::populate(const std::string& path) {
  for (const char* name : names) static_cast<void>(::mkdir((path + "/" + name).c_str(), 0755));
  for (const char* below : {"/a/a", "/a/b", "/b/a", "/b/b"}) {
    static_cast<void>(::mkdir((path + below).c_str(), 0755));
  }
}

void Mutator::step() {
  if (choices_.sharing && below(3) == 0) return share();
  switch (below(17)) {
    case 0:
    case 1:
      static_cast<void>(::mkdir(path().c_str(), 0755));
      break;
    case 2:
    case 3:
      if (const std::string at = path(); mount_at(at, "tmpfs")) mounted_.push_back(at);
      break;
    case 4:
    case 5:
      bind(0);
      break;
    case 6:
      bind(MS_REC);
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
    case 11:
      make_node(path());
      break;
    case 12:
      static_cast<void>(::chmod(path().c_str(), below(2) == 0 ? 0700 : 01775));
      static_cast<void>(::chown(path().c_str(), 0, below(2) == 0 ? 0 : 5));
      break;
    case 13:
    case 14:
      bind_and_remove();
      break;
    case 15:
      if (choices_.overlays) overlay();
      break;
    default:
      if (below(4) == 0 && reads_by_statmount()) mount_at("/", "tmpfs");
      break;
  }
}

std::size_t Mutator::below(std::size_t n) {
  return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
}

/// A path of one to three components, some of them odd, at times below /data. Those who share meet
/// at few places.
std::string Mutator::path() {
  std::string path = below(8) == 0 ? "/data" : "";
  for (std::size_t depth = 1 + below(3); depth > 0; --depth)
    path +=
        std::string("/") + names.at(below(below(2) == 0 || choices_.sharing ? 2 : names.size()));
  return path;
}

/// Something else than a directory, in the place of an empty one.
void Mutator::make_node(const std::string& path) {
  constexpr std::array<mode_t, 4> kinds = {S_IFREG, S_IFREG, S_IFIFO, S_IFSOCK};
  remove(path);
  static_cast<void>(::mknod(path.c_str(), kinds.at(below(kinds.size())) | 0640, 0));
}

/// A mount of what is gone afterwards, if it can be removed.
void Mutator::bind_and_remove() {
  const std::string shown = path();
  for (std::size_t binds = below(3); binds > 0; --binds) {
    const std::string at = path();
    struct ::stat status{};
    if (::lstat(shown.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) make_node(at);
    static_cast<void>(::mount(shown.c_str(), at.c_str(), nullptr, MS_BIND, nullptr));
  }
  remove(shown);
}

/// An overlay whose layers lie inside the container. It has an upper layer, because on one without
/// nobody can make the mountpoints that later steps find in its lower layers.
void Mutator::overlay() {
  const std::string folder = fmt::format("/layers {}", ++overlays_);
  static_cast<void>(::mkdir(folder.c_str(), 0755));
  std::string options = "lowerdir=";
  for (std::size_t layer = below(3) + 1; layer > 0; --layer) {
    const std::string lower = fmt::format("{}/{}", folder, layer);
    static_cast<void>(::mkdir(lower.c_str(), 0755));
    options += lower + (layer > 1 ? ":" : "");
  }
  for (const char* name : {"upper", "work"}) {
    const std::string layer = fmt::format("{}/{}", folder, name);
    static_cast<void>(::mkdir(layer.c_str(), 0755));
    options += fmt::format(",{}dir={}", name, layer);
  }
  const std::string at = path();
  if (::mount("overlay", at.c_str(), "overlay", 0, options.c_str()) == 0) populate(at);
}

/// Removes a directory or file, perhaps one that a mount shows. What belongs to the parent stays: a
/// capture cannot bring that back.
void Mutator::remove(const std::string& path) {
  struct ::stat status{};
  if (::lstat(path.c_str(), &status) != 0 || status.st_dev == parents_) return;
  static_cast<void>(S_ISDIR(status.st_mode) ? ::rmdir(path.c_str()) : ::unlink(path.c_str()));
}

void Mutator::remount() {
  constexpr std::array<unsigned long, 5> flags = {MS_RDONLY, MS_NOSUID | MS_NODEV, MS_NOATIME,
                                                  MS_NOEXEC | MS_RDONLY, 0};
  static_cast<void>(::mount(nullptr, path().c_str(), nullptr,
                            MS_BIND | MS_REMOUNT | flags.at(below(flags.size())), nullptr));
}

void Mutator::bind(unsigned long flags) {
  const std::string shown = path();
  const std::string at = path();
  if (::mount(shown.c_str(), at.c_str(), nullptr, MS_BIND | flags, nullptr) == 0)
    mounted_.push_back(at);
}

/// Half of the time of a group that others can join; mostly where something was mounted.
void Mutator::share() {
  constexpr std::array<unsigned long, 6> kinds = {MS_SHARED, MS_SHARED,  MS_SHARED,
                                                  MS_SLAVE,  MS_PRIVATE, MS_UNBINDABLE};
  const unsigned long recursive = below(4) == 0 ? MS_REC : 0;
  std::string at = below(10) == 0 ? "/" : path();
  if (below(4) != 0 && !mounted_.empty()) at = mounted_[below(mounted_.size())];
  static_cast<void>(
      ::mount(nullptr, at.c_str(), nullptr, kinds.at(below(kinds.size())) | recursive, nullptr));
}

std::size_t count_from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

}  // namespace mntcr::sandbox
