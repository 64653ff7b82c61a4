// The fuzzer itself, on two models of which one lacks a rule: it notices, and what it shows are the
// operations that the disagreement needs.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/kernel/fuzz/differential.h"
#include "tests/kernel/fuzz/fuzz_run.h"
#include "tests/kernel/fuzz/model_machine.h"

namespace mntcr::fuzz {
namespace {

/// The first disagreement with a model that lacks `rule`, at its shortest.
std::optional<Disagreement> shortest(KernelRule rule) {
  const auto left = make_model_machine();
  if (!left) return std::nullopt;
  Differential differential(**left, [rule] { return make_model_machine(rule); });
  Coverage coverage;
  constexpr std::uint64_t enough = 200;
  for (std::uint64_t number = 0; number < enough; ++number) {
    Generator generator = generator_of(number);
    if (auto found = differential.run(generator, coverage))
      return differential.shrink(std::move(*found));
  }
  return std::nullopt;
}

TEST_CASE("a missing rule is shown by the operations that it needs") {
  const auto found = shortest(KernelRule::private_clears_master);
  REQUIRE(found);
  INFO(found->to_text());
  // Something shared, a slave of it, and the change that should have made it private.
  CHECK(found->operations.size() <= 5);
  const auto changes = std::ranges::count(found->operations, Kind::change, &Operation::kind);
  CHECK(changes >= 2);
  CHECK_THAT(found->what, Catch::Contains("master:"));
}

TEST_CASE("a wrong errno is a disagreement") {
  const auto found = shortest(KernelRule::umount_busy);
  REQUIRE(found);
  INFO(found->to_text());
  CHECK(found->operations.back().kind == Kind::umount);
  CHECK_THAT(found->what, Catch::Contains("left: 16 (umount2") && Catch::Contains("right: done"));
}

TEST_CASE("models agree with themselves") {
  const auto left = make_model_machine();
  REQUIRE(left);
  Differential differential(**left, [] { return make_model_machine(); });
  Coverage coverage;
  constexpr std::uint64_t some = 20;
  for (std::uint64_t number = 0; number < some; ++number) {
    Generator generator = generator_of(number);
    CHECK_FALSE(differential.run(generator, coverage));
  }
  CHECK(coverage.sequences() == some);
  CHECK(coverage.done(Kind::bind) > 0);
  CHECK(coverage.times(Situation::propagated) > 0);
}

}  // namespace
}  // namespace mntcr::fuzz
