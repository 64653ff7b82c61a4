// Idmaps: which user and group numbers of a filesystem appear as which ones through a mount
// (mount_setattr(2), "ID-mapped mounts"). One form of text, "0:100000:65536", in specs, messages
// and captures, and the limits of the kernel, so that compiler, reader and verifier agree on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mntcr {

/// `count` numbers from `inside` on, as the filesystem stores them, appear as those from `outside`
/// on.
struct IdRange {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  bool operator==(const IdRange&) const = default;
};

using IdRanges = std::vector<IdRange>;

/// The idmap of a mount. Numbers in no range appear as the overflow number (65534). Both empty: of
/// a live mount, that its reader could not tell the ranges.
struct IdMap {
  IdRanges uid;
  IdRanges gid;
  [[nodiscard]] bool is_unknown() const { return uid.empty() && gid.empty(); }
  bool operator==(const IdMap&) const = default;
};

namespace idmap {

/// The kernel's limits (kernel/user_namespace.c): UID_GID_MAP_MAX_EXTENTS, and a text of less than
/// a page.
inline constexpr std::size_t most_ranges = 340;
inline constexpr std::size_t most_bytes = 4095;

/// Three numbers of 32 bits with `separator` between them; nothing when `text` is anything else.
std::optional<IdRange> parse_range(std::string_view text, char separator);

/// Why the kernel would not take a range; nothing when it would.
std::optional<std::string> range_fault(const IdRange& range);

/// The two ranges of a list, by index, that give one number twice.
struct Overlap {
  std::size_t first = 0;
  std::size_t second = 0;
  bool outside = false;  ///< it is a number outside, else one inside
};
std::optional<Overlap> find_overlap(const IdRanges& ranges);

/// Why the kernel would not take the list, all of whose ranges are good alone and do not overlap.
std::optional<std::string> list_fault(const IdRanges& ranges);

/// Whether the kernel would take both lists. For maps that did not come from a spec.
bool is_sound(const IdMap& map);

/// Whether two maps do the same, however their ranges are cut and ordered.
bool same(const IdMap& a, const IdMap& b);

/// The number that a filesystem stores for one that appears as `seen`; nothing when none does.
std::optional<std::uint32_t> stored(const IdRanges& ranges, std::uint32_t seen);

/// "0:100000:65536".
std::string range_text(const IdRange& range);

/// "uid 0:100000:65536 gid 0:100000:65536"; "unknown numbers" for an unknown one.
std::string words(const IdMap& map);

/// What is written to /proc/PID/uid_map: a range a line.
std::string proc_text(const IdRanges& ranges);

/// Whether mounts of filesystems of this type can have an idmap, as far as mntcr knows types; the
/// kernel knows by FS_ALLOW_IDMAP.
bool takes_idmap(std::string_view type);

}  // namespace idmap
}  // namespace mntcr
