// What the planner promises of propagation and namespaces: run on paper, by the kernel's rules for
// groups, the operations lead to the Layout's groups, and no step is done that could make a mount
// elsewhere.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "compiler/planner/planner.h"
#include "runtime/base/path.h"
#include "runtime/plan/counts.h"
#include "runtime/plan/verify.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

constexpr int outside = 0;  ///< the parent's groups have numbers from here down

std::size_t count(const Plan& plan, OpKind kind) {
  return static_cast<std::size_t>(std::ranges::count(plan.ops, kind, &Op::kind));
}

/// What a register holds on paper. Groups are numbers above 0, those of the parent below.
struct PaperMount {
  std::uint32_t superblock = no_index;
  std::uint32_t mount = no_index;  ///< of the plan, once it stands
  std::uint32_t ns = no_index;     ///< where it is attached
  bool anchor = false;
  bool open = false;
  int group = 0;
  int master = 0;
  bool unbindable = false;

  [[nodiscard]] bool is_private() const { return group == 0 && master == 0 && !unbindable; }
};

/// Runs the operations on paper.
class Paper {
 public:
  explicit Paper(const Plan& plan) : plan_(plan), slots_(plan.slots) {
    for (const Op& op : plan.ops) run(op);
  }

  /// Whether groups, masters and unbindable mounts are those of the plan, group by group.
  void check() const {
    std::map<std::uint32_t, int> numbers;
    std::map<int, std::uint32_t> groups;
    const auto agree = [&](std::uint32_t wanted, int found) {
      REQUIRE((wanted == no_index) == (found == 0));
      if (wanted == no_index) return;
      if (is_crossing(plan_.groups[wanted])) {
        REQUIRE(found == outside - 1 - static_cast<int>(wanted));
        return;
      }
      REQUIRE(numbers.emplace(wanted, found).first->second == found);
      REQUIRE(groups.emplace(found, wanted).first->second == wanted);
    };
    std::size_t stand = 0;
    for (const PaperMount& found : slots_) {
      if (found.mount == no_index) continue;
      ++stand;
      const DesiredMount& wanted = plan_.mounts[found.mount];
      INFO("mount " << found.mount << " on " << wanted.target);
      REQUIRE(found.ns == wanted.ns);
      REQUIRE(found.superblock == wanted.superblock);
      REQUIRE(found.unbindable == wanted.unbindable);
      agree(wanted.group, found.group);
      agree(wanted.master, found.master);
    }
    REQUIRE(stand == plan_.mounts.size());
  }

  std::size_t most_open = 0;

 private:
  void run(const Op& op) {
    switch (op.kind) {
      case OpKind::open_source:
      case OpKind::new_filesystem:
      case OpKind::new_overlay:
        open(op.dst).superblock = op.b;
        break;
      case OpKind::open_group:
        open(op.dst).group = outside - 1 - static_cast<int>(op.b);
        break;
      case OpKind::anchor:
        slots_[op.a].anchor = true;
        slots_[op.a].ns = 0;
        break;
      case OpKind::new_namespace:
        // A copy of what stands now: anchors and nothing else.
        for (const PaperMount& mount : slots_)
          if (mount.ns != no_index) REQUIRE((mount.anchor && mount.is_private()));
        break;
      case OpKind::enter_namespace:
        ns_ = op.b;
        break;
      case OpKind::reopen:
        REQUIRE((slots_[op.a].anchor && slots_[op.a].ns == 0 && ns_ != 0));
        open(op.dst).superblock = slots_[op.a].superblock;
        slots_[op.dst].anchor = true;
        slots_[op.dst].ns = ns_;
        break;
      case OpKind::clone:
        REQUIRE((slots_[op.a].anchor && slots_[op.a].ns == ns_ && slots_[op.a].is_private()));
        open(op.dst).superblock = slots_[op.a].superblock;
        break;
      case OpKind::attach_root:
      case OpKind::attach:
        attach(op);
        break;
      case OpKind::pivot:
        REQUIRE(slots_[op.a].is_private());
        break;
      case OpKind::set_propagation:
        set(op.a, static_cast<Propagation>(op.b));
        break;
      case OpKind::set_group:
        join(slots_[op.a], slots_[op.b]);
        break;
      case OpKind::close:
        close(op.a);
        break;
      default:
        break;
    }
  }

  PaperMount& open(Slot slot) {
    slots_[slot].open = true;
    ++open_;
    most_open = std::max(most_open, open_);
    return slots_[slot];
  }

  void attach(const Op& op) {
    REQUIRE((slots_[op.a].is_private() && slots_[op.a].ns == no_index));
    if (op.kind == OpKind::attach) {
      REQUIRE((slots_[op.b].is_private() && slots_[op.b].ns == ns_));
    }
    slots_[op.a].ns = ns_;
    slots_[op.a].mount = op.mount;
  }

  void set(Slot slot, Propagation propagation) {
    PaperMount& mount = slots_[slot];
    REQUIRE((mount.ns == no_index || mount.ns == ns_));
    switch (propagation) {
      case Propagation::shared:
        if (mount.group == 0) mount.group = ++last_group_;
        break;
      case Propagation::slave: {
        const int left = mount.group;
        REQUIRE(left != 0);
        mount.group = 0;
        REQUIRE((left < 0 || has_members(left)));
        mount.master = left;
        break;
      }
      case Propagation::unbindable:
        REQUIRE(mount.is_private());
        mount.unbindable = true;
        break;
    }
  }

  void join(const PaperMount& from, PaperMount& to) {
    REQUIRE((from.open && !from.is_private() && to.group == 0 && to.master == 0));
    if (from.superblock != no_index) {
      REQUIRE(from.superblock == to.superblock);
      // Helpers are as wide as can be, and members never give: what they show may be narrower.
      REQUIRE(from.mount == no_index);
    }
    to.group = from.group;
    to.master = from.master;
    // A member of the parent's group passes no further what is done here before it is complete.
    REQUIRE_FALSE((to.group != 0 && to.unbindable));
  }

  [[nodiscard]] bool has_members(int group) const {
    return std::ranges::any_of(slots_,
                               [&](const PaperMount& mount) { return mount.group == group; });
  }

  /// The last of a group takes it along; its slaves become those of its master.
  void close(Slot slot) {
    PaperMount& mount = slots_[slot];
    REQUIRE(mount.open);
    mount.open = false;
    --open_;
    if (mount.mount != no_index || mount.ns != no_index) return;
    const int left = std::exchange(mount.group, 0);
    const int master = std::exchange(mount.master, 0);
    if (left <= 0 || has_members(left)) return;
    for (PaperMount& other : slots_)
      if (other.master == left) other.master = master;
  }

  const Plan& plan_;
  std::vector<PaperMount> slots_;
  std::uint32_t ns_ = 0;
  int last_group_ = 0;
  std::size_t open_ = 0;
};

Plan checked(const Layout& layout) {
  Plan plan = plan_layout(layout, SourceMap());
  const auto fault = plan_fault(plan);
  INFO(fault.value_or(""));
  REQUIRE_FALSE(fault.has_value());
  Paper(plan).check();
  return plan;
}

Layout tmpfs_layout() {
  Layout layout{.name = "web", .superblocks = {made("tmpfs"), parent_path("/srv")}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  return layout;
}

}  // namespace

TEST_CASE("a mount alone in its group is made shared, without a helper") {
  Layout layout = tmpfs_layout();
  join(layout, add_mount(layout, 0, 1, "a"), add_group(layout, ""));
  const Plan plan = checked(layout);
  CHECK(count(plan, OpKind::set_propagation) == 1);
  CHECK(count(plan, OpKind::set_group) == 0);
  CHECK(count(plan, OpKind::anchor) == 0);
  CHECK(count_branches(plan).alone == 1);
  CHECK(count_branches(plan).helpers == 0);
}

TEST_CASE("a mount gets its propagation when all that hangs on it stands") {
  Layout layout = tmpfs_layout();
  join(layout, add_mount(layout, 0, 1, "a"), add_group(layout, ""));
  add_mount(layout, 1, 0, "b", "b");
  add_mount(layout, 2, 0, "c", "c");
  const Plan plan = checked(layout);
  const auto shared = std::ranges::find(plan.ops, OpKind::set_propagation, &Op::kind);
  CHECK(std::find_if(shared, plan.ops.end(),
                     [](const Op& op) { return op.kind == OpKind::attach; }) == plan.ops.end());
}

TEST_CASE("peers without a common root, a slave wider than its master, chains: by helpers") {
  Layout layout = tmpfs_layout();
  const std::uint32_t top = add_group(layout, "top");
  const std::uint32_t middle = add_group(layout, "middle", top);
  join(layout, add_mount(layout, 0, 1, "a", "x"), top);
  join(layout, add_mount(layout, 0, 1, "b", "y"), top);
  join(layout, add_mount(layout, 0, 1, "c"), middle);
  add_mount(layout, 0, 1, "d").master = middle;
  LayoutMount& last = add_mount(layout, 0, 1, "e");
  last.master = middle;
  last.unbindable = true;
  add_mount(layout, 0, 1, "f").unbindable = true;
  const Plan plan = checked(layout);
  const PlanCounts counts = count_branches(plan);
  CHECK(counts.inner_groups == 2);
  CHECK(counts.helpers == 2);
  CHECK(counts.slave_helpers == 1);
  CHECK(counts.unbindable == 1);
  CHECK(counts.unbindable_slaves == 1);
  CHECK(counts.namespaces == 1);
}

TEST_CASE("a superblock that a helper shows has an anchor, though one mount shows it whole") {
  Layout layout = tmpfs_layout();
  add_mount(layout, 0, 1, "a").master = add_crossing(layout, "/srv");
  const Plan plan = checked(layout);
  CHECK(count(plan, OpKind::anchor) == 1);
  CHECK(count(plan, OpKind::open_group) == 1);
  CHECK(count_branches(plan).crossing == 1);
  CHECK(count_branches(plan).slave_helpers == 1);
}

TEST_CASE("a group of the parent's that no mount has to do with is not opened") {
  Layout layout = tmpfs_layout();
  add_mount(layout, 0, 1, "a");
  add_crossing(layout, "/srv");
  CHECK(count(checked(layout), OpKind::open_group) == 0);
}

TEST_CASE("a root gets its propagation last, its helper before the anchors go") {
  Layout layout = tmpfs_layout();
  const std::uint32_t group = add_group(layout, "g");
  join(layout, layout.mounts.front(), group);
  join(layout, add_mount(layout, 0, 0, "a", "a"), group);
  const Plan plan = checked(layout);
  const auto dropped = std::ranges::find(plan.ops, OpKind::drop_parent, &Op::kind);
  REQUIRE(plan.ops.end() - dropped == 3);
  CHECK(dropped[1].kind == OpKind::set_group);
  CHECK(dropped[2].kind == OpKind::close);
}

TEST_CASE("namespaces are made before any tree and built one after another") {
  Layout layout = tmpfs_layout();
  const std::uint32_t group = add_group(layout, "g");
  join(layout, layout.mounts.front(), group);
  add_namespace(layout, "b");
  join(layout, add_mount(layout, no_index, 0, ""), group);
  add_namespace(layout, "c");
  add_mount(layout, no_index, 0, "", "part").master = group;
  const Plan plan = checked(layout);
  CHECK(count(plan, OpKind::new_namespace) == 2);
  CHECK(count(plan, OpKind::enter_namespace) == 3);
  CHECK(count(plan, OpKind::pivot) == 3);
  CHECK(count(plan, OpKind::reopen) == 2);
  CHECK(count_branches(plan).namespaces == 3);
}

TEST_CASE(
    "the root of a later namespace is a clone: a mount older than it would not be found there") {
  Layout layout = tmpfs_layout();
  add_namespace(layout, "b");
  add_mount(layout, no_index, 1, "");
  const Plan plan = checked(layout);
  const Op& root = *std::ranges::find_if(
      plan.ops, [](const Op& op) { return op.kind == OpKind::attach_root && op.mount == 1; });
  CHECK(std::ranges::any_of(
      plan.ops, [&](const Op& op) { return op.kind == OpKind::clone && op.dst == root.a; }));
}

TEST_CASE("the topmost mount over a root stays private until the old root is gone") {
  Layout layout = tmpfs_layout();
  join(layout, add_mount(layout, 0, 0, "", "x"), add_group(layout, "a"));
  join(layout, add_mount(layout, 1, 0, "", "y"), add_group(layout, "b"));
  const Plan plan = checked(layout);
  const auto dropped = std::ranges::find(plan.ops, OpKind::drop_parent, &Op::kind);
  CHECK(std::count_if(dropped, plan.ops.end(), [](const Op& op) {
          return op.kind == OpKind::set_propagation && op.mount == 2;
        }) == 1);
}

TEST_CASE("registers are few: groups that are complete hold none") {
  Layout layout = tmpfs_layout();
  for (int index = 0; index < 500; ++index) {
    const std::string name = "d" + std::to_string(index);
    const std::uint32_t group = add_group(layout, name);
    const auto at = static_cast<std::uint32_t>(layout.mounts.size());
    join(layout, add_mount(layout, 0, 1, name, name), group);
    join(layout, add_mount(layout, at, 1, "x", name + "/x"), group);
  }
  const Plan plan = checked(layout);
  CHECK(Paper(plan).most_open < 10);
}

// The order in which arguments are evaluated, and so what is drawn, is the compiler's affair.
TEST_CASE("random Layouts with groups over several namespaces are built by their plans") {
  PlanCounts all;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    const Layout layout = random_shared_layout(random, 1 + seed % 23);
    INFO("seed " << seed);
    const PlanCounts counts = count_branches(checked(layout));
    for (const auto field : plan_counts) all.*field += counts.*field;
  }
  for (const auto field : plan_counts) CHECK(all.*field > 20);
}
