// A golden case: a spec with the codes and the text that compiling it must give. See README.md.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mntcr::golden {

/// A code and the place of its first caret: the line, 0 for a message without a place, and the file
/// where that is another than the spec itself.
struct Mark {
  std::string file;
  std::size_t line = 0;
  std::string code;
  auto operator<=>(const Mark&) const = default;
};

/// See the top of the file.
struct Case {
  std::string name;  ///< the file's name, which messages show
  std::string text;  ///< all before the expectation
  std::string spec;  ///< the spec that is compiled: the text before the first "#@ file"
  std::map<std::string, std::string> others;  ///< the files that it may extend, by their paths
  std::vector<std::string> search;            ///< -I
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<Mark> marks;  ///< sorted
  std::string expected;
};

/// Takes a case file apart.
Case parse_case(std::string name, std::string_view file);

/// The case file with `expected` as its expectation.
std::string write_case(const Case& from, std::string_view expected);

/// What compiling a case gave.
struct Outcome {
  std::string text;
  std::vector<Mark> marks;  ///< sorted
};

/// Compiles `from` up to the layout.
Outcome compile(const Case& from);

}  // namespace mntcr::golden
