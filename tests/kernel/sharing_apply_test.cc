// Peer groups, slaves and several namespaces on the real kernel, from Layouts: read back from
// outside, the groups are those that were planned, as partitions, for their numbers mean nothing.
#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "compiler/planner/emit.h"
#include "compiler/planner/planner.h"
#include "runtime/apply/apply.h"
#include "runtime/capture/container.h"
#include "runtime/plan/counts.h"
#include "runtime/plan/show.h"
#include "runtime/plan/verify.h"
#include "tests/kernel/support/commands.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/layouts.h"

namespace mntcr {
namespace {

using namespace sandbox;
using test::add_crossing;
using test::add_group;
using test::add_mount;
using test::add_namespace;
using test::join;
using test::made;
using test::parent_path;
namespace fs = std::filesystem;

Plan plan_of(const Layout& layout) {
  SourceMap sources;
  sources.add("layout.toml", "spec = 1 # a Layout that a test made\n");
  Plan plan = plan_layout(layout, sources);
  const auto fault = plan_fault(plan);
  INFO(fault.value_or(""));
  REQUIRE_FALSE(fault.has_value());
  return plan;
}

std::string own_mountinfo() {
  std::ifstream in("/proc/thread-self/mountinfo");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

MountTable read_container(const Plan& plan, const Built& built) {
  const Result<Fd> proc = open_proc(linux_kernel());
  REQUIRE(proc.has_value());
  std::vector<NamedNamespace> named;
  for (std::size_t index = 0; index < built.namespaces().size(); ++index)
    named.push_back({plan.namespaces.at(index).name, &built.ns(index)});
  Result<MountTable> table = capture_container(linux_kernel(), *proc, named);
  if (!table) FAIL(table.error().message);
  return std::move(*table);
}

MountTable read_parent() {
  const auto own = open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt");
  REQUIRE(own.has_value());
  return read_namespace(*own);
}

/// The live mount of each desired one.
std::vector<const LiveMount*> pair_up(const Plan& plan, const MountTable& live) {
  std::map<std::pair<std::uint32_t, std::string>, const LiveMount*> places;
  std::vector<const LiveMount*> roots(plan.namespaces.size(), nullptr);
  for (const LiveMount& mount : live.mounts) {
    if (mount.parent == UINT32_MAX) {
      roots.at(mount.ns) = &mount;
    } else {
      places[{mount.parent, mount.below_parent}] = &mount;
    }
  }
  std::vector<const LiveMount*> found;
  for (const DesiredMount& mount : plan.mounts) {
    if (mount.parent == no_index) {
      found.push_back(roots.at(mount.ns));
      continue;
    }
    const auto parent = static_cast<std::uint32_t>(found.at(mount.parent) - live.mounts.data());
    const auto at = places.find({parent, mount.mountpoint});
    if (at == places.end()) FAIL("nothing stands at " << mount.target);
    found.push_back(at->second);
  }
  return found;
}

/// The group of the parent's mount at `mountpoint`.
std::uint64_t parents_group(const MountTable& parent, const std::string& mountpoint) {
  return mount_at(parent, mountpoint).peer_group;
}

/// Whether the container's groups and masters are those of the plan.
void check_groups(const Plan& plan, const MountTable& live, const MountTable& parent) {
  REQUIRE(live.mounts.size() == plan.mounts.size());
  const std::vector<const LiveMount*> found = pair_up(plan, live);
  std::map<std::uint32_t, std::uint64_t> numbers;
  std::map<std::uint64_t, std::uint32_t> groups;
  const auto agree = [&](std::uint32_t wanted, std::uint64_t number) {
    REQUIRE((wanted == no_index) == (number == 0));
    if (wanted == no_index) return;
    if (is_crossing(plan.groups[wanted])) {
      REQUIRE(number == parents_group(parent, plan.groups[wanted].parent));
      return;
    }
    REQUIRE(numbers.emplace(wanted, number).first->second == number);
    REQUIRE(groups.emplace(number, wanted).first->second == wanted);
  };
  for (std::size_t index = 0; index < plan.mounts.size(); ++index) {
    const DesiredMount& wanted = plan.mounts[index];
    INFO("mount " << index << " on " << wanted.target << " in " << wanted.ns);
    REQUIRE(found[index]->unbindable == wanted.unbindable);
    agree(wanted.group, found[index]->peer_group);
    agree(wanted.master, found[index]->master);
  }
  for (const LiveMount& mount : parent.mounts) {
    INFO(mount.mountpoint);
    REQUIRE_FALSE((mount.peer_group != 0 && groups.contains(mount.peer_group)));
  }
}

/// Applies what must succeed, and checks the groups and that the parent is as before.
Built applied_layout(const Layout& layout) {
  const Plan plan = plan_of(layout);
  const std::string before = own_mountinfo();
  Applied made_of = apply_plan(linux_kernel(), plan);
  if (!made_of.built) FAIL(made_of.messages << show_text(plan));
  CHECK(own_mountinfo() == before);
  made_of.built->keep();
  check_groups(plan, read_container(plan, *made_of.built), read_parent());
  return std::move(*made_of.built);
}

std::string code_of(const Layout& layout) {
  const Plan plan = plan_of(layout);
  const MachineState before = machine_state();
  const Applied result = apply_plan(linux_kernel(), plan);
  INFO(result.messages);
  REQUIRE_FALSE(result.built.has_value());
  REQUIRE(settles_to(before));
  return std::string(describe(result.diagnostics.items().at(0).code).id);
}

/// A directory of the parent's with folders in it.
std::string folders() {
  const std::string path = fresh_dir();
  for (const char* name : {"/x/x", "/y", "/sub"}) make_dir(path + name);
  return path;
}

/// The same, as a mount of its own that is shared, until the end of the test.
class SharedMount {
 public:
  SharedMount() : path_(fresh_dir()) {
    mount_tmpfs(path_);
    for (const char* name : {"/x/x", "/y", "/sub"}) make_dir(path_ + name);
    propagate(path_, MS_SHARED);
  }
  SharedMount(const SharedMount&) = delete;
  SharedMount& operator=(const SharedMount&) = delete;
  ~SharedMount() { ::umount2(path_.c_str(), MNT_DETACH); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Layout tmpfs_and(const std::string& path) {
  Layout layout{.name = "sharing", .superblocks = {made("tmpfs"), parent_path(path)}, .mounts = {}};
  add_mount(layout, no_index, 0, "");
  return layout;
}

}  // namespace

TEST_CASE("peers without a common root, a wider slave, a chain, unbindable mounts") {
  Layout layout = tmpfs_and(folders());
  const std::uint32_t top = add_group(layout, "top");
  const std::uint32_t middle = add_group(layout, "middle", top);
  const std::uint32_t last = add_group(layout, "last", middle);
  join(layout, add_mount(layout, 0, 1, "a", "x"), top);
  join(layout, add_mount(layout, 0, 1, "b", "y"), top);
  join(layout, add_mount(layout, 0, 1, "c"), middle);
  join(layout, add_mount(layout, 0, 1, "d", "x/x"), last);
  add_mount(layout, 0, 1, "e").master = last;
  LayoutMount& slave = add_mount(layout, 0, 1, "f");
  slave.master = top;
  slave.unbindable = true;
  add_mount(layout, 0, 1, "g").unbindable = true;
  join(layout, add_mount(layout, 0, 0, "h", "h"), add_group(layout, ""));
  const Built built = applied_layout(layout);
  // What they are by their numbers they are in fact.
  inside(built.ns(), [] { mount_tmpfs("/a/x"); });
  const MountTable after = read_namespace(built.ns());
  for (const char* place : {"/a/x", "/c/x/x", "/d", "/e/x/x", "/f/x/x"})
    CHECK(mount_at(after, place).fs_type == "tmpfs");
  CHECK(after.mounts.size() == layout.mounts.size() + 5);
}

TEST_CASE("a shared root, mounts over it and shared mounts on mounts that are shared") {
  if (!reads_by_statmount()) return leave_out("a container with a mount over its root");
  Layout layout = tmpfs_and(folders());
  const std::uint32_t group = add_group(layout, "root");
  join(layout, layout.mounts[0], group);
  join(layout, add_mount(layout, 0, 0, "a", "deep"), group);
  join(layout, add_mount(layout, 1, 1, "b"), add_group(layout, ""));
  join(layout, add_mount(layout, 2, 1, "sub", "y"), add_group(layout, ""));
  join(layout, add_mount(layout, 0, 0, "", "over"), group);
  join(layout, add_mount(layout, 4, 0, "c", "over/c"), group);
  static_cast<void>(applied_layout(layout));
}

TEST_CASE("groups over three namespaces") {
  Layout layout = tmpfs_and(folders());
  const std::uint32_t group = add_group(layout, "g");
  const std::uint32_t below = add_group(layout, "below", group);
  join(layout, add_mount(layout, 0, 1, "a", "x"), group);
  add_namespace(layout, "second");
  join(layout, add_mount(layout, no_index, 1, ""), group);
  join(layout, add_mount(layout, 2, 0, "sub", "second"), add_group(layout, ""));
  add_namespace(layout, "third");
  add_mount(layout, no_index, 0, "", "third");
  join(layout, add_mount(layout, 4, 1, "a"), below);
  LayoutMount& slave = add_mount(layout, 4, 1, "b", "x");
  slave.master = group;
  slave.unbindable = true;
  const Built built = applied_layout(layout);
  REQUIRE(built.namespaces().size() == 3);
  inside(built.ns(1), [] { mount_tmpfs("/x/x"); });
  CHECK(mount_at(read_namespace(built.ns(0)), "/a/x").fs_type == "tmpfs");
  CHECK(mount_at(read_namespace(built.ns(2)), "/a/x/x").fs_type == "tmpfs");
  CHECK(mount_at(read_namespace(built.ns(2)), "/b/x").fs_type == "tmpfs");
}

TEST_CASE("a peer and a slave of the parent's, and what reaches whom") {
  const SharedMount shared;
  Layout layout = tmpfs_and(shared.path());
  layout.superblocks.push_back(parent_path(shared.path() + "/x"));
  const std::uint32_t parents = add_crossing(layout, shared.path(), true);
  join(layout, add_mount(layout, 0, 1, "peer"), parents);
  add_mount(layout, 0, 2, "slave").master = parents;
  join(layout, add_mount(layout, 0, 1, "both"), add_group(layout, "inner", parents));
  add_namespace(layout, "other");
  add_mount(layout, no_index, 1, "").master = parents;
  const Built built = applied_layout(layout);

  mount_tmpfs(shared.path() + "/x/x");
  const MountTable main = read_namespace(built.ns());
  CHECK(mount_at(main, "/peer/x/x").fs_type == "tmpfs");
  CHECK(mount_at(main, "/slave/x").fs_type == "tmpfs");
  CHECK(mount_at(main, "/both/x/x").fs_type == "tmpfs");
  CHECK(mount_at(read_namespace(built.ns(1)), "/x/x").fs_type == "tmpfs");
  const std::string before = own_mountinfo();
  inside(built.ns(), [] {
    mount_tmpfs("/slave/x");
    mount_tmpfs("/both/y");
  });
  inside(built.ns(1), [] { mount_tmpfs("/y"); });
  CHECK(own_mountinfo() == before);
  inside(built.ns(), [] { mount_tmpfs("/peer/sub"); });
  CHECK(mount_at(read_parent(), shared.path() + "/sub").fs_type == "tmpfs");
}

TEST_CASE("a group is found by a file, and by a path below a mountpoint") {
  const SharedMount shared;
  make_file(shared.path() + "/y/file");
  Layout layout = tmpfs_and(shared.path() + "/y/file");
  const std::uint32_t parents = add_crossing(layout, shared.path() + "/y/file");
  LayoutMount& mount = add_mount(layout, 0, 1, "a");
  mount.master = parents;
  mount.create = Create::file;
  const Plan plan = plan_of(layout);
  const Applied result = apply_plan(linux_kernel(), plan);
  if (!result.built) FAIL(result.messages);
  CHECK(mount_at(read_namespace(result.built->ns()), "/a").master ==
        parents_group(read_parent(), shared.path()));
}

TEST_CASE("what the parent cannot give is told") {
  const SharedMount shared;
  const auto slave_of = [](const std::string& source, const std::string& path, bool exact) {
    Layout layout = tmpfs_and(source);
    const std::uint32_t parents = add_crossing(layout, path, exact);
    add_mount(layout, 0, 1, "a").master = parents;
    return layout;
  };
  const std::string plain = folders();
  CHECK(code_of(slave_of(plain, plain, false)) == "E0620");
  CHECK(code_of(slave_of(shared.path(), shared.path() + "/x", true)) == "E0621");
  CHECK(code_of(slave_of(plain, shared.path(), false)) == "E0622");
  CHECK(code_of(slave_of(shared.path(), shared.path() + "/none", false)) == "E0624");
  propagate(shared.path(), MS_SLAVE);
  CHECK(code_of(slave_of(shared.path(), shared.path(), true)) == "E0620");
}

TEST_CASE("in a user namespace the parent's groups cannot be had, and the spec's own can") {
  if (shell("/", "unshare -Ur true").code != 0) return leave_out("a user namespace of one's own");
  const SharedMount shared;
  const auto apply_in_user_namespace = [&](std::uint32_t group, Layout& layout) {
    join(layout, add_mount(layout, 0, 1, "a"), group);
    add_namespace(layout, "second");
    join(layout, add_mount(layout, no_index, 1, ""), group);
    const std::vector<std::byte> bytes = emit_plan(plan_of(layout));
    const std::string folder = fresh_dir();
    make_file(folder + "/plan.bin",
              std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return shell(folder, "unshare -Ur $MNTCR apply plan.bin --dry-run");
  };
  Layout crossing = tmpfs_and(shared.path());
  const Ran refused = apply_in_user_namespace(add_crossing(crossing, shared.path()), crossing);
  CHECK(refused.code == 2);
  CHECK(refused.err.find("E0623") != std::string::npos);
  INFO(refused.err);
  Layout own = tmpfs_and(shared.path());
  const Ran done = apply_in_user_namespace(add_group(own, "own"), own);
  INFO(done.err);
  CHECK(done.code == 0);
}

namespace {

/// A random Layout that can be made: its sources are there, and places to mount on in them.
class RandomContainer {
 public:
  RandomContainer() {
    for (const SharedMount& mount : shared_) {
      for (const char* part : {"", "/part"}) populate(mount.path() + part, 3);
    }
  }

  Layout layout(unsigned seed) {
    std::mt19937 random(seed);
    Layout layout = test::random_shared_layout(random, 1 + seed % 12);
    std::size_t used = 0;
    for (DesiredSuperblock& superblock : layout.superblocks) {
      if (superblock.kind == DesiredSuperblock::Kind::parent) {
        const std::string& path = shared_.at(used++ % shared_.size()).path();
        for (DesiredGroup& group : layout.groups)
          if (group.parent == superblock.path) group.parent = path;
        superblock.path = path;
      } else if (superblock.type != "tmpfs") {
        superblock = made("tmpfs");
      }
    }
    for (LayoutMount& mount : layout.mounts) {
      mount.create = Create::automatic;
      mount.idmap = no_index;
    }
    return layout;
  }

 private:
  static void populate(const std::string& path, int depth) {  // NOLINT(misc-no-recursion)
    make_dir(path);
    if (depth == 0) return;
    for (const char* name : {"/a", "/b", "/c", "/d"}) populate(path + name, depth - 1);
  }

  std::array<SharedMount, 3> shared_;
};

}  // namespace

TEST_CASE("random containers of several namespaces have the groups that were planned") {
  if (!reads_by_statmount()) return leave_out("containers with mounts over their roots");
  RandomContainer random;
  PlanCounts all;
  const std::size_t rounds = count_from_environment("MNTCR_SHARING_ROUNDS", 60);
  for (unsigned seed = 1; seed <= rounds; ++seed) {
    INFO("seed " << seed);
    const Layout layout = random.layout(seed);
    const PlanCounts counts = count_branches(plan_of(layout));
    for (const auto field : plan_counts) all.*field += counts.*field;
    static_cast<void>(applied_layout(layout));
  }
  for (const auto field : plan_counts) CHECK(all.*field > 0);
}

}  // namespace mntcr
