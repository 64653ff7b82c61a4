// The model of the kernel does what Linux does: each case is run on both, and what stands in the
// end must be equal. And each rule of the model is noticed when it is broken, so that no case
// passes for nothing.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "tests/kernel/conformance/world.h"
#include "tests/kernel/support/features.h"

namespace mntcr::conformance {
namespace {

using sandbox::leave_out;
using sandbox::reads_by_statmount;

TEST_CASE("the model does what Linux does") {
  const bool reads = reads_by_statmount();  // probed here: a case has no /proc
  for (const Case& tried : all_cases()) {
    DYNAMIC_SECTION(tried.title) {
      const Verdict model = run_on_model(tried);
      CHECK(model.complaints == std::vector<std::string>{});
      if (tried.recent && !reads) {
        leave_out(tried.title);
        return;
      }
      const Verdict linux_verdict = run_on_linux(tried, reads);
      CHECK(linux_verdict.complaints == std::vector<std::string>{});
      if (!linux_verdict.picture.empty()) CHECK(model.picture == linux_verdict.picture);
    }
  }
}

TEST_CASE("a broken rule is noticed by its case") {
  const std::vector<Case> cases = all_cases();
  for (const KernelRuleInfo& info : kernel_rules()) {
    DYNAMIC_SECTION(info.name) {
      const auto shows = [&](const Case& tried) {
        return std::ranges::find(tried.rules, info.rule) != tried.rules.end();
      };
      const auto shown = std::ranges::find_if(cases, shows);
      REQUIRE(shown != cases.end());
      CHECK_FALSE(run_on_model(*shown, info.rule).complaints.empty());
    }
  }
}

TEST_CASE("the page of the rules names the case of each", "[sources]") {
  std::ifstream file(MNTCR_SOURCE_DIR "/specs/kernel-semantics.md");
  std::ostringstream page;
  page << file.rdbuf();
  for (const Case& tried : all_cases()) {
    for (const KernelRule rule : tried.rules) {
      const KernelRuleInfo& info = kernel_rules()[static_cast<std::size_t>(rule)];
      std::string row =
          "| `" + std::string(info.name) + "` | " + std::string(info.sentence) + " | ";
      row += std::string(tried.title) + " |\n";
      INFO(row);
      CHECK(page.str().find(row) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace mntcr::conformance
