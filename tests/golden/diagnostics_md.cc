// diagnostics_md [--bless] FILE: whether the part of specs/diagnostics.md below its marker is what
// the table of codes says; with --bless writes it. The part above the marker is written by hand.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "runtime/base/diagnostic.h"

namespace {

constexpr std::string_view marker =
    "<!-- below: written by diagnostics_md from specs/diagnostics.def -->\n";

std::string code_text(const mntcr::CodeInfo& info) {
  std::string text = fmt::format("\n### {}: {}\n\n{}\n", info.id, info.title, info.explanation);
  if (!info.failing.empty()) text += fmt::format("\nRaised by\n\n```toml\n{}```\n", info.failing);
  if (!info.mended.empty()) text += fmt::format("\nMended\n\n```toml\n{}```\n", info.mended);
  return text;
}

std::string table_text() {
  std::string text = "\n| code | is | |\n|---|---|---|\n";
  for (const auto& info : mntcr::all_codes()) {
    const bool error = info.severity == mntcr::Severity::error;
    text += fmt::format("| {} | {} | {} |\n", info.id, error ? "error" : "warning", info.title);
  }
  for (const auto& info : mntcr::all_codes()) text += code_text(info);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool bless = !arguments.empty() && arguments.front() == "--bless";
  if (arguments.size() != (bless ? 2U : 1U)) {
    std::cerr << "usage: diagnostics_md [--bless] FILE\n";
    return 2;
  }
  std::ifstream in(arguments.back(), std::ios::binary);
  const std::string have(std::istreambuf_iterator<char>(in), {});
  const std::size_t at = have.find(marker);
  if (at == std::string::npos) {
    std::cerr << arguments.back() << ": no marker line\n";
    return 2;
  }
  const std::string want = have.substr(0, at + marker.size()) + table_text();
  if (have == want) return 0;
  if (bless) {
    std::ofstream(arguments.back(), std::ios::binary) << want;
    return 0;
  }
  std::cerr << arguments.back()
            << " is not what specs/diagnostics.def says: run diagnostics_md --bless on it\n";
  return 1;
}
