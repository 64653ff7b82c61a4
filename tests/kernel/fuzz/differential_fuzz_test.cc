// Random sequences of mount operations on Linux and on the model of it, step by step the same.
// MNTCR_FUZZ_SEQUENCES says how many, MNTCR_FUZZ_SEED the number of the first one: a sequence is
// its number, so that one alone can be repeated.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "tests/kernel/fuzz/fuzz_run.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

/// More say nothing new before the first ones are mended.
constexpr std::size_t most_disagreements = 3;

struct Verdict {
  Coverage coverage;
  std::vector<std::string> disagreements;
  double seconds = 0;
};

Verdict compare(Machine& left, const MachineMaker& make_right, std::size_t sequences) {
  Verdict verdict;
  Differential differential(left, make_right);
  const auto begin = Clock::now();
  const std::uint64_t first = sandbox::count_from_environment("MNTCR_FUZZ_SEED", 0);
  for (std::uint64_t number = first; number < first + sequences; ++number) {
    Generator generator = generator_of(number);
    auto found = differential.run(generator, verdict.coverage);
    if (!found) continue;
    const Disagreement least = differential.shrink(std::move(*found));
    verdict.disagreements.push_back(fmt::format("MNTCR_FUZZ_SEED={}\n{}", number, least.to_text()));
    if (verdict.disagreements.size() == most_disagreements) break;
  }
  verdict.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return verdict;
}

void check(const Verdict& verdict) {
  for (const std::string& disagreement : verdict.disagreements) FAIL_CHECK(disagreement);
  WARN(fmt::format("{:.1f} s, {:.0f} operations a second\n", verdict.seconds,
                   static_cast<double>(verdict.coverage.operations()) / verdict.seconds)
       << verdict.coverage.to_text());
}

TEST_CASE("two sandboxes of one kernel agree about random sequences") {
  if (!can_fuzz("the fuzzer on two sandboxes")) return;
  Verdict verdict;
  const std::string error = with_linux_machine([&](Machine& left) {
    const auto lend = [&]() -> Result<std::shared_ptr<Machine>> {
      return std::shared_ptr<Machine>(&left, [](Machine*) {});
    };
    verdict = compare(left, lend, sandbox::count_from_environment("MNTCR_FUZZ_SEQUENCES", 100));
  });
  REQUIRE(error.empty());
  check(verdict);
}

}  // namespace
}  // namespace mntcr::fuzz
