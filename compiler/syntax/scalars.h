// The small grammars inside strings: ${params}, paths, names and source references. Each answer
// says at which bytes of the string it found what, so that carets can point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mntcr::syntax {

/// What is wrong with the bytes [begin, end) of a string.
struct ScalarFault {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string message;
  std::string help;
};

/// A part of a string with ${params}: the bytes [begin, end) stand for `text`, or for the value of
/// the param called `text`.
struct TemplatePiece {
  enum class Kind : std::uint8_t { literal, param };
  Kind kind{};
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

struct Template {
  std::vector<TemplatePiece> pieces;
  std::vector<ScalarFault> faults;
};

/// Takes a string with `${name}`, `${byte:FF}` and `$$` apart. Every other `$` is a fault.
Template parse_template(std::string_view text);

/// The longest name of a file and the longest path that Linux takes.
inline constexpr std::size_t max_component = 255;
inline constexpr std::size_t max_path = 4095;

enum class PathForm : std::uint8_t { absolute, relative };

/// Why `path` is no normal path of this form (see runtime/base/path.h); the first fault.
std::optional<ScalarFault> find_path_fault(std::string_view path, PathForm form);

/// Why `name` is not [a-z0-9][a-z0-9_-]*.
std::optional<ScalarFault> find_name_fault(std::string_view name);

/// "SCHEME:REST" taken apart. For `fs` the rest is NAME or NAME/PATH, for other schemes it is the
/// path.
struct SourceParts {
  std::string_view scheme;
  std::string_view name;
  std::string_view path;
  bool has_path = false;
  std::size_t name_begin = 0;
  std::size_t path_begin = 0;
};

/// Nothing when `source` has no scheme.
std::optional<SourceParts> split_source(std::string_view source);

}  // namespace mntcr::syntax
