// A plan that no compiler writes cannot make an overlay of what it did not plan.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "compiler/planner/planner.h"
#include "runtime/plan/verify.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

/// Superblocks: 0 the parent's, 1 a tmpfs, 2 an overlay over both, 3 a read-only one over that.
Plan sound_plan() {
  Layout layout{
      .name = "web",
      .superblocks = {parent_path("/srv/web"), made("tmpfs"), made("overlay"), made("overlay")},
      .mounts = {}};
  layout.superblocks[2].layers = {{LayerRole::lower, 0, "low", "/low", {}},
                                  {LayerRole::lower, 1, "low", "/tmp/low", {}},
                                  {LayerRole::upper, 1, "up", "/tmp/up", {}},
                                  {LayerRole::work, 1, "work", "/tmp/work", {}}};
  layout.superblocks[3].layers = {{LayerRole::lower, 2, "", "/over", {}}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 2, "over");
  add_mount(layout, 1, 1, "made");
  add_mount(layout, 0, 3, "again");
  return plan_layout(layout, SourceMap());
}

Op& first(Plan& plan, OpKind kind) {
  const auto found = std::ranges::find(plan.ops, kind, &Op::kind);
  REQUIRE(found != plan.ops.end());
  return *found;
}

struct Spoiler {
  const char* fault;
  std::function<void(Plan&)> spoil;
};

}  // namespace

TEST_CASE("overlays: what the planner writes is sound") {
  const auto fault = plan_fault(sound_plan());
  INFO(fault.value_or(""));
  CHECK_FALSE(fault.has_value());
}

TEST_CASE("overlays: layers are opened also when no mount shows their filesystem") {
  const Plan plan = sound_plan();
  CHECK(std::ranges::count(plan.ops, OpKind::add_layer, &Op::kind) == 5);
  CHECK(std::ranges::count(plan.ops, OpKind::make_layer, &Op::kind) == 3);
}

TEST_CASE("overlays: whose filesystem is written to follows the upper layers") {
  const Plan plan = sound_plan();
  CHECK(writes_reach_parent(plan.superblocks, 0));
  CHECK_FALSE(writes_reach_parent(plan.superblocks, 1));
  CHECK_FALSE(writes_reach_parent(plan.superblocks, 2));
  CHECK(writes_reach_parent(plan.superblocks, 3));
}

TEST_CASE("overlays: each way to spoil a plan is noticed") {
  const auto layer = [](Plan& plan, std::size_t index) -> DesiredLayer& {
    return plan.superblocks.at(2).layers.at(index);
  };
  const std::vector<Spoiler> spoilers = {
      {"no overlay or has no layers", [](Plan& plan) { plan.superblocks[3].layers.clear(); }},
      {"no overlay or has no layers",
       [](Plan& plan) { plan.superblocks[1].layers = plan.superblocks[3].layers; }},
      {"does not come before it", [&](Plan& plan) { layer(plan, 0).superblock = 2; }},
      {"does not come before it", [&](Plan& plan) { layer(plan, 0).superblock = 99; }},
      {"root is not normal", [&](Plan& plan) { layer(plan, 0).root = "../etc"; }},
      {"path is not normal", [&](Plan& plan) { layer(plan, 0).shown = "/../etc"; }},
      {"in no order", [&](Plan& plan) { std::swap(layer(plan, 1), layer(plan, 2)); }},
      {"in no order", [&](Plan& plan) { layer(plan, 3).role = LayerRole::data; }},
      {"two upper or work", [&](Plan& plan) { layer(plan, 1).role = LayerRole::upper; }},
      {"without a work layer", [](Plan& plan) { plan.superblocks[2].layers.pop_back(); }},
      {"upper and work layers apart", [&](Plan& plan) { layer(plan, 3).superblock = 0; }},
      {"hold each other", [&](Plan& plan) { layer(plan, 3).root = "up/work"; }},
      {"no lower layer",
       [](Plan& plan) {
         auto& layers = plan.superblocks[2].layers;
         layers.erase(layers.begin(), layers.begin() + 2);
       }},
      {"without layers",
       [](Plan& plan) {
         Op& op = first(plan, OpKind::new_filesystem);
         op.b = 2;
       }},
      {"opens no overlay", [](Plan& plan) { first(plan, OpKind::open_overlay).b = 1; }},
      {"opens no overlay", [](Plan& plan) { first(plan, OpKind::open_overlay).b = 99; }},
      {"is for no overlay",
       [](Plan& plan) { first(plan, OpKind::add_layer).b = first(plan, OpKind::add_layer).a; }},
      {"is for no overlay", [](Plan& plan) { first(plan, OpKind::new_overlay).a = no_slot; }},
      {"another overlay than it says", [](Plan& plan) { first(plan, OpKind::new_overlay).b = 0; }},
      {"another layer", [](Plan& plan) { first(plan, OpKind::add_layer).text = "etc"; }},
      {"another layer",
       [](Plan& plan) {
         first(plan, OpKind::add_layer).a = first(plan, OpKind::new_filesystem).dst;
       }},
      {"uses no open register",
       [](Plan& plan) { first(plan, OpKind::add_layer).a = first(plan, OpKind::add_layer).b; }},
      {"lacks layers",
       [](Plan& plan) {
         plan.ops.erase(std::ranges::find(plan.ops, OpKind::new_overlay, &Op::kind) - 1);
       }},
      {"a layer too many",
       [](Plan& plan) {
         const auto at = std::ranges::find(plan.ops, OpKind::new_overlay, &Op::kind);
         plan.ops.insert(at, *(at - 1));
       }},
      {"uses no open register",
       [](Plan& plan) {
         first(plan, OpKind::attach_root).a = first(plan, OpKind::open_overlay).dst;
       }},
      {"directory on a filesystem of the parent",
       [](Plan& plan) {
         first(plan, OpKind::make_layer).a = first(plan, OpKind::open_source).dst;
       }},
  };
  for (const Spoiler& spoiler : spoilers) {
    Plan plan = sound_plan();
    spoiler.spoil(plan);
    const auto fault = plan_fault(plan);
    INFO("expected " << spoiler.fault << ", found " << fault.value_or("nothing"));
    REQUIRE(fault.has_value());
    CHECK(fault->find(spoiler.fault) != std::string::npos);
  }
}
