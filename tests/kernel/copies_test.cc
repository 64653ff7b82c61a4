// What sharing implies is what the kernel does: random groups are made, mounts are put on their
// members one by one, and the kernel's tree must be the one that a spec of the same comes to.
// Mounts are made in the order of the places where they lie on their filesystem, shortest first, in
// which walks of the finished tree meet them.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

using namespace sandbox;
using Words = std::vector<std::string>;

/// A mount of the filesystem that all show: in a group, a slave of one, or private.
struct Member {
  std::string target;
  std::string root;
  std::string group;
  bool slave = false;  ///< of the group, and in none
};

/// A tmpfs that is mounted below a member.
struct Extra {
  std::string target;
  std::string place;  ///< on the filesystem that members show
  bool shared = false;
};

struct Case {
  std::vector<Member> members;
  std::vector<Extra> extras;
};

/// The masters of the groups that a case has, a master before its slaves.
const std::vector<std::pair<std::string, std::string>>& masters() {
  static const std::vector<std::pair<std::string, std::string>> all = {
      {"g", ""}, {"h", "g"}, {"i", "g"}, {"k", "h"}};
  return all;
}

std::string master_of(const std::string& group) {
  return std::ranges::find(masters(), group, &std::pair<std::string, std::string>::first)->second;
}

/// A slave of a group without members would be one of nobody.
void mend_masters(Case& made) {
  for (bool changed = true; changed;) {
    changed = false;
    for (Member& member : made.members) {
      const std::string needed = member.slave ? member.group : master_of(member.group);
      const bool there = std::ranges::any_of(
          made.members, [&](const Member& other) { return !other.slave && other.group == needed; });
      if (needed.empty() || there) continue;
      member = {member.target, member.root, "g", false};
      changed = true;
    }
  }
}

Case random_case(std::mt19937& random) {
  const auto pick = [&](const Words& from) { return from[random() % from.size()]; };
  Case made;
  const std::size_t count = 2 + random() % 5;
  for (std::size_t at = 0; at < count; ++at) {
    const std::string group = at == 0 ? "g" : pick({"g", "g", "h", "h", "i", "k"});
    made.members.push_back({"/m" + std::to_string(at), pick({"", "s", "s/t", "u"}), group,
                            at != 0 && random() % 4 == 0});
  }
  mend_masters(made);
  std::set<std::string> places;
  for (std::size_t tries = 1 + random() % 5; tries > 0; --tries) {
    const Member& member = made.members[random() % count];
    const std::string below = pick({"", "d", "d/e", "s", "s/d", "s/t", "t", "t/d", "u", "u/d"});
    std::string place = path::join(member.root, below);
    if (places.insert(place).second)
      made.extras.push_back(
          {path::join(member.target, below), std::move(place), random() % 3 == 0});
  }
  std::ranges::sort(made.extras, {}, [](const Extra& extra) {
    return std::pair(path::components(extra.place).size(), std::string_view(extra.place));
  });
  return made;
}

std::string spec_of(const Case& made) {
  std::string text =
      "spec = 1\nname = \"t\"\n[filesystem.a]\ntype = \"tmpfs\"\n[root]\ntype = \"tmpfs\"\n";
  for (const Member& member : made.members) {
    const std::string master = member.slave ? member.group : master_of(member.group);
    text += "[[mount]]\ntarget = \"" + member.target +
            "\"\nsource = \"fs:" + path::join("a", member.root) + "\"\npropagation = \"";
    text += master.empty() ? "" : "slave:" + master + " ";
    text += member.slave ? "\"\n" : "shared:" + member.group + "\"\n";
  }
  for (const Extra& extra : made.extras) {
    text += "[[mount]]\ntarget = \"" + extra.target + "\"\ntype = \"tmpfs\"\n";
    if (extra.shared) text += "propagation = \"shared\"\n";
  }
  return text;
}

/// A tree of mounts, to be compared: for each the mountpoints on the way to it, its group and its
/// master, these as the first of their members.
using Tree = std::set<std::tuple<std::string, std::string, std::string>>;

/// A mount of either side; group and master are any numbers, 0 for none.
struct Row {
  std::string way;
  std::uint64_t group = 0;
  std::uint64_t master = 0;
};

Tree tree_of(const std::vector<Row>& rows) {
  std::map<std::uint64_t, std::string> names = {{0, "none"}};
  for (const Row& row : rows) {
    if (row.group == 0) continue;
    std::string& name = names.try_emplace(row.group, row.way).first->second;
    name = std::min(name, row.way);
  }
  Tree tree;
  for (const Row& row : rows) {
    const auto master = names.find(row.master);
    tree.insert({row.way, names.at(row.group), master == names.end() ? "nobody" : master->second});
  }
  CHECK(tree.size() == rows.size());
  return tree;
}

Tree expected(const Layout& layout) {
  const auto number = [](std::uint32_t group) {
    return group == no_index ? 0 : std::uint64_t{group} + 1;
  };
  std::vector<Row> rows;
  for (const LayoutMount& mount : layout.mounts) {
    const std::string way =
        mount.parent == no_index ? "" : rows[mount.parent].way + "|" + mount.mountpoint;
    rows.push_back({way, number(mount.group), number(mount.master)});
  }
  return tree_of(rows);
}

/// Builds a case below `root`, by mount(2) alone.
class Builder {
 public:
  explicit Builder(std::string root) : root_(std::move(root)) {
    mount_tmpfs(root_);
    make_dir(at("/store"));
    mount_tmpfs(at("/store"));
    for (const char* place : {"d/e", "s/d/e", "s/t/d/e", "u/d/e"}) make_dir(at("/store/") + place);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder() { ::umount2(root_.c_str(), MNT_DETACH); }

  void make_members(const Case& made) {
    for (const auto& [group, master] : masters()) {
      make_dir(at("/" + group));
      mount_bind(at(master.empty() ? "/store" : "/" + master), at("/" + group));
      if (!master.empty()) propagate(at("/" + group), MS_SLAVE);
      propagate(at("/" + group), MS_SHARED);
    }
    for (const Member& member : made.members) {
      make_dir(at(member.target));
      make_dir(at("/store/" + member.root));
      mount_bind(path::join(at("/" + member.group), member.root), at(member.target));
      if (member.slave) propagate(at(member.target), MS_SLAVE);
    }
    for (const auto& [group, master] : masters()) unmount(at("/" + group));
    unmount(at("/store"));
  }

  /// Whether all copies could be reached, to be made private.
  bool mount_extra(const Extra& extra) {
    const MountTable before = read();
    make_dir(at(extra.target));
    mount_tmpfs(at(extra.target));
    if (extra.shared) {
      propagate(at(extra.target), MS_SHARED);
      return true;
    }
    for (const LiveMount& mount : read().mounts) {
      if (std::ranges::find(before.mounts, mount.id, &LiveMount::id) != before.mounts.end())
        continue;
      if (!is_met(mount)) return false;
      propagate(mount.mountpoint, MS_PRIVATE);
    }
    return true;
  }

  [[nodiscard]] Tree tree() const {
    const MountTable table = read();
    std::map<std::uint32_t, std::string> ways;
    std::vector<Row> rows;
    for (std::uint32_t index = 0; index < table.mounts.size(); ++index) {
      const LiveMount& mount = table.mounts[index];
      if (!path::is_at_or_below(mount.mountpoint, root_)) continue;
      const auto above = ways.find(mount.parent);
      const std::string way = above == ways.end() ? "" : above->second + "|" + mount.below_parent;
      ways.emplace(index, way);
      rows.push_back({way, mount.peer_group, mount.master});
    }
    return tree_of(rows);
  }

 private:
  [[nodiscard]] std::string at(const std::string& target) const { return root_ + target; }

  [[nodiscard]] static MountTable read() {
    std::ifstream file("/proc/self/mountinfo", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return parse_mountinfo(text).value();
  }

  /// Whether a walk to its mountpoint meets the mount.
  [[nodiscard]] static bool is_met(const LiveMount& mount) {
    const int fd = ::open(mount.mountpoint.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return false;
    std::ifstream facts("/proc/self/fdinfo/" + std::to_string(fd));
    std::uint64_t id = 0;
    for (std::string word; facts >> word;) {
      if (word == "mnt_id:") facts >> id;
    }
    ::close(fd);
    return id == mount.id;
  }

  std::string root_;
};

}  // namespace

TEST_CASE("implied copies are those that the kernel makes", "[sharing]") {
  constexpr int runs = 150;
  std::mt19937 random(6);  // NOLINT: the same every time
  int compared = 0;
  int implied = 0;
  for (int run = 0; run < runs; ++run) {
    const Case made = random_case(random);
    const testing::Compiled compiled(spec_of(made));
    INFO(spec_of(made) << compiled.messages());
    REQUIRE(compiled.layout);
    Builder builder(fresh_dir());
    builder.make_members(made);
    // Where a copy is hidden, the kernel lets nobody make it private.
    if (!std::ranges::all_of(made.extras,
                             [&](const Extra& extra) { return builder.mount_extra(extra); }))
      continue;
    CHECK(builder.tree() == expected(*compiled.layout));
    ++compared;
    implied += static_cast<int>(std::ranges::count_if(
        compiled.layout->mounts,
        [](const LayoutMount& mount) { return mount.implied == Implied::sharing; }));
  }
  CHECK(compared > runs / 2);
  CHECK(implied > runs);
}

}  // namespace mntcr
