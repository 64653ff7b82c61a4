#include "runtime/base/filesystem_flags.h"

#include <algorithm>
#include <array>

namespace mntcr {
namespace {

constexpr auto table = std::to_array<FilesystemFlag>({
#define MNTCR_FILESYSTEM_FLAG(word, value, mask) {word, {value, mask}},
#include "specs/filesystem_flags.def"
#undef MNTCR_FILESYSTEM_FLAG
});

}  // namespace

std::span<const FilesystemFlag> filesystem_flags() { return table; }

const FilesystemFlag* find_filesystem_flag(std::string_view word) {
  const auto* found = std::ranges::find(table, word, &FilesystemFlag::word);
  return found == table.end() ? nullptr : found;
}

std::vector<std::string_view> filesystem_flag_words(std::uint64_t flags, std::uint64_t mask) {
  std::vector<std::string_view> words;
  for (const FilesystemFlag& flag : table) {
    const AttrDemand& demand = flag.demand;
    const bool asked = (demand.mask & mask) != 0;
    if (asked && (flags & demand.mask) == demand.value) words.push_back(flag.word);
  }
  return words;
}

}  // namespace mntcr
