// Every code of the compiler keeps what specs/diagnostics.def promises: its failing spec raises it
// and nothing else, its mended spec raises nothing, and one that has no example is raised by a
// golden case.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

using testing::Compiled;

/// E01xx to E03xx and W02xx, W03xx: what compiling a spec up to its layout can raise.
bool is_compilers(const CodeInfo& info) { return info.id.substr(1, 2) <= "03"; }

std::string golden_cases() {
  std::string all;
  for (const auto& entry :
       std::filesystem::directory_iterator(MNTCR_SOURCE_DIR "/tests/golden/cases")) {
    std::ifstream in(entry.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

TEST_CASE("examples of codes raise what they say") {
  for (const CodeInfo& info : all_codes()) {
    if (info.failing.empty()) continue;
    const Compiled failing{std::string(info.failing)};
    const Compiled mended{std::string(info.mended)};
    INFO(info.id << "\n" << failing.messages() << mended.messages());
    CHECK(failing.codes() == info.id);
    CHECK(mended.codes().empty());
    CHECK(mended.layout.has_value());
    CHECK(failing.layout.has_value() == (info.severity == Severity::warning));
  }
}

TEST_CASE("codes are complete") {
  const std::string golden = golden_cases();
  for (const CodeInfo& info : all_codes()) {
    if (!is_compilers(info)) continue;
    INFO(info.id);
    CHECK_FALSE(info.title.empty());
    CHECK(info.explanation.size() > 40);
    CHECK(info.failing.empty() == info.mended.empty());
    // E0102 is raised by the driver, which reads files.
    if (info.id != "E0102")
      CHECK(golden.find("[" + std::string(info.id) + "]") != std::string::npos);
  }
}

}  // namespace
}  // namespace mntcr
