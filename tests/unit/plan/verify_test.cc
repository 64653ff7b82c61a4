// A plan that no compiler writes is refused before anything is done with it.
#include "runtime/plan/verify.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "compiler/planner/planner.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

Plan sound_plan() {
  Layout layout{.name = "web",
                .superblocks = {parent_path("/srv/web"), read_only(made("tmpfs", {"size=64m"})),
                                made("sysfs")},
                .mounts = {},
                .idmaps = {{{{0, 100000, 65536}}, {{0, 100000, 1}, {1, 200000, 9}}}}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "tmp").create = Create::dir;
  add_mount(layout, 0, 1, "var/tmp", "sub").attrs = {mount_attr::rdonly, mount_attr::rdonly};
  layout.mounts.back().idmap = 0;
  DesiredNode folder{.superblock = 1,
                     .kind = NodeKind::directory,
                     .mode = 0755,
                     .path = "run",
                     .target = {},
                     .span = {}};
  DesiredNode link = folder;
  link.kind = NodeKind::symlink;
  link.path = "run/link";
  link.target = "/proc/self/fd";
  DesiredNode hidden = folder;
  hidden.deleted = true;
  hidden.path = deleted_folder;
  DesiredNode unnamed = hidden;
  unnamed.path = deleted_place("old");
  layout.nodes = {hidden, unnamed, folder, link};
  add_mount(layout, 0, 1, "old", unnamed.path).deleted = true;
  add_mount(layout, 0, 1, "link", link.path);
  add_mount(layout, 0, 2, "sys");
  return plan_layout(layout, SourceMap());
}

Op& first(Plan& plan, OpKind kind) {
  const auto found = std::ranges::find(plan.ops, kind, &Op::kind);
  REQUIRE(found != plan.ops.end());
  return *found;
}

/// A way to spoil a plan, and words of the refusal.
struct Spoiler {
  const char* fault;
  std::function<void(Plan&)> spoil;
};

}  // namespace

TEST_CASE("what the planner writes is sound") { CHECK_FALSE(plan_fault(sound_plan()).has_value()); }

TEST_CASE("each way to spoil a plan is noticed") {
  const std::vector<Spoiler> spoilers = {
      {"name is none", [](Plan& plan) { plan.name = "../x"; }},
      {"name is none", [](Plan& plan) { plan.name.clear(); }},
      {"path that is not normal", [](Plan& plan) { plan.superblocks[0].path = "/srv/../etc"; }},
      {"path that is not normal", [](Plan& plan) { plan.superblocks[0].path = "srv"; }},
      {"unknown type", [](Plan& plan) { plan.superblocks[1].type = "ext4"; }},
      {"unknown parameter", [](Plan& plan) { plan.superblocks[1].params = {"source=/dev/sda"}; }},
      {"parameter without meaning", [](Plan& plan) { plan.superblocks[1].params = {"size=many"}; }},
      {"NUL", [](Plan& plan) { plan.superblocks[1].fsname = std::string("a\0b", 3); }},
      {"no mounts", [](Plan& plan) { plan.mounts.clear(); }},
      {"is no root", [](Plan& plan) { plan.mounts[0].target = "/x"; }},
      {"does not follow its parent", [](Plan& plan) { plan.mounts[1].parent = 1; }},
      {"does not follow its parent", [](Plan& plan) { plan.mounts[1].parent = no_index; }},
      {"shows no superblock", [](Plan& plan) { plan.mounts[1].superblock = 7; }},
      {"mountpoint that is not normal", [](Plan& plan) { plan.mounts[1].mountpoint = "../tmp"; }},
      {"root that is not normal", [](Plan& plan) { plan.mounts[1].root = "/"; }},
      {"target that is not normal", [](Plan& plan) { plan.mounts[1].target = "tmp"; }},
      {"name that is none", [](Plan& plan) { plan.mounts[1].name = "no name"; }},
      {"shows a path that is not normal", [](Plan& plan) { plan.mounts[1].self = "tmp"; }},
      {"takes its filesystem from no mount", [](Plan& plan) { plan.mounts[1].of = 99; }},
      {"stands where another does",
       [](Plan& plan) { plan.mounts[2].mountpoint = plan.mounts[1].mountpoint; }},
      {"flags without meaning", [](Plan& plan) { plan.mounts[1].attrs = {0, 1ULL << 40U}; }},
      {"flags without meaning",
       [](Plan& plan) { first(plan, OpKind::set_attributes).attrs.value = mount_attr::nosuid; }},
      {"wrong order", [](Plan& plan) { plan.ops.erase(plan.ops.begin() + 1); }},
      {"wrong order", [](Plan& plan) { std::swap(plan.ops[0], plan.ops[1]); }},
      {"between the parent's leaving",
       [](Plan& plan) { plan.ops.erase(plan.ops.begin(), plan.ops.begin() + 3); }},
      {"wrong phase",
       [](Plan& plan) {
         std::swap(first(plan, OpKind::anchor), first(plan, OpKind::attach_root));
       }},
      {"fills no empty register",
       [](Plan& plan) { first(plan, OpKind::clone).dst = first(plan, OpKind::clone).a; }},
      {"fills no empty register", [](Plan& plan) { first(plan, OpKind::open_source).dst = 9999; }},
      {"uses no open register", [](Plan& plan) { first(plan, OpKind::attach).a = no_slot; }},
      {"uses no open register",
       [](Plan& plan) { first(plan, OpKind::clone).a = first(plan, OpKind::clone).dst; }},
      {"path that is not normal",
       [](Plan& plan) { first(plan, OpKind::attach).text = "../../etc"; }},
      {"path that is not normal", [](Plan& plan) { first(plan, OpKind::attach).text = "/etc"; }},
      {"opens no source", [](Plan& plan) { first(plan, OpKind::open_source).b = 1; }},
      {"makes no filesystem", [](Plan& plan) { first(plan, OpKind::new_filesystem).b = 0; }},
      {"opens no superblock", [](Plan& plan) { first(plan, OpKind::open_source).b = 99; }},
      {"is for no mount", [](Plan& plan) { first(plan, OpKind::attach).mount = 99; }},
      {"second root",
       [](Plan& plan) { plan.ops.insert(plan.ops.end() - 3, first(plan, OpKind::attach_root)); }},
      {"does not stand in this namespace",
       [](Plan& plan) {
         std::erase_if(plan.ops, [](const Op& op) { return op.kind == OpKind::attach_root; });
       }},
      {"do not come to an end", [](Plan& plan) { plan.ops.pop_back(); }},
      {"after the last", [](Plan& plan) { plan.ops.push_back(plan.ops.back()); }},
      {"whose filesystem", [](Plan& plan) { first(plan, OpKind::make_mountpoint).host = false; }},
      {"unasked",
       [](Plan& plan) { first(plan, OpKind::make_mountpoint).create = Create::automatic; }},
      {"must not be made",
       [](Plan& plan) { first(plan, OpKind::make_mountpoint).create = Create::never; }},
      {"directory on a filesystem of the parent",
       [](Plan& plan) {
         first(plan, OpKind::make_directory).a = first(plan, OpKind::open_source).dst;
       }},
      {"sets no idmap", [](Plan& plan) { first(plan, OpKind::set_attributes).b = 1; }},
      {"no idmap of the plan", [](Plan& plan) { plan.mounts[1].idmap = 1; }},
      {"idmap 0", [](Plan& plan) { plan.idmaps[0].uid.clear(); }},
      {"idmap 0", [](Plan& plan) { plan.idmaps[0].gid[0].count = 0; }},
      {"idmap 0", [](Plan& plan) { plan.idmaps[0].gid[1].inside = 0; }},
      {"idmap 0", [](Plan& plan) { plan.idmaps[0].gid[1].outside = 100000; }},
      {"idmap 0", [](Plan& plan) { plan.idmaps[0].uid[0].count = UINT32_MAX; }},
      {"idmap 0", [](Plan& plan) { plan.idmaps[0].uid.assign(400, {0, 0, 1}); }},
      {"changes a filesystem of the parent",
       [](Plan& plan) {
         first(plan, OpKind::make_read_only).a = first(plan, OpKind::open_source).dst;
       }},
      {"changes a filesystem of the parent",
       [](Plan& plan) {
         Op& op = first(plan, OpKind::make_read_only);
         const auto made = std::ranges::find_if(plan.ops, [](const Op& other) {
           return other.kind == OpKind::new_filesystem && other.b == 2;
         });
         op.a = made->dst;
         std::erase_if(plan.ops, [slot = made->dst](const Op& other) {
           return other.kind == OpKind::close && other.a == slot;
         });
       }},
      {"changes no superblock", [](Plan& plan) { first(plan, OpKind::make_read_only).b = 7; }},
      {"uses no open register",
       [](Plan& plan) { first(plan, OpKind::make_read_only).a = no_slot; }},
      {"flags without meaning", [](Plan& plan) { plan.superblocks[1].flags.mask = 2; }},
      {"flags without meaning", [](Plan& plan) { plan.superblocks[1].flags = {16, 1}; }},
      {"flags that would be the host's",
       [](Plan& plan) { plan.superblocks[2].flags = {fs_flag::sync, fs_flag::sync}; }},
      {"unknown parameter", [](Plan& plan) { plan.superblocks[2].params = {"mode=0755"}; }},
      {"of the parent", [](Plan& plan) { plan.nodes[2].superblock = 0; }},
      {"no superblock", [](Plan& plan) { plan.nodes[2].superblock = 9; }},
      {"does not hold", [](Plan& plan) { plan.superblocks[1] = made("proc"); }},
      {"path that is not normal", [](Plan& plan) { plan.nodes[2].path = "../etc"; }},
      {"path that is not normal", [](Plan& plan) { plan.nodes[2].path.clear(); }},
      {"whether it has a name", [](Plan& plan) { plan.nodes[2].deleted = true; }},
      {"whether it has a name", [](Plan& plan) { plan.nodes[1].path = "old"; }},
      {"said of no mount", [](Plan& plan) { plan.nodes[2].of = 99; }},
      {"mode without meaning", [](Plan& plan) { plan.nodes[2].mode = 0100755; }},
      {"leads nowhere", [](Plan& plan) { plan.nodes[3].target.clear(); }},
      {"leads nowhere", [](Plan& plan) { plan.nodes[3].target = std::string("a\0b", 3); }},
      {"leads nowhere", [](Plan& plan) { plan.nodes[2].target = "/etc"; }},
      {"no inode without a name", [](Plan& plan) { plan.mounts[3].root = "run"; }},
      {"no inode without a name", [](Plan& plan) { plan.mounts[3].superblock = 0; }},
      {"is a root without a name", [](Plan& plan) { plan.mounts[0].deleted = true; }},
      {"lies on what has no name", [](Plan& plan) { plan.mounts[4].parent = 3; }},
      {"no node", [](Plan& plan) { first(plan, OpKind::make_node).b = 99; }},
      {"no node", [](Plan& plan) { first(plan, OpKind::clone).b = 99; }},
      {"uses no open register", [](Plan& plan) { first(plan, OpKind::make_node).a = 77; }},
      {"node of another filesystem",
       [](Plan& plan) { first(plan, OpKind::make_node).a = first(plan, OpKind::open_source).dst; }},
      {"node of another filesystem",
       [](Plan& plan) { first(plan, OpKind::remove_node).a = first(plan, OpKind::attach_root).a; }},
      {"removes what has a name", [](Plan& plan) { first(plan, OpKind::remove_node).b = 2; }},
      {"more registers", [](Plan& plan) { plan.slots = 100000; }},
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
