// Random sequences of mount operations on Linux and on the model of it, step by step the same.
// MNTCR_FUZZ_SEQUENCES says how many, MNTCR_FUZZ_SEED the number of the first one: a sequence is
// its number, so that one alone can be repeated. MNTCR_FUZZ_SECONDS ends it before all are done.
#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>

#include "tests/kernel/fuzz/differential.h"
#include "tests/kernel/fuzz/fuzz_run.h"
#include "tests/kernel/fuzz/model_machine.h"
#include "tests/kernel/support/mutator.h"

namespace mntcr::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

/// More say nothing new before the first ones are mended.
constexpr std::size_t most_disagreements = 4;

struct Verdict {
  Coverage coverage;
  std::vector<std::string> disagreements;
};

/// The numbers from which all threads take their sequences.
class Numbers {
 public:
  explicit Numbers(std::size_t sequences)
      : next_(sandbox::count_from_environment("MNTCR_FUZZ_SEED", 0)), end_(next_ + sequences) {}
  std::optional<std::uint64_t> take() {
    if (Clock::now() > deadline_) return std::nullopt;
    const std::uint64_t number = next_++;
    return number < end_ ? std::optional(number) : std::nullopt;
  }

 private:
  std::atomic<std::uint64_t> next_;
  std::uint64_t end_;
  Clock::time_point deadline_ =
      Clock::now() +
      std::chrono::seconds(sandbox::count_from_environment(
          "MNTCR_FUZZ_SECONDS", std::chrono::seconds(std::chrono::hours(24)).count()));
};

Verdict compare(Machine& left, const MachineMaker& make_right, Numbers& numbers) {
  Verdict verdict;
  Differential differential(left, make_right);
  while (const auto number = numbers.take()) {
    Generator generator = generator_of(*number);
    auto found = differential.run(generator, verdict.coverage);
    if (!found) continue;
    const Disagreement least = differential.shrink(std::move(*found));
    verdict.disagreements.push_back(
        fmt::format("MNTCR_FUZZ_SEED={}\n{}", *number, least.to_text()));
    if (verdict.disagreements.size() == most_disagreements) break;
  }
  return verdict;
}

/// All of it; what each right machine is, `right_of` says, given the left one.
Coverage compare_all(std::size_t sequences, const std::function<MachineMaker(Machine&)>& right_of) {
  Numbers numbers(sequences);
  std::vector<Verdict> verdicts(job_count());
  const auto begin = Clock::now();
  const std::string error = with_linux_machines([&](Machine& left, std::size_t job) {
    verdicts[job] = compare(left, right_of(left), numbers);
  });
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  INFO(error);
  CHECK(error.empty());
  Coverage all;
  for (const Verdict& verdict : verdicts) {
    all.add(verdict.coverage);
    for (const std::string& disagreement : verdict.disagreements) FAIL_CHECK(disagreement);
  }
  WARN(fmt::format("{:.1f} s, {:.0f} operations a second\n", seconds,
                   static_cast<double>(all.operations()) / seconds)
       << all.to_text());
  return all;
}

TEST_CASE("the kernel and the model of it agree about random sequences") {
  if (!can_fuzz("the fuzzer on the model of the kernel")) return;
  constexpr std::size_t enough = 200;
  const auto model = [](Machine& /*left*/) -> MachineMaker {
    return [] { return make_model_machine(); };
  };
  const Coverage all =
      compare_all(sandbox::count_from_environment("MNTCR_FUZZ_SEQUENCES", enough), model);
  // Nothing is shown by operations that are all refused.
  const bool enough_to_tell = all.sequences() >= enough;
  for (std::size_t i = 0; enough_to_tell && i < kind_count; ++i) {
    const Kind kind = static_cast<Kind>(i);
    INFO(name_of(kind));
    CHECK((kind == Kind::idmap || all.done(kind) > 0));
  }
  for (std::size_t i = 0; enough_to_tell && i < situation_count; ++i) {
    INFO(name_of(static_cast<Situation>(i)));
    CHECK(all.times(static_cast<Situation>(i)) > 0);
  }
}

TEST_CASE("two sandboxes of one kernel agree about random sequences") {
  if (!can_fuzz("the fuzzer on two sandboxes")) return;
  constexpr std::size_t few = 25;
  const auto another = [](Machine& left) -> MachineMaker {
    return
        [&left, made = std::shared_ptr<Machine>()]() mutable -> Result<std::shared_ptr<Machine>> {
          if (made) return made;
          auto machine = make_linux_machine(left.kernel());
          if (machine) made = std::move(*machine);
          return machine ? Result<std::shared_ptr<Machine>>(made) : Failure(machine.error());
        };
  };
  compare_all(few, another);
}

}  // namespace
}  // namespace mntcr::fuzz
