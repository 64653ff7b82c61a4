// Bytes as TOML strings of the spec language (language.md, rule 2) and as comments for people.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mntcr {

/// Keys with their values as TOML.
using TomlKeys = std::vector<std::pair<std::string, std::string>>;

/// A line for each: `key = value`.
std::string toml_lines(const TomlKeys& keys);

/// A basic string with its quotes: `$` doubled, bytes that are not UTF-8 as ${byte:FF}.
std::string toml_string(std::string_view bytes);

/// An array of such strings on one line.
std::string toml_array(const std::vector<std::string>& items);

/// `# text` and a line end, whatever bytes `text` has.
std::string toml_comment(std::string_view text);

}  // namespace mntcr
