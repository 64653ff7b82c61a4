// specs/plan.md says what the code does: its tables are held against ops.def and format.h.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "runtime/plan/format.h"
#include "runtime/plan/plan.h"

using namespace mntcr;

namespace {

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
  std::ifstream in(MNTCR_SOURCE_DIR "/specs/plan.md");
  std::ostringstream text;
  text << in.rdbuf();
  for (std::uint8_t number = 0; is_op(number); ++number) {
    const OpInfo& info = describe(static_cast<OpKind>(number));
    const std::string row =
        fmt::format("| `{}` | {} | {} |\n", info.name, phase_name(info.phase), info.doc);
    INFO(row);
    CHECK(text.str().find(row) != std::string::npos);
  }
  CHECK(text.str().find(fmt::format("version of the format: {}.", plan_format::version)) !=
        std::string::npos);
}
