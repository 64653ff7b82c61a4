// A plan that no compiler writes cannot mount on what the parent shares, nor leave a namespace half
// made.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "compiler/planner/planner.h"
#include "runtime/plan/verify.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

/// Groups: 0 the parent's, 1 of its slaves, 2 on a tmpfs. Mounts: 0 to 5 main, 6 and 7 second.
Layout sound_layout() {
  Layout layout{.name = "web", .superblocks = {made("tmpfs"), parent_path("/srv")}, .mounts = {}};
  const std::uint32_t parents = add_crossing(layout, "/srv");
  const std::uint32_t slaves = add_group(layout, "slaves", parents);
  const std::uint32_t own = add_group(layout, "own");
  join(layout, add_mount(layout, no_index, 0, ""), own);
  join(layout, add_mount(layout, 0, 1, "peer"), parents);
  join(layout, add_mount(layout, 0, 1, "slave"), slaves);
  LayoutMount& pure = add_mount(layout, 0, 0, "pure", "pure");
  pure.master = own;
  pure.unbindable = true;
  add_mount(layout, 3, 0, "below", "below");
  add_mount(layout, 0, 0, "plain", "plain").unbindable = true;
  add_namespace(layout, "second");
  join(layout, add_mount(layout, no_index, 0, ""), own);
  add_mount(layout, 6, 0, "a", "a");
  return layout;
}

Plan sound_plan() { return plan_layout(sound_layout(), SourceMap()); }

std::size_t at(const Plan& plan, OpKind kind, std::uint32_t mount = no_index) {
  const auto found = std::ranges::find_if(plan.ops, [&](const Op& op) {
    return op.kind == kind && (mount == no_index || op.mount == mount);
  });
  REQUIRE(found != plan.ops.end());
  return static_cast<std::size_t>(found - plan.ops.begin());
}

Op& first(Plan& plan, OpKind kind, std::uint32_t mount = no_index) {
  return plan.ops[at(plan, kind, mount)];
}

/// The register that the mount came to stand by.
Slot slot_of(const Plan& plan, std::uint32_t mount) {
  return plan.ops[at(plan, mount == 0 || mount == 6 ? OpKind::attach_root : OpKind::attach, mount)]
      .a;
}

void insert(Plan& plan, std::size_t before, Op op) {
  plan.ops.insert(plan.ops.begin() + static_cast<std::ptrdiff_t>(before), std::move(op));
}

/// Puts `op` right before the mount's register is closed: when it has its propagation.
void insert_when_shared(Plan& plan, std::uint32_t mount, Op op) {
  insert(plan, at(plan, OpKind::close, mount), std::move(op));
}

Op op_of(OpKind kind, Slot a, std::uint32_t b = no_slot, Slot dst = no_slot) {
  Op op;
  op.kind = kind;
  op.a = a;
  op.b = b;
  op.dst = dst;
  return op;
}

constexpr auto shared = static_cast<std::uint32_t>(Propagation::shared);
constexpr auto slave = static_cast<std::uint32_t>(Propagation::slave);
constexpr auto unbindable = static_cast<std::uint32_t>(Propagation::unbindable);

struct Spoiler {
  const char* fault;
  std::function<void(Plan&)> spoil;
};

void check_all(const std::vector<Spoiler>& spoilers) {
  for (const Spoiler& spoiler : spoilers) {
    Plan plan = sound_plan();
    spoiler.spoil(plan);
    const auto fault = plan_fault(plan);
    INFO("expected " << spoiler.fault << ", found " << fault.value_or("nothing"));
    REQUIRE(fault.has_value());
    CHECK(fault->find(spoiler.fault) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("sharing: what the planner writes is sound") {
  const auto fault = plan_fault(sound_plan());
  INFO(fault.value_or(""));
  CHECK_FALSE(fault.has_value());
}

TEST_CASE("sharing: groups and namespaces that no kernel could have") {
  check_all({
      {"first namespace is not main", [](Plan& plan) { plan.namespaces[0].name = "first"; }},
      {"first namespace is not main", [](Plan& plan) { plan.namespaces.clear(); }},
      {"name that is none", [](Plan& plan) { plan.namespaces[1].name = "../x"; }},
      {"another's name", [](Plan& plan) { plan.namespaces[1].name = "main"; }},
      {"copy of none before it", [](Plan& plan) { plan.namespaces[1].clone = 1; }},
      {"namespaces without mounts",
       [](Plan& plan) { plan.namespaces.push_back({"third", no_index, {}}); }},
      {"in no namespace", [](Plan& plan) { plan.mounts[7].ns = 2; }},
      {"apart from its namespace", [](Plan& plan) { plan.mounts[7].ns = 0; }},
      {"apart from its namespace", [](Plan& plan) { plan.mounts[0].ns = 1; }},
      {"does not follow its parent", [](Plan& plan) { plan.mounts[6].parent = 0; }},
      {"does not follow its parent", [](Plan& plan) { plan.mounts[7].parent = no_index; }},
      {"lies on another namespace", [](Plan& plan) { plan.mounts[7].parent = 5; }},
      {"is no root", [](Plan& plan) { plan.mounts[6].target = "/x"; }},
      {"does not follow its master", [](Plan& plan) { plan.groups[1].master = 1; }},
      {"does not follow its master", [](Plan& plan) { plan.groups[1].master = 9; }},
      {"path that is not normal", [](Plan& plan) { plan.groups[0].parent = "srv"; }},
      {"parent's and has a master", [](Plan& plan) { plan.groups[1].parent = "/srv"; }},
      {"mountpoint in the parent without a path", [](Plan& plan) { plan.groups[2].exact = true; }},
      {"member of no group", [](Plan& plan) { plan.mounts[1].group = 9; }},
      {"slave of no group", [](Plan& plan) { plan.mounts[3].master = 9; }},
      {"another master", [](Plan& plan) { plan.mounts[2].master = no_index; }},
      {"another master", [](Plan& plan) { plan.mounts[1].master = 2; }},
      {"unbindable and a member", [](Plan& plan) { plan.mounts[1].unbindable = true; }},
      {"another superblock than its group", [](Plan& plan) { plan.mounts[3].superblock = 1; }},
      {"with the parent", [](Plan& plan) { plan.mounts[1].superblock = 0; }},
      {"with the parent", [](Plan& plan) { plan.mounts[2].superblock = 0; }},
  });
}

TEST_CASE("sharing: the parent's own mount is only taken a group from") {
  const auto opened = [](const Plan& plan) { return plan.ops[at(plan, OpKind::open_group)].dst; };
  check_all({
      {"opens no group", [](Plan& plan) { first(plan, OpKind::open_group).b = 1; }},
      {"opens no group", [](Plan& plan) { first(plan, OpKind::open_group).b = 9; }},
      {"wrong phase",
       [](Plan& plan) {
         const Op op = first(plan, OpKind::open_group);
         plan.ops.erase(plan.ops.begin() +
                        static_cast<std::ptrdiff_t>(at(plan, OpKind::open_group)));
         insert(plan, at(plan, OpKind::attach_root), op);
       }},
      {"uses no open register", [&](Plan& plan) { first(plan, OpKind::attach).b = opened(plan); }},
      {"uses no open register", [&](Plan& plan) { first(plan, OpKind::attach).a = opened(plan); }},
      {"uses no open register", [&](Plan& plan) { first(plan, OpKind::clone).a = opened(plan); }},
      {"uses no open register", [&](Plan& plan) { first(plan, OpKind::anchor).a = opened(plan); }},
      {"uses no open register",
       [&](Plan& plan) { first(plan, OpKind::set_propagation).a = opened(plan); }},
      {"uses no open register",
       [&](Plan& plan) { first(plan, OpKind::set_group).b = opened(plan); }},
      {"uses no open register",
       [&](Plan& plan) { first(plan, OpKind::make_directory).a = opened(plan); }},
      {"another mount the root", [&](Plan& plan) { first(plan, OpKind::pivot).a = opened(plan); }},
  });
}

TEST_CASE("sharing: nothing is done to what is shared") {
  check_all({
      {"mounts on what is shared",
       [](Plan& plan) {
         const Op clone = first(plan, OpKind::clone, 4);
         Op again = clone;
         again.dst = plan.slots++;
         insert_when_shared(plan, 1, again);
         insert_when_shared(plan, 1, op_of(OpKind::attach, again.dst, slot_of(plan, 1)));
       }},
      {"moves or changes what stands",
       [](Plan& plan) {
         insert_when_shared(plan, 1, op_of(OpKind::attach, slot_of(plan, 1), slot_of(plan, 0)));
       }},
      {"moves or changes what stands",
       [](Plan& plan) {
         insert_when_shared(plan, 1, op_of(OpKind::set_attributes, slot_of(plan, 1)));
       }},
      {"moves or changes what is shared",
       [](Plan& plan) {
         const auto made_slave = std::ranges::find_if(plan.ops, [](const Op& op) {
           return op.kind == OpKind::set_propagation && op.b == slave;
         });
         const Op mount = op_of(OpKind::attach, made_slave->a, slot_of(plan, 0));
         plan.ops.insert(made_slave + 1, mount);
       }},
      {"copies what is no anchor",
       [](Plan& plan) {
         insert_when_shared(plan, 1, op_of(OpKind::clone, slot_of(plan, 1), no_slot, plan.slots++));
       }},
      {"shares what is shared",
       [](Plan& plan) {
         insert_when_shared(plan, 1, op_of(OpKind::set_propagation, slot_of(plan, 1), shared));
       }},
      {"shares what is shared",
       [](Plan& plan) {
         const Op join = first(plan, OpKind::set_group, 1);
         insert(plan, at(plan, OpKind::set_group, 1), join);
       }},
      {"makes no helper a slave",
       [](Plan& plan) {
         insert_when_shared(plan, 1, op_of(OpKind::set_propagation, slot_of(plan, 1), slave));
       }},
      {"makes what is shared unbindable",
       [](Plan& plan) {
         insert_when_shared(plan, 1, op_of(OpKind::set_propagation, slot_of(plan, 1), unbindable));
       }},
      {"sets no propagation", [](Plan& plan) { first(plan, OpKind::set_propagation).b = 3; }},
      {"takes a group where none is",
       [](Plan& plan) {
         insert_when_shared(plan, 5, op_of(OpKind::set_group, slot_of(plan, 0), slot_of(plan, 5)));
       }},
      {"shares an anchor",
       [](Plan& plan) { first(plan, OpKind::set_group).b = first(plan, OpKind::anchor).a; }},
      {"shares an anchor",
       [](Plan& plan) { first(plan, OpKind::set_propagation).a = first(plan, OpKind::anchor).a; }},
      {"shares the root before the end",
       [](Plan& plan) {
         insert(plan, at(plan, OpKind::pivot),
                op_of(OpKind::set_propagation, slot_of(plan, 0), shared));
       }},
  });
}

TEST_CASE("sharing: namespaces are made before the trees and built one after another") {
  check_all({
      {"no namespace that comes next",
       [](Plan& plan) { first(plan, OpKind::new_namespace).b = 2; }},
      {"no namespace that comes next",
       [](Plan& plan) {
         insert(plan, at(plan, OpKind::new_namespace), first(plan, OpKind::new_namespace));
       }},
      {"before there are all namespaces",
       [](Plan& plan) {
         std::erase_if(plan.ops, [](const Op& op) {
           return op.kind == OpKind::new_namespace || op.kind == OpKind::enter_namespace;
         });
       }},
      {"in none of the namespaces",
       [](Plan& plan) {
         plan.ops.erase(plan.ops.begin() +
                        static_cast<std::ptrdiff_t>(at(plan, OpKind::enter_namespace)));
       }},
      {"another namespace than comes next",
       [](Plan& plan) { first(plan, OpKind::enter_namespace).b = 1; }},
      {"half made",
       [](Plan& plan) {
         Op op = first(plan, OpKind::enter_namespace);
         op.b = 1;
         insert(plan, at(plan, OpKind::attach), op);
       }},
      {"do not come to an end",
       [](Plan& plan) {
         const auto second = std::find_if(plan.ops.rbegin(), plan.ops.rend(), [](const Op& op) {
           return op.kind == OpKind::enter_namespace;
         });
         plan.ops.erase(second.base() - 1, plan.ops.end());
         plan.slots = 20;
       }},
      {"anchor of another namespace",
       [](Plan& plan) { first(plan, OpKind::clone, 7).a = first(plan, OpKind::anchor).a; }},
      {"anchor of another namespace",
       [](Plan& plan) {
         Op again = first(plan, OpKind::reopen);
         again.a = again.dst;
         again.dst = plan.slots++;
         insert(plan, at(plan, OpKind::reopen) + 1, again);
       }},
      {"anchor of another namespace",
       [](Plan& plan) {
         Op again = first(plan, OpKind::reopen);
         again.dst = plan.slots++;
         insert(plan, at(plan, OpKind::attach_root), again);
       }},
      {"does not stand in this namespace",
       [](Plan& plan) { first(plan, OpKind::attach, 7).b = slot_of(plan, 0); }},
      {"shares a mount of another namespace",
       [](Plan& plan) {
         const std::size_t close = at(plan, OpKind::close, 5);
         const Slot plain = plan.ops[close].a;
         plan.ops.erase(plan.ops.begin() + static_cast<std::ptrdiff_t>(close));
         std::erase_if(plan.ops, [&](const Op& op) {
           return op.kind == OpKind::set_propagation && op.a == plain;
         });
         plan.ops.push_back(op_of(OpKind::set_propagation, plain, shared));
       }},
      {"makes another mount the root",
       [](Plan& plan) {
         Op op = first(plan, OpKind::pivot);
         op.a = first(plan, OpKind::anchor).a;
         plan.ops[at(plan, OpKind::pivot)] = op;
       }},
      {"comes after the last", [](Plan& plan) { plan.ops.push_back(first(plan, OpKind::pivot)); }},
  });
}

TEST_CASE("sharing: what covers a root is shared no sooner than the root") {
  Layout layout{.name = "web", .superblocks = {made("tmpfs")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  join(layout, add_mount(layout, 0, 0, "", "over"), add_group(layout, "g"));
  Plan plan = plan_layout(layout, SourceMap());
  CHECK_FALSE(plan_fault(plan).has_value());
  const Op early = first(plan, OpKind::set_propagation, 1);
  std::erase_if(plan.ops, [](const Op& op) { return op.kind == OpKind::set_propagation; });
  insert(plan, at(plan, OpKind::pivot), early);
  CHECK(plan_fault(plan).value_or("").find("before the end") != std::string::npos);
}
