// The border between a container and its parent, as a user writes it: what `slave:` and `shared:`
// of a group of the parent's let through, that building the container touches nothing, and that a
// spec without these words shares nothing, however the parent is made.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// A mount of the parent at …/var/spool that is shared, with places to mount on.
class Spool {
 public:
  Spool() : path_(fresh_dir() + "/var/spool") {
    make_dir(path_);
    mount_tmpfs(path_);
    for (const char* name : {"/host", "/inside", "/deep/host"}) make_dir(path_ + name);
    propagate(path_, MS_SHARED);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool() { ::umount2(path_.c_str(), MNT_DETACH); }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// A container that shows it, or what is at `below` of it, with that propagation.
  [[nodiscard]] std::string spec(const std::string& propagation,
                                 const std::string& below = {}) const {
    return fmt::format(R"(
spec = 1
name = "border"
[group.spool]
parent = "{0}"
exact = true
[root]
type = "tmpfs"
[[mount]]
target = "/spool"
source = "parent:{0}{2}"
propagation = "{1}"
)",
                       path_, propagation, below);
  }

 private:
  std::string path_;
};

/// Without the table of groups, for specs that name none.
std::string without_group(std::string spec) {
  const std::size_t begin = spec.find("[group.spool]");
  return spec.erase(begin, spec.find("[root]") - begin);
}

std::string parents_mounts() { return machine_state().mountinfo; }

bool has_mount(const Fd& ns, const std::string& path) {
  const MountTable table = read_namespace(ns);
  return std::ranges::find(table.mounts, path, &LiveMount::mountpoint) != table.mounts.end();
}

/// Applies, and sees that this changed nothing outside.
Built applied_unseen(const std::string& spec) {
  const std::string before = parents_mounts();
  Built built = applied(spec);
  CHECK(parents_mounts() == before);
  return built;
}

/// What is mounted on the host appears inside, and goes again.
void check_inward(const Spool& spool, const Built& built) {
  mount_tmpfs(spool.path() + "/host");
  CHECK(has_mount(built.ns(), "/spool/host"));
  unmount(spool.path() + "/host");
  CHECK_FALSE(has_mount(built.ns(), "/spool/host"));
}

}  // namespace

TEST_CASE("border: a slave of the parent's group sees the host's mounts, and shows it none") {
  const Spool spool;
  for (const std::string& spec :
       {spool.spec("slave:spool"), without_group(spool.spec("slave:parent"))}) {
    INFO(spec);
    const Built built = applied_unseen(spec);
    check_inward(spool, built);
    const std::string before = parents_mounts();
    inside(built.ns(), [] { mount_tmpfs("/spool/inside"); });
    CHECK(has_mount(built.ns(), "/spool/inside"));
    CHECK(parents_mounts() == before);
  }
}

TEST_CASE("border: a peer of the parent's shows both ways") {
  const Spool spool;
  for (const std::string& spec :
       {spool.spec("shared:spool"), without_group(spool.spec("shared:parent"))}) {
    INFO(spec);
    const Built built = applied_unseen(spec);
    check_inward(spool, built);
    inside(built.ns(), [] { mount_tmpfs("/spool/inside"); });
    CHECK(parents_mounts().find(spool.path() + "/inside ") != std::string::npos);
    unmount(spool.path() + "/inside");
    CHECK_FALSE(has_mount(built.ns(), "/spool/inside"));
  }
}

TEST_CASE("border: a slave of a part sees what happens in that part") {
  const Spool spool;
  const Built built = applied_unseen(spool.spec("slave:spool", "/deep"));
  mount_tmpfs(spool.path() + "/deep/host");
  CHECK(has_mount(built.ns(), "/spool/host"));
  mount_tmpfs(spool.path() + "/host");
  CHECK(read_namespace(built.ns()).mounts.size() == 3);
  unmount(spool.path() + "/host");
  unmount(spool.path() + "/deep/host");
}

TEST_CASE("border: a slave that is shared passes the host's mounts on to its own peers only") {
  const Spool spool;
  const Built built = applied_unseen(spool.spec("slave:spool shared:own") +
                                     "[[mount]]\ntarget = \"/again\"\nsource = \"self:/spool\"\n"
                                     "propagation = \"slave:spool shared:own\"\n");
  check_inward(spool, built);
  const std::string before = parents_mounts();
  inside(built.ns(), [] { mount_tmpfs("/again/inside"); });
  CHECK(has_mount(built.ns(), "/spool/inside"));
  CHECK(parents_mounts() == before);
}

namespace {

/// All mounts of the parent are shared, or all private again.
class AllShared {
 public:
  AllShared() { propagate("/", MS_SHARED | MS_REC); }
  AllShared(const AllShared&) = delete;
  AllShared& operator=(const AllShared&) = delete;
  ~AllShared() { ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr); }
};

std::set<std::uint64_t> groups_of(const MountTable& table) {
  std::set<std::uint64_t> groups;
  for (const LiveMount& mount : table.mounts) groups.insert({mount.peer_group, mount.master});
  groups.erase(0);
  return groups;
}

}  // namespace

TEST_CASE("border: without such words nothing is shared with the parent, though all of it is") {
  const Spool spool;
  const std::string data = fresh_dir();
  make_dir(data + "/sub");
  mount_bind(data, data);
  const AllShared all;
  const std::string spec = fmt::format(R"(
spec = 1
name = "apart"
[root]
type = "tmpfs"
[[mount]]
target = "/spool"
source = "parent:{0}"
[[mount]]
target = "/closed"
source = "parent:{0}"
propagation = "unbindable"
[[mount]]
target = "/data"
source = "parent:{1}"
propagation = "shared:own"
[[mount]]
target = "/part"
source = "self:/data/sub"
propagation = "slave:own shared"
[[mount]]
target = "/proc"
type = "proc"
propagation = "shared"
[[namespace]]
name = "worker"
clone = "main"
)",
                                       spool.path(), data);
  const std::string before = parents_mounts();
  const Built built = applied_unseen(spec);
  const Fd own = [] {
    auto file = open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt");
    REQUIRE(file);
    return std::move(*file);
  }();
  const std::set<std::uint64_t> parents = groups_of(read_namespace(own));
  CHECK(parents.size() >= 2);
  for (const Fd& ns : built.namespaces()) {
    const std::set<std::uint64_t> groups = groups_of(read_namespace(ns));
    CHECK(groups.size() == 3);
    for (const std::uint64_t group : groups) CHECK_FALSE(parents.contains(group));
    inside(ns, [] { mount_tmpfs("/spool/inside"); });
  }
  inside(built.ns(), [] { mount_tmpfs("/data/sub"); });
  CHECK(parents_mounts() == before);
  mount_tmpfs(spool.path() + "/host");
  for (const Fd& ns : built.namespaces()) CHECK_FALSE(has_mount(ns, "/spool/host"));
  unmount(spool.path() + "/host");
  unmount(data);
}

}  // namespace mntcr
