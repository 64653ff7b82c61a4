// What the planner promises: a plan that verifies, and whose operations lead to the Layout. The
// second is checked by a small interpreter here that knows only what a register holds and what
// hangs where.
#include "compiler/planner/planner.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "runtime/base/path.h"
#include "runtime/plan/verify.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

std::vector<OpKind> kinds(const Plan& plan) {
  std::vector<OpKind> result;
  for (const Op& op : plan.ops) result.push_back(op.kind);
  return result;
}

std::size_t count(const Plan& plan, OpKind kind) {
  return static_cast<std::size_t>(std::ranges::count(plan.ops, kind, &Op::kind));
}

/// What a mount is while the operations are run on paper.
struct PaperMount {
  std::uint32_t superblock = no_index;
  std::string root;
  AttrDemand attrs;
  bool staged = false;
  bool attached = false;
  std::map<std::string, Slot> children;
};

/// Runs the operations on paper, insisting on what a kernel of 5.15 would: clones only of what is
/// attached, one mount at a place, no mountpoint made through a read-only mount.
class Paper {
 public:
  explicit Paper(const Plan& plan) : plan_(plan), slots_(plan.slots) {
    for (const Op& op : plan.ops) run(op);
  }

  /// Whether the tree under slot `slot` is the plan's desired one under mount `index`.
  bool shows(Slot slot, std::uint32_t index) const {
    const PaperMount& found = slots_[slot];
    const DesiredMount& wanted = plan_.mounts[index];
    if (found.superblock != wanted.superblock || found.root != wanted.root ||
        found.attrs != wanted.attrs)
      return false;
    std::size_t below = 0;
    for (std::uint32_t child = 1; child < plan_.mounts.size(); ++child) {
      if (plan_.mounts[child].parent != index) continue;
      ++below;
      const auto at = found.children.find(plan_.mounts[child].mountpoint);
      if (at == found.children.end() || !shows(at->second, child)) return false;
    }
    return below == found.children.size();
  }

  Slot root = no_slot;

 private:
  void run(const Op& op) {
    switch (op.kind) {
      case OpKind::open_source:
      case OpKind::new_filesystem:
      case OpKind::new_overlay:
        slots_[op.dst].superblock = op.b;
        break;
      case OpKind::add_layer:
        REQUIRE(slots_[op.a].staged);
        REQUIRE(slots_[op.a].children.empty());
        break;
      case OpKind::anchor:
        slots_[op.a].staged = true;
        break;
      case OpKind::clone:
        REQUIRE(slots_[op.a].staged);
        REQUIRE(slots_[op.a].children.empty());
        slots_[op.dst].superblock = slots_[op.a].superblock;
        slots_[op.dst].root = op.text;
        break;
      case OpKind::set_attributes:
        REQUIRE_FALSE(slots_[op.a].attached);
        slots_[op.a].attrs = op.attrs;
        break;
      case OpKind::make_mountpoint:
      case OpKind::make_directory:
        REQUIRE(slots_[op.a].attrs.value == 0);
        break;
      case OpKind::attach_root:
        root = op.a;
        slots_[op.a].attached = true;
        break;
      case OpKind::attach:
        attach(op);
        break;
      default:
        break;
    }
  }

  /// Nothing that already hangs on the parent may be in the way of the walk to the mountpoint.
  void attach(const Op& op) {
    REQUIRE(slots_[op.b].attached);
    REQUIRE_FALSE(slots_[op.a].attached);
    for (const auto& [place, slot] : slots_[op.b].children) {
      if (!place.empty()) REQUIRE_FALSE(path::is_at_or_below("/" + op.text, "/" + place));
    }
    REQUIRE(slots_[op.b].children.emplace(op.text, op.a).second);
    slots_[op.a].attached = true;
  }

  const Plan& plan_;
  std::vector<PaperMount> slots_;
};

void check_plan(const Layout& layout) {
  const Plan plan = plan_layout(layout, SourceMap());
  const auto fault = plan_fault(plan);
  INFO(fault.value_or(""));
  REQUIRE_FALSE(fault.has_value());
  const Paper paper(plan);
  REQUIRE(paper.root != no_slot);
  REQUIRE(paper.shows(paper.root, 0));
}

}  // namespace

TEST_CASE("a source used once is mounted itself, without an anchor") {
  Layout layout{.name = "web", .superblocks = {parent_path("/srv"), made("proc")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "proc");
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK(kinds(plan) == std::vector{OpKind::unshare, OpKind::make_private, OpKind::stage,
                                   OpKind::open_source, OpKind::new_filesystem, OpKind::attach_root,
                                   OpKind::attach, OpKind::close, OpKind::pivot,
                                   OpKind::drop_staging, OpKind::drop_parent});
  check_plan(layout);
}

TEST_CASE("a superblock shown twice is anchored and cloned") {
  Layout layout{.name = "web", .superblocks = {made("tmpfs")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 0, "tmp2", "tmp");
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK(count(plan, OpKind::anchor) == 1);
  CHECK(count(plan, OpKind::clone) == 2);
  CHECK(count(plan, OpKind::make_directory) == 1);
  check_plan(layout);
}

TEST_CASE("mountpoints are made on filesystems of the plan, elsewhere only when asked for") {
  for (const bool host : {false, true}) {
    for (const Create create : {Create::automatic, Create::dir, Create::file, Create::never}) {
      Layout layout{.name = "web",
                    .superblocks = {host ? parent_path("/srv") : made("tmpfs"), made("proc")},
                    .mounts = {}};
      add_mount(layout, no_index, 0, "");
      add_mount(layout, 0, 1, "proc").create = create;
      const Plan plan = plan_layout(layout, SourceMap());
      const bool expected = create != Create::never && (create != Create::automatic || !host);
      CHECK(count(plan, OpKind::make_mountpoint) == (expected ? 1 : 0));
      for (const Op& op : plan.ops) {
        if (op.kind == OpKind::make_mountpoint) CHECK(op.host == host);
      }
    }
  }
}

TEST_CASE("mountpoints on a read-only mount of ours are made through an anchor") {
  Layout layout{.name = "web", .superblocks = {made("tmpfs"), made("proc")}, .mounts = {}};
  add_mount(layout, no_index, 0, "").attrs = {mount_attr::rdonly, mount_attr::rdonly};
  add_mount(layout, 0, 1, "proc");
  check_plan(layout);
  CHECK(count(plan_layout(layout, SourceMap()), OpKind::anchor) == 1);
}

TEST_CASE("of siblings the longer mountpoint comes first, what covers the root last") {
  Layout layout{.name = "web", .superblocks = {made("tmpfs")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 0, "");
  add_mount(layout, 0, 0, "a");
  add_mount(layout, 0, 0, "a/b/c");
  check_plan(layout);
  std::vector<std::string> order;
  for (const Op& op : plan_layout(layout, SourceMap()).ops) {
    if (op.kind == OpKind::attach) order.push_back(op.text);
  }
  CHECK(order == std::vector<std::string>{"a/b/c", "a", ""});
}

TEST_CASE("registers are free again soon: a wide tree of clones holds few at a time") {
  Layout layout{.name = "wide", .superblocks = {made("tmpfs"), parent_path("/srv")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  for (int index = 0; index < 1000; ++index) add_mount(layout, 0, 1, "d" + std::to_string(index));
  std::size_t open = 0;
  std::size_t most = 0;
  for (const Op& op : plan_layout(layout, SourceMap()).ops) {
    if (op.dst != no_slot) most = std::max(most, ++open);
    if (op.kind == OpKind::close) --open;
  }
  CHECK(most <= 5);
}

TEST_CASE("a chain as deep as the spec is planned without recursion") {
  Layout layout{.name = "deep", .superblocks = {made("tmpfs")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  for (std::uint32_t index = 0; index < 20000; ++index) add_mount(layout, index, 0, "");
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK_FALSE(plan_fault(plan).has_value());
}

TEST_CASE("random layouts: the plan verifies and leads to the layout") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    check_plan(random_layout(random, 1 + seed % 40));
  }
}
