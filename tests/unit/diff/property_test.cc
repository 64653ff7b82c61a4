// Random containers: one that was made exactly as planned shows no differences, whatever numbers
// the kernel gave it, and one thing done to it is one change.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>

#include "runtime/diff/mount_tree.h"
#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(
        0, static_cast<std::uint32_t>(bound) - 1)(engine_);
  }
  bool chance(std::size_t in) { return below(in) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& items) {
    return items.at(below(items.size()));
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    std::ranges::shuffle(items, engine_);
  }

 private:
  std::mt19937 engine_;
};

/// Groups of which some are slaves of others.
void add_groups(Plan& plan, Random& random) {
  const std::size_t groups = random.below(5);
  for (std::uint32_t index = 0; index < groups; ++index) {
    DesiredGroup group;
    group.name = "group" + std::to_string(index);
    if (index > 0 && random.chance(2)) group.master = random.below(index);
    plan.groups.push_back(group);
  }
}

void share(Plan& plan, DesiredMount& mount, Random& random) {
  if (plan.groups.empty() || random.chance(2)) {
    mount.unbindable = random.chance(4);
  } else if (random.chance(3)) {
    mount.master = random.below(plan.groups.size());
    mount.unbindable = random.chance(4);
  } else {
    mount.group = random.below(plan.groups.size());
    mount.master = plan.groups[mount.group].master;
  }
}

/// A plan with stacks, hidden mounts, filesystems that several mounts show in whole or in part,
/// groups, and namespaces.
Plan random_plan(Random& random) {
  Plan plan;
  plan.name = "random";
  add_groups(plan, random);
  const std::size_t superblocks = 1 + random.below(8);
  for (std::size_t index = 0; index < superblocks; ++index) {
    DesiredSuperblock superblock;
    superblock.kind =
        random.chance(2) ? DesiredSuperblock::Kind::made : DesiredSuperblock::Kind::parent;
    superblock.path = "/source" + std::to_string(index);
    superblock.type = random.chance(3) ? "proc" : "tmpfs";
    if (random.chance(3)) {
      superblock.params = {superblock.type == "proc" ? "hidepid=invisible" : "size=64m"};
    }
    plan.superblocks.push_back(superblock);
  }
  const std::vector<std::string> places{"", "", "a", "a/b", "b", "a-b", "c/d"};
  const std::vector<std::string> roots{"", "", "sub", "sub/dir"};
  const std::vector<std::uint64_t> flags{mount_attr::rdonly, mount_attr::nosuid, mount_attr::nodev};
  const std::size_t mounts = 1 + random.below(25);
  std::uint32_t root = 0;  // of the last namespace
  while (plan.mounts.size() < mounts) {
    DesiredMount mount;
    const bool begins = !plan.mounts.empty() && random.chance(12);
    if (begins) {
      root = static_cast<std::uint32_t>(plan.mounts.size());
      plan.namespaces.push_back({"ns" + std::to_string(root), no_index, {}});
    }
    mount.ns = static_cast<std::uint32_t>(plan.namespaces.size() - 1);
    share(plan, mount, random);
    mount.superblock = random.below(plan.superblocks.size());
    mount.root = random.pick(roots);
    mount.attrs.mask = random.pick(flags);
    mount.attrs.value = random.chance(2) ? mount.attrs.mask : 0;
    mount.target = "/";
    if (!plan.mounts.empty() && !begins) {
      mount.parent = root + random.below(plan.mounts.size() - root);
      mount.mountpoint = random.pick(places);
      mount.target = path::join(plan.mounts[mount.parent].target, mount.mountpoint);
      const bool taken = std::ranges::any_of(plan.mounts, [&](const DesiredMount& other) {
        return other.parent == mount.parent && other.mountpoint == mount.mountpoint;
      });
      if (taken) continue;
    }
    plan.mounts.push_back(mount);
  }
  return plan;
}

/// The plan as a kernel would have made it, with device numbers in a random order.
MountTable made(const Plan& plan, Random& random, const ResolvedSources& resolved) {
  std::vector<std::uint32_t> devices(plan.superblocks.size());
  for (std::uint32_t index = 0; index < devices.size(); ++index) devices[index] = 40 + index;
  random.shuffle(devices);
  std::vector<std::uint64_t> groups(plan.groups.size());
  for (std::uint32_t index = 0; index < groups.size(); ++index) groups[index] = 1 + index;
  random.shuffle(groups);
  MountTable table;
  table.namespaces.clear();
  for (const DesiredNamespace& ns : plan.namespaces) table.namespaces.push_back(ns.name);
  for (const DesiredMount& desired : plan.mounts) {
    const DesiredSuperblock& superblock = plan.superblocks[desired.superblock];
    LiveMount mount;
    mount.parent = desired.parent;
    mount.ns = desired.ns;
    if (desired.group != no_index) mount.peer_group = groups[desired.group];
    if (desired.master != no_index) mount.master = groups[desired.master];
    mount.unbindable = desired.unbindable;
    mount.below_parent = desired.mountpoint;
    mount.mountpoint = desired.target;
    mount.attrs = desired.attrs.value | (random.chance(2) ? mount_attr::noexec : 0);
    mount.dev_minor = devices[desired.superblock];
    mount.root = "/" + desired.root;
    mount.fs_type = superblock.type;
    mount.source = "none";
    for (const std::string& param : superblock.params) {
      mount.fs_options.push_back(param == "size=64m" ? "size=65536k" : "hidepid=2");
    }
    if (superblock.kind == DesiredSuperblock::Kind::parent) {
      const Result<SourceIdentity>& source = resolved.by_superblock.at(desired.superblock);
      mount.dev_major = source->dev_major;
      mount.dev_minor = source->dev_minor;
      mount.root = path::join(source->root, desired.root);
      mount.fs_type = "ext4";
      mount.fs_options.clear();
    }
    table.mounts.push_back(mount);
  }
  return table;
}

/// Where every parent path leads: all to one disk, as on most machines.
std::string source_lines(const Plan& plan) {
  std::string text;
  for (const DesiredSuperblock& superblock : plan.superblocks) {
    text += superblock.path + " = 8:1 /vol" + superblock.path + '\n';
  }
  return text;
}

void put_mount(MountTable& table, std::uint32_t parent, const std::string& place) {
  LiveMount mount;
  mount.parent = parent;
  mount.ns = table.mounts[parent].ns;
  mount.below_parent = place;
  mount.mountpoint = path::join(table.mounts[parent].mountpoint, place);
  mount.dev_minor = 999;
  mount.root = "/";
  mount.fs_type = "tmpfs";
  for (LiveMount& other : table.mounts) {
    if (other.parent != parent || other.below_parent != place) continue;
    other.parent = static_cast<std::uint32_t>(table.mounts.size());  // the new one goes beneath it
    other.below_parent = "";
  }
  table.mounts.push_back(mount);
}

/// The table in an order that has parents before their children, as MountTable promises.
MountTable in_tree_order(const MountTable& table) {
  const std::size_t size = table.mounts.size();
  std::vector<std::uint32_t> order;
  for (std::uint32_t ns = 0; ns < table.namespaces.size(); ++ns) {
    std::size_t at = order.size();
    order.push_back(MountTree(table).root(ns));
    for (; at < order.size(); ++at) {
      for (std::uint32_t mount = 0; mount < size; ++mount) {
        if (table.mounts[mount].parent == order[at]) order.push_back(mount);
      }
    }
  }
  std::vector<std::uint32_t> position(size);
  for (std::uint32_t at = 0; at < size; ++at) position[order[at]] = at;
  MountTable ordered;
  ordered.namespaces = table.namespaces;
  for (const std::uint32_t mount : order) {
    ordered.mounts.push_back(table.mounts[mount]);
    std::uint32_t& parent = ordered.mounts.back().parent;
    if (parent != no_index) parent = position[parent];
  }
  return ordered;
}

/// A mount on which nothing lies, or no_index.
std::uint32_t pick_leaf(const MountTable& table, Random& random) {
  const MountTree tree(table);
  std::vector<std::uint32_t> leaves;
  for (std::uint32_t mount = 1; mount < tree.size(); ++mount) {
    if (!tree.is_root(mount) && tree.children(mount).empty()) leaves.push_back(mount);
  }
  return leaves.empty() ? no_index : random.pick(leaves);
}

/// Does one thing to the container; the kind of change that must be found, and where.
struct Mutation {
  Change::Kind kind{};
  std::string target;
};

Mutation mutate(MountTable& table, const Plan& plan, Random& random) {
  const std::uint32_t any = random.below(table.mounts.size());
  const std::uint32_t leaf = pick_leaf(table, random);
  switch (random.below(4)) {
    case 0:
      if (leaf != no_index) {
        const std::string target = table.mounts[leaf].mountpoint;
        table.mounts.erase(table.mounts.begin() + static_cast<std::ptrdiff_t>(leaf));
        for (LiveMount& mount : table.mounts) {
          if (mount.parent != no_index && mount.parent > leaf) --mount.parent;
        }
        return {Change::Kind::removed, target};
      }
      [[fallthrough]];
    case 1: {
      const std::vector<std::string> places{"", "a", "new", "a/b/c"};
      put_mount(table, any, random.pick(places));
      return {Change::Kind::added, table.mounts.back().mountpoint};
    }
    case 2:
      table.mounts[any].attrs ^= plan.mounts[any].attrs.mask;
      return {Change::Kind::changed, table.mounts[any].mountpoint};
    default:  // leaves its group, or gets one of its own
      table.mounts[any].peer_group = table.mounts[any].peer_group == 0 ? 100 : 0;
      return {Change::Kind::changed, table.mounts[any].mountpoint};
  }
}

TEST_CASE("a container made as planned shows no differences") {
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    Plan plan = random_plan(random);
    const std::string lines = source_lines(plan);
    const MountTable table = made(plan, random, sources(plan, lines));
    const Case exact(std::move(plan), in_tree_order(table), lines);
    CHECK(exact.changes.empty());
  }
}

TEST_CASE("one thing done to a container is one change") {
  for (std::uint32_t seed = 0; seed < 1200; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    Plan plan = random_plan(random);
    const std::string lines = source_lines(plan);
    MountTable table = made(plan, random, sources(plan, lines));
    const Mutation mutation = mutate(table, plan, random);
    const Case changed(std::move(plan), in_tree_order(table), lines);
    INFO(changed.text());
    REQUIRE(changed.changes.size() == 1);
    const Change& change = changed.changes.front();
    CHECK(change.kind == mutation.kind);
    const std::string& target = change.desired != no_index
                                    ? changed.plan.mounts[change.desired].target
                                    : changed.table.mounts[change.live].mountpoint;
    CHECK(target == mutation.target);
  }
}

}  // namespace
}  // namespace mntcr::test
