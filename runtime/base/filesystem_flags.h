// The flags that a filesystem has whichever mount shows it, apart from the mounts' own.
// One table, specs/filesystem_flags.def, parses, prints and documents them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/base/mount_options.h"

namespace mntcr {

/// Bits of a superblock's s_flags, as statmount(2) shows them.
namespace fs_flag {
inline constexpr std::uint64_t rdonly = 1;
inline constexpr std::uint64_t sync = 1U << 4U;
inline constexpr std::uint64_t dirsync = 1U << 7U;
inline constexpr std::uint64_t lazytime = 1U << 25U;
inline constexpr std::uint64_t all = rdonly | sync | dirsync | lazytime;
}  // namespace fs_flag

/// A word of specs/filesystem_flags.def. The demand's bits are those of fs_flag.
struct FilesystemFlag {
  std::string_view word;
  AttrDemand demand;
};

std::span<const FilesystemFlag> filesystem_flags();

/// nullptr when `word` is not a flag of a filesystem.
const FilesystemFlag* find_filesystem_flag(std::string_view word);

/// The words for the bits in `mask` of `flags`, in the order of the table: the word that sets a
/// bit, or the one that clears it ("rw=fs", "async").
std::vector<std::string_view> filesystem_flag_words(std::uint64_t flags, std::uint64_t mask);

}  // namespace mntcr
