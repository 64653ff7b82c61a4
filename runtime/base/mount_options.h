// The per-mount flags by the words of mount(8) and the OCI runtime specification.
// One table, specs/mount_options.def, parses, prints and documents them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mntcr {

/// Bits of mount_attr.attr_set of mount_setattr(2), as the kernel numbers them
/// (include/uapi/linux/mount.h).
namespace mount_attr {
inline constexpr std::uint64_t rdonly = 0x1;
inline constexpr std::uint64_t nosuid = 0x2;
inline constexpr std::uint64_t nodev = 0x4;
inline constexpr std::uint64_t noexec = 0x8;
inline constexpr std::uint64_t atime_mask = 0x70;  ///< An enumeration: 0 is relatime.
inline constexpr std::uint64_t noatime = 0x10;
inline constexpr std::uint64_t strictatime = 0x20;
inline constexpr std::uint64_t nodiratime = 0x80;
inline constexpr std::uint64_t nosymfollow = 0x200000;
inline constexpr std::uint64_t all =
    rdonly | nosuid | nodev | noexec | atime_mask | nodiratime | nosymfollow;
}  // namespace mount_attr

/// A demand on the flags of a mount: bits of `mask` shall equal those of `value` (value is within
/// mask); the other bits are inherited from a bind's source, or the kernel's default.
struct AttrDemand {
  std::uint64_t value = 0;
  std::uint64_t mask = 0;
  bool operator==(const AttrDemand&) const = default;
};

/// A word of specs/mount_options.def.
struct MountOption {
  std::string_view word;
  AttrDemand demand;
};

std::span<const MountOption> mount_options();

/// nullptr when `word` is not a per-mount flag.
const MountOption* find_mount_option(std::string_view word);

/// The words for the bits in `mask` of `attrs`, in the order of the table: the word that sets a
/// bit, or the one that clears it ("rw", "suid", "relatime").
std::vector<std::string_view> attr_words(std::uint64_t attrs, std::uint64_t mask);

}  // namespace mntcr
