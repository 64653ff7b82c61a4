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
  std::uint32_t idmap = no_index;
  bool staged = false;
  bool attached = false;
  std::map<std::string, Slot> children;
};

/// Runs the operations on paper, insisting on what a kernel of 5.15 would: clones only of what is
/// attached, one mount at a place, no mountpoint made through a read-only or idmapped mount or on a
/// read-only filesystem.
class Paper {
 public:
  explicit Paper(const Plan& plan)
      : plan_(plan), slots_(plan.slots), read_only_(plan.superblocks.size()) {
    for (std::size_t index = 0; index < read_only_.size(); ++index) {
      read_only_[index] = (plan.superblocks[index].flags.value & fs_flag::rdonly) != 0 &&
                          std::ranges::none_of(plan.ops, [&](const Op& op) {
                            return op.kind == OpKind::make_read_only && op.b == index;
                          });
    }
    for (const Op& op : plan.ops) run(op);
  }

  /// Whether each filesystem ends as read-only as it shall be.
  [[nodiscard]] bool is_as_read_only_as_planned() const {
    for (std::size_t index = 0; index < read_only_.size(); ++index) {
      const bool wanted = (plan_.superblocks[index].flags.value & fs_flag::rdonly) != 0;
      if (read_only_[index] != wanted) return false;
    }
    return true;
  }

  /// Whether the tree under slot `slot` is the plan's desired one under mount `index`.
  bool shows(Slot slot, std::uint32_t index) const {
    const PaperMount& found = slots_[slot];
    const DesiredMount& wanted = plan_.mounts[index];
    if (found.superblock != wanted.superblock || found.root != wanted.root ||
        found.attrs != wanted.attrs || found.idmap != wanted.idmap)
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
        slots_[op.a].idmap = op.b;
        break;
      case OpKind::make_mountpoint:
      case OpKind::make_directory:
        REQUIRE(slots_[op.a].attrs.value == 0);
        REQUIRE(slots_[op.a].idmap == no_index);
        REQUIRE_FALSE(read_only_[slots_[op.a].superblock]);
        break;
      case OpKind::make_read_only:
        REQUIRE(slots_[op.a].superblock == op.b);
        REQUIRE_FALSE(read_only_[op.b]);
        read_only_[op.b] = true;
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
  std::vector<bool> read_only_;  ///< by superblock
};

void check_plan(const Layout& layout) {
  const Plan plan = plan_layout(layout, SourceMap());
  const auto fault = plan_fault(plan);
  INFO(fault.value_or(""));
  REQUIRE_FALSE(fault.has_value());
  const Paper paper(plan);
  REQUIRE(paper.root != no_slot);
  REQUIRE(paper.shows(paper.root, 0));
  REQUIRE(paper.is_as_read_only_as_planned());
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

TEST_CASE("an idmap is set with the flags, and mountpoints are made through an anchor") {
  Layout layout{.name = "web",
                .superblocks = {made("tmpfs"), made("tmpfs")},
                .mounts = {},
                .idmaps = {{{{0, 100000, 65536}}, {{0, 100000, 65536}}}}};
  add_mount(layout, no_index, 0, "").idmap = 0;
  check_plan(layout);
  CHECK(count(plan_layout(layout, SourceMap()), OpKind::anchor) == 0);
  add_mount(layout, 0, 1, "tmp");
  check_plan(layout);
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK(count(plan, OpKind::anchor) == 1);
  CHECK(count(plan, OpKind::set_attributes) == 1);
  CHECK(plan.idmaps == layout.idmaps);
}

TEST_CASE("a read-only filesystem is made so, or becomes so when the places on it are made") {
  Layout layout{.name = "web",
                .superblocks = {read_only(made("tmpfs")), read_only(made("ramfs"))},
                .mounts = {}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "a");
  check_plan(layout);
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK(count(plan, OpKind::make_read_only) == 1);
  CHECK(count(plan, OpKind::anchor) == 0);

  layout.mounts[1].root = "part";
  check_plan(layout);
  CHECK(count(plan_layout(layout, SourceMap()), OpKind::make_read_only) == 2);
  layout.mounts[1].root.clear();
  layout.mounts[1].create = Create::never;
  check_plan(layout);
  CHECK(count(plan_layout(layout, SourceMap()), OpKind::make_read_only) == 0);
}

TEST_CASE("a singleton is the host's: nothing is made on it unasked") {
  Layout layout{.name = "web", .superblocks = {made("cgroup2"), made("tmpfs")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "a");
  add_mount(layout, 0, 0, "b", "part");
  check_plan(layout);
  Plan plan = plan_layout(layout, SourceMap());
  CHECK(count(plan, OpKind::make_mountpoint) == 0);
  CHECK(count(plan, OpKind::make_directory) == 0);
  layout.mounts[1].create = Create::dir;
  check_plan(layout);
  plan = plan_layout(layout, SourceMap());
  const auto making = std::ranges::find(plan.ops, OpKind::make_mountpoint, &Op::kind);
  REQUIRE(making != plan.ops.end());
  CHECK(making->host);
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

namespace {

DesiredNode node(NodeKind kind, std::string path, bool deleted = false) {
  return {.superblock = 1,
          .kind = kind,
          .deleted = deleted,
          .mode = 0700,
          .path = std::move(path),
          .target = {},
          .span = {0, 9, 10}};
}

}  // namespace

TEST_CASE("what a filesystem holds is made before it is mounted, and not again") {
  Layout layout{.name = "web", .superblocks = {parent_path("/srv"), made("tmpfs")}, .mounts = {}};
  layout.nodes = {node(NodeKind::directory, "run"), node(NodeKind::file, "run/file")};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "mnt").attrs = {mount_attr::rdonly, mount_attr::rdonly};
  add_mount(layout, 1, 0, "run/file");
  const Plan plan = plan_layout(layout, SourceMap());
  check_plan(layout);
  CHECK(count(plan, OpKind::make_node) == 2);
  CHECK(count(plan, OpKind::make_mountpoint) == 0);
  const auto made_at = std::ranges::find(plan.ops, OpKind::make_node, &Op::kind);
  REQUIRE(made_at != plan.ops.end());
  CHECK(plan.nodes[made_at->b].path == "run");
  const auto attached = std::ranges::find(plan.ops, OpKind::attach_root, &Op::kind);
  CHECK(made_at < attached);
}

TEST_CASE("a bind of a part that the tree says makes no directory, and knows its inode") {
  Layout layout{.name = "web", .superblocks = {parent_path("/srv"), made("tmpfs")}, .mounts = {}};
  layout.nodes = {node(NodeKind::fifo, "pipe")};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "pipe", "pipe");
  add_mount(layout, 0, 1, "other", "other");
  check_plan(layout);
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK(count(plan, OpKind::make_directory) == 1);
  std::vector<std::uint32_t> shown;
  for (const Op& op : plan.ops) {
    if (op.kind == OpKind::clone && op.mount > 0) shown.push_back(op.b);
  }
  std::ranges::sort(shown);
  CHECK(shown == std::vector<std::uint32_t>{0, no_slot});
}

TEST_CASE("names go when all mounts stand, and the folder of names after them") {
  Layout layout{.name = "web", .superblocks = {parent_path("/srv"), made("tmpfs")}, .mounts = {}};
  layout.nodes = {node(NodeKind::directory, std::string(deleted_folder), true),
                  node(NodeKind::directory, deleted_place("a"), true),
                  node(NodeKind::file, deleted_place("b"), true),
                  node(NodeKind::directory, "stays")};
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "x", deleted_place("a")).deleted = true;
  add_mount(layout, 0, 1, "y", deleted_place("b")).deleted = true;
  add_mount(layout, 0, 1, "z");
  check_plan(layout);
  const Plan plan = plan_layout(layout, SourceMap());
  std::vector<std::string> removed;
  std::size_t last_attach = 0;
  std::size_t first_removal = 0;
  std::size_t anchor_closed = 0;
  for (std::size_t at = 0; at < plan.ops.size(); ++at) {
    const Op& op = plan.ops[at];
    if (op.kind == OpKind::attach) last_attach = at;
    if (op.kind == OpKind::close) anchor_closed = at;
    if (op.kind != OpKind::remove_node) continue;
    if (removed.empty()) first_removal = at;
    removed.push_back(plan.nodes[op.b].path);
  }
  CHECK(removed == std::vector<std::string>{deleted_place("b"), deleted_place("a"),
                                            std::string(deleted_folder)});
  CHECK(last_attach < first_removal);
  CHECK(first_removal < anchor_closed);
}
