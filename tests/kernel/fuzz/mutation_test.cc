// What the fuzzer would notice: for each rule of specs/kernel_rules.def a model without that rule
// has to be caught. The kernel is asked once: its answers are recorded, and each model is held
// against them. MNTCR_MUTATION_SEQUENCES says how many sequences there are.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <string_view>
#include <thread>

#include "tests/kernel/fuzz/differential.h"
#include "tests/kernel/fuzz/fuzz_run.h"
#include "tests/kernel/fuzz/model_machine.h"
#include "tests/kernel/support/mutator.h"

namespace mntcr::fuzz {
namespace {

using Recordings = std::vector<Recording>;

/// A rule that no sequence can show, and why.
struct Unseen {
  KernelRule rule;
  const char* reason;
};

constexpr std::array<Unseen, 0> unseen{};

/// Sequence 0 and those after it, as the kernel answers them.
Recordings record_all(std::size_t sequences) {
  Recordings recordings(sequences);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const std::string error = with_linux_machines([&](Machine& machine, std::size_t /*job*/) {
    for (std::size_t number = next++; number < sequences; number = next++) {
      Generator generator = generator_of(number);
      auto recording = record(machine, generator);
      if (!recording) failed = true;
      if (recording) recordings[number] = std::move(*recording);
    }
  });
  REQUIRE(error.empty());
  REQUIRE_FALSE(failed);
  return recordings;
}

/// The first sequence that a model without `broken` answers differently.
std::optional<std::size_t> first_deviation(const Recordings& recordings,
                                           std::optional<KernelRule> broken) {
  for (std::size_t number = 0; number < recordings.size(); ++number) {
    const auto machine = make_model_machine(broken);
    if (!machine || deviates(**machine, recordings[number])) return number;
  }
  return std::nullopt;
}

/// By the rule's place in the table; there are as many threads as processors.
std::vector<std::optional<std::size_t>> deviations(const Recordings& recordings) {
  std::vector<std::optional<std::size_t>> found(kernel_rules().size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (unsigned left = std::max(std::thread::hardware_concurrency(), 1U); left > 0; --left) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < found.size(); at = next++)
        found[at] = first_deviation(recordings, kernel_rules()[at].rule);
    });
  }
  threads.clear();
  return found;
}

const Unseen* find_unseen(KernelRule rule) {
  const auto* found = std::ranges::find(unseen, rule, &Unseen::rule);
  return found == unseen.end() ? nullptr : found;
}

TEST_CASE("a model that lacks a rule is caught") {
  if (!can_fuzz("models that lack a rule")) return;
  constexpr std::size_t enough = 300;
  const Recordings recordings =
      record_all(sandbox::count_from_environment("MNTCR_MUTATION_SEQUENCES", enough));
  CHECK_FALSE(first_deviation(recordings, std::nullopt));
  const auto found = deviations(recordings);
  std::string report;
  for (std::size_t at = 0; at < found.size(); ++at) {
    const KernelRuleInfo& rule = kernel_rules()[at];
    INFO(rule.name << ": " << rule.sentence);
    const Unseen* known = find_unseen(rule.rule);
    if (found[at]) {
      report += fmt::format("{:<28} at sequence {}\n", rule.name, *found[at]);
      CHECK(known == nullptr);
    } else {
      report += fmt::format("{:<28} not: {}\n", rule.name,
                            known != nullptr ? known->reason : "and nobody says why");
      CHECK(known != nullptr);
    }
  }
  WARN(recordings.size() << " sequences catch a model without\n" << report);
}

}  // namespace
}  // namespace mntcr::fuzz
