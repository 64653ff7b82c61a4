// Whatever a container has made of its mounts, a capture says it: captured, compiled, applied and
// captured again, the text is the same, and nothing differs from it. Random states, seeded.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "compiler/driver/pipeline.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// What the seeds amounted to, so that a test of nothing is noticed.
struct Tally {
  std::size_t mounts = 0;
  std::size_t covers = 0;   ///< mounts written with `cover`
  std::size_t binds = 0;    ///< of what the container itself made
  std::size_t deleted = 0;  ///< of what it removed
  std::size_t inodes = 0;   ///< that a tree brings back
  std::size_t overlays = 0;
  std::size_t members = 0;                     ///< of peer groups, and slaves
  std::map<std::string, std::size_t> refused;  ///< seeds, by what the capture says
};

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

/// Why a capture says of a mount that it cannot be brought back; empty when it says so of none.
std::string why_refused(const std::string& text) {
  std::string comment;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ") && !line.starts_with("# covers ")) comment = line.substr(2);
    if (line.starts_with("source = \"device:")) return comment.substr(0, comment.find(" /"));
  }
  return {};
}

/// One seed: empty when exact, else what is wrong.
std::string round_trip(unsigned seed, const std::string& spec, MutatorChoices choices, int steps,
                       Tally& tally) {
  const Built first = applied(spec);
  Mutator mutator(seed, choices);
  inside(first.ns(), [&] {
    Mutator::populate("");
    for (int step = 0; step < steps; ++step) mutator.step();
  });
  const std::string text = captured("base", first.ns());
  tally.mounts += occurrences(text, "[[mount]]") + 1;
  tally.covers += occurrences(text, "cover = true");
  tally.binds += occurrences(text, "source = \"self:") + occurrences(text, "source = \"fs:");
  tally.deleted += occurrences(text, "\ndeleted = ");
  tally.overlays += occurrences(text, "\ntype = \"overlay\"");
  tally.inodes += occurrences(text, "\n  { path = ");
  tally.members += occurrences(text, "\npropagation = \"s");
  SourceMap sources;
  Diagnostics diagnostics;
  const auto plan = driver::compile_text("capture.toml", text, {}, sources, diagnostics);
  if (const std::string why = why_refused(text); !plan && !why.empty()) {
    ++tally.refused[why];
    return "";
  }
  if (!plan) return "does not compile:\n" + render_text(diagnostics, sources) + text;
  const Applied again = apply_plan(linux_kernel(), *plan);
  if (!again.built) return "does not apply:\n" + again.messages + text;
  const std::string second = captured("base", again.built->ns());
  if (second != text) return "differs:\n" + text + "\n--- second\n" + second;
  const std::string drift = differences(first.ns(), *plan);
  return drift.empty() ? "" : "the first differs from its capture:\n" + drift + text;
}

/// Runs all seeds; how many steps each takes `steps_of` says.
Tally run_seeds(std::size_t seeds, MutatorChoices choices, int (*steps_of)(unsigned)) {
  const std::string data = fresh_dir();
  for (const char* below : {"/a/b", "/b"}) make_dir(data + below);  // what exists in the parent
  const std::string spec = base_spec(data);
  std::map<std::string, std::size_t> problems;
  std::string shown;
  Tally tally;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    const std::string problem = round_trip(seed, spec, choices, steps_of(seed), tally);
    if (problem.empty()) continue;
    ++problems[problem.substr(0, problem.find('\n'))];
    if (shown.empty()) shown = fmt::format("seed {}: {}", seed, problem);
  }
  std::string summary = fmt::format(
      "{} seeds: {} mounts, {} of them cover others, {} are binds of what the container made, {} "
      "of what it removed; {} shared or slaves; {} overlays; {} inodes in trees\n",
      seeds, tally.mounts, tally.covers, tally.binds, tally.deleted, tally.members, tally.overlays,
      tally.inodes);
  for (const auto& [why, count] : tally.refused)
    summary += fmt::format("{} refused: {}\n", count, why);
  for (const auto& [problem, count] : problems) summary += fmt::format("{} {}\n", count, problem);
  fmt::print("{}", summary);
  INFO(shown);
  CHECK(problems.empty());
  return tally;
}

std::size_t refused(const Tally& tally) {
  std::size_t count = 0;
  for (const auto& [why, seeds] : tally.refused) count += seeds;
  return count;
}

}  // namespace

TEST_CASE("random states come back from their capture exactly", "[roundtrip]") {
  if (!reads_by_statmount()) leave_out("mounts over the container's root");
  const std::size_t seeds = count_from_environment("MNTCR_ROUNDTRIP_SEEDS", 150);
  const Tally tally = run_seeds(seeds, {.overlays = true},
                                [](unsigned seed) { return 14 + static_cast<int>(seed % 27); });
  CHECK(tally.covers > seeds / 4);
  CHECK(tally.binds > seeds / 4);
  CHECK(tally.deleted > seeds / 50);
  CHECK(tally.inodes > seeds / 4);
  CHECK(refused(tally) <= seeds / 4);
}

TEST_CASE("random states with sharing come back from their capture exactly", "[roundtrip]") {
  if (!reads_by_statmount()) leave_out("mounts over the container's root");
  const std::size_t seeds = count_from_environment("MNTCR_SHARING_SEEDS", 100);
  const Tally tally = run_seeds(seeds, {.sharing = true}, [](unsigned seed) {
    constexpr int few = 14;
    constexpr int many = 40;
    return seed % 2 == 0 ? few : many;
  });
  CHECK(tally.members > seeds);
  CHECK(refused(tally) <= seeds / 50);
}

}  // namespace mntcr
