// Increments: what a container does is told by one delta after another, each extending the one
// before. A chain restores what was there, each delta says nothing that could be left out, and
// flattened it is what a capture says.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>

#include "compiler/driver/pipeline.h"
#include "compiler/spec/digest.h"
#include "runtime/diff/diff.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// What one chain amounted to.
struct Tally {
  std::size_t deltas = 0;   ///< those that had something to say
  std::size_t entries = 0;  ///< of all of them
  std::size_t members = 0;  ///< of peer groups, and slaves, as the captures have them
  std::map<std::string, std::size_t> problems;
  std::string shown;  ///< the first problem in full

  void add(unsigned seed, const std::string& what, const std::string& detail) {
    ++problems[what];
    if (shown.empty()) shown = fmt::format("seed {}: {}\n{}", seed, what, detail);
  }
};

/// The files of a chain, the last of which is compiled.
class Chain {
 public:
  explicit Chain(std::string base) : texts_{std::move(base)} {}

  [[nodiscard]] std::string name() const { return fmt::format("{}.toml", texts_.size() - 1); }
  void extend(std::string text) { texts_.push_back(std::move(text)); }

  /// All files as one text, for messages.
  [[nodiscard]] std::string all() const {
    std::string text;
    for (std::size_t at = 0; at < texts_.size(); ++at)
      text += fmt::format("--- {}.toml\n{}", at, texts_[at]);
    return text;
  }

  /// Compiles the chain, with `last` instead of its last file where it is not empty.
  [[nodiscard]] std::optional<Plan> compile(std::string& messages,
                                            const std::string& last = {}) const {
    const spec::SpecInput input{.name = name(),
                                .text = last.empty() ? texts_.back() : last,
                                .folder = {},
                                .search = {},
                                .read = [&](const std::string& path) { return read(path); }};
    SourceMap sources;
    Diagnostics diagnostics;
    auto plan = driver::compile_spec(input, {}, sources, diagnostics);
    messages = render_text(diagnostics, sources);
    return plan;
  }

 private:
  [[nodiscard]] Result<std::string> read(const std::string& path) const {
    return texts_.at(std::stoul(path));
  }

  std::vector<std::string> texts_;
};

/// The entries of trees in a spec, and the spec without them and without notes that an inode below
/// a covered, shared root could not be looked at.
std::pair<std::set<std::string>, std::string> split_trees(const std::string& spec) {
  std::set<std::string> entries;
  std::string rest;
  std::istringstream lines(spec);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  { path = ")) {
      entries.insert(line);
    } else if (line != "tree = [" && line != "]" && !line.starts_with("# nobody could look")) {
      rest += line + '\n';
    }
  }
  return {entries, rest};
}

/// A spec with numbers for the labels of removed inodes, in the order of the text: a chain keeps
/// the labels that its base gave, while a capture finds new ones.
std::string numbered(const std::string& spec) {
  constexpr std::string_view key = "deleted = ";
  std::map<std::pair<std::string, std::string>, std::size_t> labels;
  std::string result;
  std::string source;
  std::istringstream lines(spec);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("source = ")) source = line;
    if (line.starts_with(key)) {
      const std::size_t number = labels.try_emplace({source, line}, labels.size()).first->second;
      line = fmt::format("{}{}", key, number);
    }
    result += line + '\n';
  }
  return result;
}

/// Whether a flattened chain is what a capture says. A chain may know of inodes that no mount needs
/// any more.
bool is_same(const std::string& flat, const std::string& whole) {
  const auto [made, flat_rest] = split_trees(flat);
  const auto [needed, rest] = split_trees(whole);
  return numbered(flat_rest) == numbered(rest) && std::ranges::includes(made, needed);
}

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

/// The texts that lack one entry of a delta. An entry begins behind an empty line.
std::vector<std::string> shortened(const std::string& delta) {
  std::vector<std::size_t> starts;
  for (std::size_t at = delta.find("\n\n"); at != std::string::npos;
       at = delta.find("\n\n", at + 1))
    starts.push_back(at + 1);
  starts.push_back(delta.size());
  std::vector<std::string> texts;
  for (std::size_t entry = 0; entry + 1 < starts.size(); ++entry) {
    const auto is = [&](std::string_view title) {
      return delta.compare(starts[entry], title.size(), title) == 0;
    };
    const std::string_view text(delta.data() + starts[entry], starts[entry + 1] - starts[entry]);
    // Written whether needed or not: a plan does not tell which entries imply copies.
    const bool silences = text.ends_with("\npropagate = false\n");
    if (is("\n[checkpoint]") || is("\n[policy]") || silences) continue;
    texts.push_back(delta.substr(0, starts[entry]) + delta.substr(starts[entry + 1]));
  }
  return texts;
}

/// One increment: what is wrong with it goes to the tally; false when the chain cannot go on.
bool increment(unsigned seed, Chain& chain, const Fd& ns, Tally& tally) {
  const Observed now(ns);
  std::string messages;
  const auto base = chain.compile(messages);
  REQUIRE(base);
  const ResolvedSources sources = now.sources(*base);
  DiffReport report{*base, now.live, now.parent, sources, now.changes(*base), chain.name()};
  report.checkpoint = CheckpointRecord{.digest = spec::base_digest(base->sources).value_or(""),
                                       .sequence = spec::base_sequence(base->sources) + 1,
                                       .time = "2026-01-01T00:00:00Z",
                                       .host = "host",
                                       .kernel = "kernel",
                                       .settings = {}};
  const std::string delta = write_toml(report);
  chain.extend(delta);
  const auto plan = chain.compile(messages);
  if (!plan) return tally.add(seed, "does not compile", messages + chain.all()), false;
  if (const auto drift = now.changes(*plan); !drift.empty()) {
    tally.add(
        seed, "is not what was there",
        write_text({*plan, now.live, now.parent, now.sources(*plan), drift, {}}) + chain.all());
    return false;
  }
  const Applied again = apply_plan(linux_kernel(), *plan);
  if (!again.built) return tally.add(seed, "does not apply", again.messages + chain.all()), false;
  const std::string whole = captured("base", ns);
  if (const std::string restored = captured("base", again.built->ns());
      numbered(restored) != numbered(whole))
    tally.add(seed, "restores something else", whole + "\n--- restored\n" + restored + chain.all());
  tally.members += occurrences(whole, "\npropagation = \"s");
  const std::string flat = write_flat(*plan);
  if (!is_same(flat, whole))
    tally.add(seed, "flattened is not the capture", whole + "\n--- flat\n" + flat + chain.all());
  if (!report.changes.empty()) ++tally.deltas;
  for (const std::string& less : shortened(delta)) {
    ++tally.entries;
    const auto poorer = chain.compile(messages, less);
    if (poorer && now.changes(*poorer).empty() && write_flat(*poorer) == flat)
      tally.add(seed, "says too much", delta + "\n--- enough\n" + less + chain.all());
  }
  return true;
}

void run_chain(unsigned seed, MutatorChoices choices, const std::string& spec, int increments,
               Tally& tally) {
  const Built container = applied(spec);
  Chain chain(captured("base", container.ns()));
  Mutator mutator(seed, choices);
  inside(container.ns(), [&] { Mutator::populate(""); });
  for (int number = 0; number < increments; ++number) {
    inside(container.ns(), [&] {
      for (unsigned step = 0; step < 5 + (seed % 16); ++step) mutator.step();
    });
    if (!increment(seed, chain, container.ns(), tally)) return;
  }
}

Tally run_chains(std::size_t seeds, MutatorChoices choices) {
  if (!reads_by_statmount()) leave_out("mounts over the container's root");
  const std::string data = fresh_dir();
  for (const char* below : {"/a/b", "/b"}) make_dir(data + below);
  const std::string spec = base_spec(data);
  Tally tally;
  for (unsigned seed = 0; seed < seeds; ++seed) run_chain(seed, choices, spec, 10, tally);
  std::string summary = fmt::format(
      "{} chains of 10: {} deltas that say something, {} entries; "
      "{} shared or slaves\n",
      seeds, tally.deltas, tally.entries, tally.members);
  for (const auto& [problem, count] : tally.problems)
    summary += fmt::format("{} {}\n", count, problem);
  fmt::print("{}", summary);
  INFO(tally.shown);
  CHECK(tally.problems.empty());
  CHECK(tally.deltas > seeds * 4);
  return tally;
}

}  // namespace

TEST_CASE("chains of increments restore exactly, say nothing in vain, and flatten", "[chain]") {
  run_chains(count_from_environment("MNTCR_CHAIN_SEEDS", 20), {});
}

TEST_CASE("chains of increments of what is shared", "[chain]") {
  const std::size_t seeds = count_from_environment("MNTCR_CHAIN_SHARING_SEEDS", 10);
  const Tally tally = run_chains(seeds, {.sharing = true});
  CHECK(tally.members > seeds * 4);
}

}  // namespace mntcr
