// golden_runner [--bless] FOLDER: compiles every case of a folder and compares. See README.md.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/golden/case.h"

namespace {

namespace fs = std::filesystem;
using mntcr::golden::Case;
using mntcr::golden::Mark;
using mntcr::golden::Outcome;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> find_cases(const fs::path& folder) {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

void print_marks(std::string_view title, const std::vector<Mark>& marks) {
  std::cout << "  " << title << ":";
  for (const auto& [file, line, code] : marks) {
    std::cout << ' ' << code
              << (line == 0 ? std::string(" without place") : " on line " + std::to_string(line))
              << (file.empty() ? "" : " of " + file) << ';';
  }
  std::cout << '\n';
}

/// Whether the case gives what it says; writes the text down when blessing.
bool check(const fs::path& path, bool bless) {
  const Case golden = mntcr::golden::parse_case(path.filename().string(), read(path));
  const Outcome outcome = compile(golden);
  const bool marks_differ = outcome.marks != golden.marks;
  const bool text_differs = outcome.text != golden.expected;
  if (text_differs && bless) {
    std::ofstream(path, std::ios::binary) << write_case(golden, outcome.text);
  }
  if (!marks_differ && (!text_differs || bless)) return true;
  std::cout << "FAILED " << path.string() << '\n';
  if (marks_differ) {
    print_marks("marked", golden.marks);
    print_marks("given ", outcome.marks);
  }
  if (text_differs && !bless) {
    std::cout << "--- expected\n" << golden.expected << "--- printed\n" << outcome.text;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool bless = !arguments.empty() && arguments.front() == "--bless";
  if (arguments.size() != (bless ? 2U : 1U)) {
    std::cerr << "usage: golden_runner [--bless] FOLDER\n";
    return 2;
  }
  const auto cases = find_cases(arguments.back());
  const auto failed = std::count_if(cases.begin(), cases.end(),
                                    [&](const fs::path& path) { return !check(path, bless); });
  std::cout << cases.size() << " cases, " << failed << " failed\n";
  return failed == 0 && !cases.empty() ? 0 : 1;
}
