// A TOML document with byte spans on every key and value: what toml++ reads, in a form of our own,
// so that no other file knows toml++ and no exception leaves parse.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/diagnostic.h"
#include "runtime/base/span.h"

namespace mntcr::syntax {

struct Entry;

/// A value. `span` is the value as written (a string's includes its quotes; a table's or an array
/// of tables' element is its header, an inline one is all of it).
struct Node {
  enum class Kind : std::uint8_t { string, integer, boolean, floating, date, array, table };
  Kind kind{};
  Span span;
  std::string text;           ///< string: the value after TOML's escapes
  std::uint32_t content = 0;  ///< string: where its first byte stands in the file, when the bytes
                              ///< of `text` stand there unescaped; 0 when they do not
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<Node> items;     ///< array
  std::vector<Entry> entries;  ///< table, in the order of the file

  /// The entry of a table, or nullptr.
  [[nodiscard]] const Entry* find(std::string_view key) const;
};

/// A key and its value.
struct Entry {
  std::string key;
  Span key_span;
  Node value;
};

/// Parses the text `file` of `sources`. On a syntax error adds E0101 with the place and, for the
/// slips that TOML's own message explains badly, a hint of ours; then there is no tree.
std::optional<Node> parse(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

/// What a kind is called in messages: "a string".
std::string_view kind_name(Node::Kind kind);

}  // namespace mntcr::syntax
