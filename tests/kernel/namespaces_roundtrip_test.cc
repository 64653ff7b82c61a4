// Whatever a container of several namespaces has made of its mounts, a capture says it: captured,
// compiled, applied and captured again, the text is the same, and nothing differs from it. Random
// states, seeded, in which peer groups reach over the namespaces.
#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <sstream>

#include "compiler/driver/pipeline.h"
#include "runtime/apply/new_namespace.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

constexpr std::size_t most_namespaces = 3;
constexpr int most_steps = 5;  ///< in one namespace before another has its turn

/// What the seeds amounted to, so that a test of nothing is noticed.
struct Tally {
  std::size_t namespaces = 0;
  std::size_t mounts = 0;
  std::size_t members = 0;                      ///< of peer groups, and slaves
  std::size_t across = 0;                       ///< seeds with a group in two namespaces
  std::map<std::string, std::size_t> refused;   ///< seeds, by what the capture says
  std::map<std::string, std::size_t> problems;  ///< seeds, by what is wrong
  std::string shown;                            ///< the first problem in full
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

/// A container that makes itself further namespaces.
class Container {
 public:
  explicit Container(const std::string& spec) {
    Built built = applied(spec);
    files_.push_back(need_copy(built.ns()));
  }

  [[nodiscard]] std::size_t size() const { return files_.size(); }
  [[nodiscard]] const Fd& ns(std::size_t index) const { return files_.at(index); }

  /// A further namespace: a copy of one that there is.
  void unshare_from(std::size_t index) {
    const auto proc = open_proc(linux_kernel());
    REQUIRE(proc);
    Result<Fd> made = fail("not made");
    inside(ns(index), [&] { made = enter_new_namespace(linux_kernel(), *proc, 0); });
    REQUIRE(made);
    files_.push_back(std::move(*made));
  }

  [[nodiscard]] std::vector<NamedNamespace> named() const {
    std::vector<NamedNamespace> all;
    for (const Fd& file : files_) {
      all.push_back({all.empty() ? main_namespace : fmt::format("ns-{}", all.size() + 1), &file});
    }
    return all;
  }

 private:
  static Fd need_copy(const Fd& ns) {
    Result<Fd> file =
        open_namespace_file(linux_kernel(), fmt::format("/proc/self/fd/{}", ns.get()));
    REQUIRE(file);
    return std::move(*file);
  }

  std::vector<Fd> files_;
};

/// Random operations, a few at a time in one namespace; at times a namespace more. Half of the
/// seeds share all there is before.
void mutate(unsigned seed, int steps, Container& container) {
  Mutator mutator(seed, {.sharing = true});
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  inside(container.ns(0), [&] { Mutator::populate(""); });
  const bool shares_all = below(2) == 0;
  while (steps > 0) {
    const std::size_t at = below(container.size());
    const int burst = std::min(steps, 1 + static_cast<int>(below(most_steps)));
    steps -= burst;
    inside(container.ns(at), [&] {
      for (int step = 0; step < burst; ++step) mutator.step();
      if (shares_all && container.size() == 1) propagate("/", MS_SHARED | MS_REC);
    });
    const bool last_chance = container.size() == 1 && steps <= most_steps;
    if (container.size() < most_namespaces && (last_chance || below(3) == 0))
      container.unshare_from(at);
  }
}

bool has_group_across(const MountTable& live) {
  std::map<std::uint64_t, std::uint32_t> home;
  for (const LiveMount& mount : live.mounts) {
    if (mount.peer_group == 0) continue;
    if (home.try_emplace(mount.peer_group, mount.ns).first->second != mount.ns) return true;
  }
  return false;
}

void count(const std::string& text, const Container& container, Tally& tally) {
  tally.namespaces += container.size();
  tally.mounts += occurrences(text, "[[mount]]") + container.size();
  tally.members += occurrences(text, "\npropagation = \"s");
}

/// One seed: empty when exact, else what is wrong.
std::string round_trip(unsigned seed, const std::string& spec, int steps, Tally& tally) {
  Container first(spec);
  mutate(seed, steps, first);
  const auto named = first.named();
  const Observed seen(named);
  const std::string text = write_spec("base", seen.live, seen.parent);
  count(text, first, tally);
  if (has_group_across(seen.live)) ++tally.across;
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
  const std::string second = captured("base", named_namespaces(*plan, again.built->namespaces()));
  if (second != text) return "differs:\n" + text + "\n--- second\n" + second;
  const std::string drift = differences(named, *plan);
  return drift.empty() ? "" : "the first differs from its capture:\n" + drift + text;
}

void run_seed(unsigned seed, const std::string& spec, int steps, Tally& tally) {
  const std::string problem = round_trip(seed, spec, steps, tally);
  if (problem.empty()) return;
  ++tally.problems[problem.substr(0, problem.find('\n'))];
  if (tally.shown.empty()) tally.shown = fmt::format("seed {}: {}", seed, problem);
}

std::string summary(std::size_t seeds, const Tally& tally) {
  std::string text = fmt::format(
      "{} seeds: {} namespaces, {} mounts, {} of them shared or slaves; {} seeds with a group in "
      "two namespaces\n",
      seeds, tally.namespaces, tally.mounts, tally.members, tally.across);
  for (const auto& [why, number] : tally.refused)
    text += fmt::format("{} refused: {}\n", number, why);
  for (const auto& [problem, number] : tally.problems)
    text += fmt::format("{} {}\n", number, problem);
  return text;
}

}  // namespace

TEST_CASE("random states of several namespaces come back from their capture", "[roundtrip]") {
  if (!reads_by_statmount()) leave_out("mounts over the container's root");
  const std::string data = fresh_dir();
  for (const char* below : {"/a/b", "/b"}) make_dir(data + below);
  const std::string spec = base_spec(data);
  const std::size_t seeds = count_from_environment("MNTCR_NAMESPACES_SEEDS", 25);
  const std::size_t first = count_from_environment("MNTCR_NAMESPACES_FIRST", 0);
  Tally tally;
  for (std::size_t seed = first; seed < first + seeds; ++seed) {
    constexpr int few = 14;
    constexpr int many = 40;
    run_seed(static_cast<unsigned>(seed), spec, seed % 2 == 0 ? few : many, tally);
  }
  fmt::print("{}", summary(seeds, tally));
  INFO(tally.shown);
  CHECK(tally.problems.empty());
  CHECK(tally.namespaces > seeds * 2);
  CHECK(tally.across > seeds / 4);
}

}  // namespace mntcr
