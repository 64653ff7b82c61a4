// specs/plan.md says what the code does: its tables are held against ops.def, format.h and the
// tests.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "runtime/plan/format.h"
#include "runtime/plan/plan.h"

using namespace mntcr;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string phase_name(Phase phase) {
  switch (phase) {
    case Phase::enter:
      return "enter";
    case Phase::sources:
      return "sources";
    case Phase::namespaces:
      return "namespaces";
    case Phase::trees:
      return "trees";
    case Phase::sharing:
      return "sharing";
    case Phase::root:
      return "root";
  }
  return {};
}

}  // namespace

TEST_CASE("plan.md lists every operation as ops.def does") {
  const std::string text = text_of(MNTCR_SOURCE_DIR "/specs/plan.md");
  for (std::uint8_t number = 0; is_op(number); ++number) {
    const OpInfo& info = describe(static_cast<OpKind>(number));
    const std::string row =
        fmt::format("| `{}` | {} | {} |\n", info.name, phase_name(info.phase), info.doc);
    INFO(row);
    CHECK(text.find(row) != std::string::npos);
  }
  CHECK(text.find(fmt::format("version of the format: {}.", plan_format::version)) !=
        std::string::npos);
}

namespace {

/// The tests on the kernel, by name, each with its text.
std::map<std::string, std::string> kernel_tests() {
  std::map<std::string, std::string> tests;
  const std::regex beginning(R"re(TEST_CASE\(\s*"([^"]*)")re");
  for (const auto& entry : std::filesystem::directory_iterator(MNTCR_SOURCE_DIR "/tests/kernel")) {
    if (entry.path().extension() != ".cc") continue;
    const std::string text = text_of(entry.path());
    for (std::sregex_iterator found(text.begin(), text.end(), beginning), end; found != end;
         ++found) {
      const auto begin = static_cast<std::size_t>(found->position());
      tests[(*found)[1]] = text.substr(begin, text.find("\nTEST_CASE(", begin) - begin);
    }
  }
  return tests;
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find(separator, begin)) != std::string::npos;
       begin = end + separator.size())
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

/// The error codes in it.
std::set<std::string> codes_in(const std::string& text) {
  const std::regex code("E0[0-9]{3}");
  return {std::sregex_token_iterator(text.begin(), text.end(), code), std::sregex_token_iterator()};
}

}  // namespace

TEST_CASE("each assumption of plan.md has a test that shows it failing by its code") {
  const auto tests = kernel_tests();
  const std::string text = text_of(MNTCR_SOURCE_DIR "/specs/plan.md");
  const std::string head = "| assumption | check at apply | when it does not hold | shown by the";
  REQUIRE(text.find(head) != std::string::npos);
  std::istringstream table(text.substr(text.find(head)));
  std::string row;
  std::getline(table, row);
  std::getline(table, row);
  std::size_t rows = 0;
  for (; std::getline(table, row) && row.starts_with("| "); ++rows) {
    INFO(row);
    const std::vector<std::string> cells = split(row.substr(2, row.size() - 4), " | ");
    REQUIRE(cells.size() == 4);
    std::string shown;
    for (const std::string& name : split(cells[3], "; ")) {
      INFO(name);
      REQUIRE(tests.contains(name));
      shown += tests.at(name);
    }
    CHECK_FALSE(codes_in(cells[2]).empty());
    for (const std::string& code : codes_in(cells[2])) {
      INFO(code);
      CHECK(codes_in(shown).contains(code));
    }
  }
  CHECK(rows >= 20);
}
