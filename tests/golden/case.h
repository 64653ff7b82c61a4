// A golden case: a spec with the codes and the text that compiling it must give. See README.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mntcr::golden {

/// A code and the line of its first caret; 0 for a message without a place.
using Mark = std::pair<std::size_t, std::string>;

/// See the top of the file.
struct Case {
  std::string name;  ///< the file's name, which messages show
  std::string spec;  ///< the text before the expectation
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
