// /proc/thread-self/mountinfo of the model: what the calling thread's root can reach.
#include <fmt/format.h>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/mount_options.h"
#include "runtime/kernel/model/model_kernel.h"

namespace mntcr {

using model::Mount;

namespace {

std::string escaped(std::string_view text) {
  std::string shown;
  for (const char byte : text) {
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\\' || byte == '#') {
      shown += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
    } else {
      shown += byte;
    }
  }
  return shown;
}

/// The words that differ from the kernel's defaults, which it leaves out.
std::string options_of(const Mount& mount) {
  std::string text = (mount.attrs & mount_attr::rdonly) != 0 ? "ro" : "rw";
  constexpr std::uint64_t flags = mount_attr::nosuid | mount_attr::nodev | mount_attr::noexec |
                                  mount_attr::nodiratime | mount_attr::nosymfollow;
  for (const std::string_view word : attr_words(mount.attrs, mount.attrs & flags)) {
    text += fmt::format(",{}", word);
  }
  const std::uint64_t atime = mount.attrs & mount_attr::atime_mask;
  if (atime == 0) text += ",relatime";
  if (atime == mount_attr::noatime) text += ",noatime";
  return mount.idmap ? text + ",idmapped" : text;
}

std::string propagation_of(const Mount& mount, std::uint64_t from) {
  std::string text;
  if (mount.group != nullptr) text += fmt::format("shared:{} ", mount.group->id);
  if (mount.master != nullptr) text += fmt::format("master:{} ", master_group(mount)->id);
  if (from != 0) text += fmt::format("propagate_from:{} ", from);
  if (mount.unbindable) text += "unbindable ";
  return text;
}

}  // namespace

std::string ModelKernel::mountinfo() {
  const Place root = task().root.place();
  std::string text;
  for (const auto& [id, mount] : own_namespace().mounts) {
    if (!model::is_reachable({mount, mount->root}, root)) continue;
    const model::Superblock& superblock = *mount->superblock;
    text += fmt::format(
        "{} {} 0:{} {} {} {} {}- {} {} {}", id, mount->parent == nullptr ? id : mount->parent->id,
        superblock.dev_minor, escaped(model::path_in_filesystem(*mount->root)),
        escaped(path_of({mount, mount->root}, root)), options_of(*mount),
        propagation_of(*mount, mounts_.propagates_from(*mount)), superblock.type,
        escaped(superblock.source), (superblock.flags & fs_flag::rdonly) != 0 ? "ro" : "rw");
    for (const std::string& option : superblock.options) text += "," + escaped(option);
    text += '\n';
  }
  return text;
}

}  // namespace mntcr
