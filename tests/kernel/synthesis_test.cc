// Whatever forest of peer groups can be drawn is built: applied to the running kernel and read from
// outside when all helpers are gone, it is what was drawn.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "compiler/planner/planner.h"
#include "runtime/base/source_map.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/picture.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/forests.h"

namespace mntcr {

using namespace sandbox;

TEST_CASE("drawn forests of peer groups stand on the kernel as they were drawn", "[sharing]") {
  if (!reads_by_statmount()) return leave_out("mounts over the container's root");
  const std::size_t forests = count_from_environment("MNTCR_KERNEL_FORESTS", 100);
  SourceMap sources;
  sources.add("forest.toml", std::string(64, ' '));
  test::ForestTally tally;
  for (unsigned seed = 0; seed < forests; ++seed) {
    const Layout layout = test::draw_forest(seed);
    const Plan plan = plan_layout(layout, sources);
    tally.add(layout, plan);
    const Applied applied = apply_plan(linux_kernel(), plan);
    INFO("seed " << seed << "\n" << applied.messages);
    REQUIRE(applied.built);
    CHECK(picture_of(read_built(layout.namespaces, *applied.built)) == picture_of(layout));
  }
  fmt::print("{}", tally.text());
  CHECK(tally.without_leader > forests / 4);
}

}  // namespace mntcr
