// Whatever operations can lead to is planned, proven on the model and built on the kernel.
// MNTCR_REACHED says how many are proven, MNTCR_KERNEL_REACHED how many are built.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "compiler/planner/planner.h"
#include "compiler/proof/proof.h"
#include "runtime/base/source_map.h"
#include "tests/kernel/fuzz/reachable_layout.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/picture.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/forests.h"

namespace mntcr::fuzz {
namespace {

SourceMap some_source() {
  SourceMap sources;
  sources.add("reached.toml", std::string(64, ' '));
  return sources;
}

TEST_CASE("what operations led to is proven", "[reached]") {
  const std::size_t states = sandbox::count_from_environment("MNTCR_REACHED", 500);
  const SourceMap sources = some_source();
  ReachableLayouts reachable;
  test::ForestTally tally;
  for (std::size_t count = 0; count < states; ++count) {
    const Layout layout = reachable.next();
    const Plan plan = plan_layout(layout, sources);
    tally.add(layout, plan);
    INFO("seed " << reachable.seed());
    CHECK(find_flaw(plan).value_or("") == "");
  }
  fmt::print("reached: {}{}", tally.text(), reachable.text());
  CHECK(tally.without_leader > 0);
  CHECK(tally.branches.inner_groups > states);
  CHECK(tally.branches.slave_helpers > states / 4);
}

TEST_CASE("what operations led to stands on the kernel as it was reached", "[reached]") {
  if (!sandbox::reads_by_statmount()) return sandbox::leave_out("states with covered roots");
  if (!sandbox::can_idmap()) return sandbox::leave_out("states with idmapped mounts");
  const std::size_t states = sandbox::count_from_environment("MNTCR_KERNEL_REACHED", 40);
  const SourceMap sources = some_source();
  ReachableLayouts reachable;
  test::ForestTally tally;
  for (std::size_t count = 0; count < states; ++count) {
    const Layout layout = reachable.next();
    const Plan plan = plan_layout(layout, sources);
    tally.add(layout, plan);
    const sandbox::Applied applied = sandbox::apply_plan(sandbox::linux_kernel(), plan);
    INFO("seed " << reachable.seed() << "\n" << applied.messages);
    REQUIRE(applied.built);
    CHECK(sandbox::picture_of(sandbox::read_built(layout.namespaces, *applied.built)) ==
          sandbox::picture_of(layout));
  }
  fmt::print("reached: {}{}", tally.text(), reachable.text());
}

}  // namespace
}  // namespace mntcr::fuzz
