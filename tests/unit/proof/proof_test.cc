// Plans are proven on the model: random trees, and forests of peer groups that no sequence of
// operations led to.
#include "compiler/proof/proof.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>

#include "compiler/planner/planner.h"
#include "tests/unit/planner/forests.h"

namespace mntcr {
namespace {

/// `text` as the one source of what the layouts' spans lie in.
SourceMap some_source() {
  SourceMap sources;
  sources.add("test.toml", std::string(64, ' '));
  return sources;
}

/// Without what only a machine can refuse: a file where a directory is, idmaps of other people's
/// filesystems.
Layout provable(Layout layout) {
  for (LayoutMount& mount : layout.mounts) {
    mount.create = Create::dir;
    mount.idmap = no_index;
  }
  return layout;
}

}  // namespace

TEST_CASE("random trees are proven", "[proof]") {
  const SourceMap sources = some_source();
  std::size_t mounts = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    const Layout layout = provable(test::random_layout(random, 1 + (seed % 30)));
    mounts += layout.mounts.size();
    INFO(seed);
    CHECK(find_flaw(plan_layout(layout, sources)).value_or("") == "");
  }
  fmt::print("{} mounts\n", mounts);
}

TEST_CASE("drawn forests of peer groups are proven", "[proof]") {
  const SourceMap sources = some_source();
  const char* asked = std::getenv("MNTCR_FORESTS");
  const unsigned forests = asked == nullptr ? 1000U : static_cast<unsigned>(std::stoul(asked));
  test::ForestTally tally;
  for (unsigned seed = 0; seed < forests; ++seed) {
    const Layout layout = test::draw_forest(seed);
    const Plan plan = plan_layout(layout, sources);
    tally.add(layout, plan);
    INFO(seed);
    CHECK(find_flaw(plan).value_or("") == "");
  }
  fmt::print("{}", tally.text());
  CHECK(tally.without_leader > forests / 4);
  CHECK(tally.branches.unbindable_slaves > forests / 20);
}

TEST_CASE("what is left out of a plan or done twice is noticed", "[proof]") {
  const SourceMap sources = some_source();
  std::size_t steps = 0;
  for (unsigned seed = 0; seed < 80; ++seed) {
    std::mt19937 random(seed);
    Plan plan = plan_layout(
        seed % 2 == 0 ? provable(test::random_layout(random, 8)) : test::draw_forest(seed),
        sources);
    const std::vector<Op> ops = plan.ops;
    for (std::size_t left_out = 0; left_out < ops.size(); ++left_out) {
      const bool matters =
          ops[left_out].kind == OpKind::attach || ops[left_out].kind == OpKind::set_attributes ||
          ops[left_out].kind == OpKind::make_private || ops[left_out].kind == OpKind::set_group ||
          ops[left_out].kind == OpKind::set_propagation;
      if (!matters) continue;
      plan.ops = ops;
      plan.ops.erase(plan.ops.begin() + static_cast<std::ptrdiff_t>(left_out));
      INFO(seed << " without step " << left_out);
      CHECK(find_flaw(plan).has_value());
      ++steps;
    }
  }
  CHECK(steps > 100);
}

}  // namespace mntcr
