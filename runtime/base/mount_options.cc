#include "runtime/base/mount_options.h"

#include <algorithm>
#include <array>

namespace mntcr {
namespace {

constexpr auto table = std::to_array<MountOption>({
#define MNTCR_MOUNT_OPTION(word, value, mask) {word, {value, mask}},
#include "specs/mount_options.def"
#undef MNTCR_MOUNT_OPTION
});

}  // namespace

std::span<const MountOption> mount_options() { return table; }

const MountOption* find_mount_option(std::string_view word) {
  const auto* found = std::ranges::find(table, word, &MountOption::word);
  return found == table.end() ? nullptr : found;
}

std::vector<std::string_view> attr_words(std::uint64_t attrs, std::uint64_t mask) {
  std::vector<std::string_view> words;
  std::uint64_t said = 0;
  for (const MountOption& option : table) {
    const AttrDemand& demand = option.demand;
    if ((demand.mask & mask) != demand.mask || (said & demand.mask) != 0) continue;
    if ((attrs & demand.mask) != demand.value) continue;
    words.push_back(option.word);
    said |= demand.mask;
  }
  return words;
}

}  // namespace mntcr
