#include "runtime/base/idmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace mntcr::idmap {
namespace {

/// The numbers are 0 to 2^32 - 2: the last one means "none" (kernel/user_namespace.c, map_write).
constexpr std::uint64_t end_of_numbers = UINT32_MAX;

constexpr auto idmapped_types =
    std::to_array<std::string_view>({"btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs",
                                     "hugetlbfs", "squashfs", "tmpfs", "vfat", "xfs"});

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

std::uint32_t begin_of(const IdRange& range, bool outside) {
  return outside ? range.outside : range.inside;
}

std::optional<Overlap> find_overlap_on(const IdRanges& ranges, bool outside) {
  std::vector<std::size_t> order(ranges.size());
  for (std::size_t index = 0; index < order.size(); ++index) order[index] = index;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(begin_of(ranges[a], outside), a) < std::pair(begin_of(ranges[b], outside), b);
  });
  for (std::size_t at = 1; at < order.size(); ++at) {
    const IdRange& before = ranges[order[at - 1]];
    const std::uint64_t end = std::uint64_t{begin_of(before, outside)} + before.count;
    if (end <= begin_of(ranges[order[at]], outside)) continue;
    const auto [first, second] = std::minmax(order[at - 1], order[at]);
    return Overlap{first, second, outside};
  }
  return std::nullopt;
}

/// Ranges in order, with those that go on where the one before ends put together.
IdRanges normal(IdRanges ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const IdRange& a, const IdRange& b) { return a.inside < b.inside; });
  IdRanges result;
  for (const IdRange& range : ranges) {
    const bool goes_on = !result.empty() &&
                         result.back().inside + result.back().count == range.inside &&
                         result.back().outside + result.back().count == range.outside;
    if (goes_on) {
      result.back().count += range.count;
    } else {
      result.push_back(range);
    }
  }
  return result;
}

std::string list_words(const IdRanges& ranges) {
  std::string text;
  for (const IdRange& range : ranges) text += (text.empty() ? "" : ",") + range_text(range);
  return text.empty() ? "none" : text;
}

bool is_sound(const IdRanges& ranges) {
  return std::none_of(ranges.begin(), ranges.end(),
                      [](const IdRange& range) { return range_fault(range).has_value(); }) &&
         !find_overlap(ranges) && !list_fault(ranges);
}

}  // namespace

std::optional<IdRange> parse_range(std::string_view text, char separator) {
  const std::size_t first = text.find(separator);
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find(separator, first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto inside = number(text.substr(0, first));
  const auto outside = number(text.substr(first + 1, second - first - 1));
  const auto count = number(text.substr(second + 1));
  if (!inside || !outside || !count) return std::nullopt;
  return IdRange{*inside, *outside, *count};
}

std::optional<std::string> range_fault(const IdRange& range) {
  if (range.count == 0) return "it maps no number: the count is 0";
  for (const bool outside : {false, true}) {
    const std::uint64_t end = std::uint64_t{begin_of(range, outside)} + range.count;
    if (end <= end_of_numbers) continue;
    return fmt::format("it goes up to {} {}; the last number is {}", end - 1,
                       outside ? "outside" : "inside", end_of_numbers - 1);
  }
  return std::nullopt;
}

std::optional<Overlap> find_overlap(const IdRanges& ranges) {
  const auto inside = find_overlap_on(ranges, false);
  return inside ? inside : find_overlap_on(ranges, true);
}

std::optional<std::string> list_fault(const IdRanges& ranges) {
  if (ranges.empty()) return "it has no range";
  if (ranges.size() > most_ranges)
    return fmt::format("it has {} ranges; the kernel takes {}", ranges.size(), most_ranges);
  if (const std::size_t size = proc_text(ranges).size(); size > most_bytes)
    return fmt::format("written out for the kernel it has {} bytes; it takes {}", size, most_bytes);
  return std::nullopt;
}

bool is_sound(const IdMap& map) { return is_sound(map.uid) && is_sound(map.gid); }

bool same(const IdMap& a, const IdMap& b) {
  return normal(a.uid) == normal(b.uid) && normal(a.gid) == normal(b.gid);
}

std::optional<std::uint32_t> stored(const IdRanges& ranges, std::uint32_t seen) {
  for (const IdRange& range : ranges) {
    if (seen >= range.outside && seen - range.outside < range.count)
      return range.inside + (seen - range.outside);
  }
  return std::nullopt;
}

std::string range_text(const IdRange& range) {
  return fmt::format("{}:{}:{}", range.inside, range.outside, range.count);
}

std::string words(const IdMap& map) {
  if (map.is_unknown()) return "unknown numbers";
  return fmt::format("uid {} gid {}", list_words(map.uid), list_words(map.gid));
}

std::string proc_text(const IdRanges& ranges) {
  std::string text;
  for (const IdRange& range : ranges)
    text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
  return text;
}

bool takes_idmap(std::string_view type) {
  return std::find(idmapped_types.begin(), idmapped_types.end(), type) != idmapped_types.end();
}

}  // namespace mntcr::idmap
