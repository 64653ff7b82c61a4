// Sharing between a container and its parent, as the kernel has it: groups of the parent are found
// by its paths, told by diff and written by capture.
#include "runtime/diff/crossings.h"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

#include "runtime/diff/diff.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// A copy of our namespace, in which what is shared here is shared with us; `set_up` has run in it.
Fd copy_of_ours(const std::function<void()>& set_up) {
  auto made = run_in_thread([&]() -> Result<Fd> {
    if (::unshare(CLONE_NEWNS) < 0) return fail("unshare", errno);
    set_up();
    return open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt");
  });
  if (!made) throw std::runtime_error(made.error().message);
  return std::move(*made);
}

const LiveMount& mount_at(const MountTable& table, const std::string& path) {
  return *std::ranges::find(table.mounts, path, &LiveMount::mountpoint);
}

/// A shared tmpfs of the parent with a directory `sub`.
class SharedDir {
 public:
  SharedDir() : path_(fresh_dir()) {
    mount_tmpfs(path_);
    make_dir(path_ + "/sub");
    propagate(path_, MS_SHARED);
  }
  SharedDir(const SharedDir&) = delete;
  SharedDir& operator=(const SharedDir&) = delete;
  ~SharedDir() { ::umount2(path_.c_str(), MNT_DETACH); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_CASE("crossings: a group of the parent is that of the mount that holds its path") {
  const SharedDir dir;
  const Fd ns = copy_of_ours([] {});
  const Observed seen(ns, false);
  const std::uint64_t group = mount_at(seen.parent, dir.path()).peer_group;
  REQUIRE(group != 0);
  Plan plan;
  plan.groups = {{"whole", no_index, dir.path(), true, {}},
                 {"below", no_index, dir.path() + "/sub", false, {}},
                 {"exact", no_index, dir.path() + "/sub", true, {}},
                 {"missing", no_index, dir.path() + "/none", false, {}},
                 {"inner", no_index, {}, false, {}}};
  const ResolvedSources sources = seen.sources(plan);
  CHECK(sources.groups ==
        std::map<std::uint32_t, std::uint64_t>{{0, group}, {1, group}, {2, 0}, {3, 0}});
  REQUIRE(sources.outside.size() == 1);
  CHECK(sources.outside.at(group).path == dir.path());
}

TEST_CASE("crossings: peers and slaves are told, and captured by the parent's path") {
  const SharedDir dir;
  const Fd peer = copy_of_ours([] {});
  const Fd slave = copy_of_ours([&] { propagate(dir.path(), MS_SLAVE); });
  for (const bool is_slave : {false, true}) {
    const Observed seen(is_slave ? slave : peer, false);
    const auto crossings = find_crossings(seen.live, seen.parent);
    REQUIRE(crossings.size() == 1);
    const Crossing& found = crossings.front();
    CHECK(seen.live.mounts[found.mount].mountpoint == dir.path());
    CHECK(seen.parent.mounts[found.partner].mountpoint == dir.path());
    CHECK(found.direction ==
          (is_slave ? Crossing::Direction::receives : Crossing::Direction::both));
    const std::string text = write_spec("shared", seen.live, seen.parent);
    INFO(text);
    CHECK(text.find("parent = \"" + dir.path() + "\"\nexact = true\n") != std::string::npos);
    const std::string word = is_slave ? "slave:" : "shared:";
    CHECK(text.find("propagation = \"" + word) != std::string::npos);
  }
}

TEST_CASE("crossings: a mount of the parent that is a slave of the container's") {
  const SharedDir dir;
  const Fd ns = copy_of_ours([] {});
  propagate(dir.path(), MS_SLAVE);
  const Observed seen(ns, false);
  const auto crossings = find_crossings(seen.live, seen.parent);
  REQUIRE(crossings.size() == 1);
  CHECK(crossings.front().direction == Crossing::Direction::sends);
}

TEST_CASE("crossings: a copy that is private has nothing to do with the parent") {
  const SharedDir dir;
  const Fd ns = copy_of_ours([&] { propagate(dir.path(), MS_PRIVATE); });
  const Observed seen(ns, false);
  CHECK(find_crossings(seen.live, seen.parent).empty());
}

}  // namespace
}  // namespace mntcr
