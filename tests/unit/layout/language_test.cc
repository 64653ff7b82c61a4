// The examples of specs/language.md are specs that compile, or fail with the code that the text
// names: a fenced block is "toml" for a good one and "toml E0201" for one that raises E0201.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

struct Example {
  std::size_t line;
  std::string codes;
  std::string text;
};

std::vector<Example> find_examples(const std::string& path) {
  constexpr std::string_view fence = "```toml";
  std::ifstream in(path);
  REQUIRE(in);
  std::vector<Example> examples;
  bool inside = false;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!inside && line.starts_with(fence)) {
      inside = true;
      examples.push_back({number, line.substr(std::min(line.size(), fence.size() + 1)), ""});
    } else if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      examples.back().text += line + "\n";
    }
  }
  return examples;
}

TEST_CASE("the examples of the language's text do what it says") {
  const auto examples = find_examples(MNTCR_SOURCE_DIR "/specs/language.md");
  CHECK(examples.size() >= 8);
  for (const Example& example : examples) {
    const testing::Compiled compiled(example.text);
    INFO("specs/language.md:" << example.line << "\n" << compiled.messages());
    CHECK(compiled.codes() == example.codes);
  }
}

}  // namespace
}  // namespace mntcr
