// The keys of the language by room: those that later versions have, so that they are not taken for
// slips of the finger, and those of the top level, which may not be names of params.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mntcr::spec {

/// The kinds of table that a spec has.
enum class Room : std::uint8_t {
  top,
  root,
  mount,
  filesystem,
  group,
  policy,
  param,
  checkpoint,
  idmap,
  tree,
  name_space
};

/// Whether the language has `key` there, but not in this version.
bool is_reserved(Room room, std::string_view key);

/// Every key of the top level, of this version and reserved.
std::span<const std::string_view> top_level_keys();

/// Whether the kernel makes filesystems of this type, which this version cannot mount yet.
bool is_reserved_type(std::string_view type);

/// Whether `scheme` is one of a later version.
bool is_reserved_scheme(std::string_view scheme);

/// The form of `ro` for a whole subtree: "=recursive".
bool is_reserved_form(std::string_view value);

/// What an option word of mount(8) is called here: the key to write instead, empty when it has
/// none.
std::string_view key_for_option(std::string_view word);

/// Whether the key is one that only a later version has.
bool is_reserved_option_key(std::string_view key);

}  // namespace mntcr::spec
