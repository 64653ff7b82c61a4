// The filesystems that the kernel makes out of nothing, with the parameters that we know.
// One table, specs/filesystems.def, checks them in specs, normalises them for diff and documents
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mntcr {

/// How a parameter's value is written, and with it how two values are compared.
enum class ParamKind : std::uint8_t {
  flag,    ///< a bare word
  size,    ///< bytes with k, m, g, t or p; or N% of memory, which is compared by word only
  count,   ///< as size, without %
  number,  ///< a plain number
  octal,   ///< permission bits
  id,      ///< a user or group number
  choice,  ///< one of `choices`
  set,     ///< names or numbers joined by `:`, in any order
  text,    ///< anything
};

/// What is in force when a parameter is not given is the machine's to say, and the kernel prints
/// it.
inline constexpr std::string_view machines_fallback = "*";

/// A parameter of a filesystem. `fallback` is the value in force when it is not given, which the
/// kernel then does not print; empty when it has no word, machines_fallback when it is not known.
struct FilesystemParam {
  std::string_view filesystem;
  std::string_view key;
  ParamKind kind;
  std::string_view fallback;
  /// Separated by '|'; "a=b" says that the kernel prints a as b. Of a flag: the opposite word.
  std::string_view choices;
};

/// A filesystem type of the table.
struct Filesystem {
  std::string_view type;
  bool singleton;  ///< one superblock however often it is mounted; takes no parameters
};

std::span<const Filesystem> filesystems();
const Filesystem* find_filesystem(std::string_view type);

/// What can be made on a new filesystem of a type, before anything is mounted on it.
enum class Holds : std::uint8_t {
  nothing,
  directories,  ///< and nothing else
  everything,
};
Holds what_holds(std::string_view type);

std::span<const FilesystemParam> filesystem_params();
/// nullptr when `type` has no parameter `key`.
const FilesystemParam* find_filesystem_param(std::string_view type, std::string_view key);

/// Whether `type` is one of those that are shared with the parent however they are mounted.
bool is_singleton(std::string_view type);

/// Whether the two parameters decide the same: they are one, or opposite words.
bool decide_the_same(const FilesystemParam& a, const FilesystemParam& b);

/// "key=value" or "key" taken apart.
struct ParamWord {
  std::string_view key;
  std::string_view value;
  bool has_value = false;
};
ParamWord split_param(std::string_view word);

/// Why `value` is no value for `param`; nothing when it is one.
std::optional<std::string> param_value_error(const FilesystemParam& param, const ParamWord& word);

/// One spelling for all ways to write a value ("64m" and "65536k" give "67108864", "0755" gives
/// "755", "invisible" gives "2"), so that values can be compared. Unreadable ones come back
/// unchanged.
std::string normalise_param(const FilesystemParam& param, std::string_view value);

}  // namespace mntcr
