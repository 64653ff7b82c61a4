// Plans are proven on the model: random trees, and forests of peer groups that no sequence of
// operations led to.
#include "compiler/proof/proof.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>

#include "compiler/planner/planner.h"
#include "tests/unit/planner/layouts.h"

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

TEST_CASE("what is left out of a plan or done twice is noticed", "[proof]") {
  const SourceMap sources = some_source();
  std::size_t steps = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    Plan plan = plan_layout(provable(test::random_layout(random, 8)), sources);
    const std::vector<Op> ops = plan.ops;
    for (std::size_t left_out = 0; left_out < ops.size(); ++left_out) {
      const bool matters = ops[left_out].kind == OpKind::attach ||
                           ops[left_out].kind == OpKind::set_attributes ||
                           ops[left_out].kind == OpKind::make_private;
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
