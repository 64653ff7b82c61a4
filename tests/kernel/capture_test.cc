// Namespaces are read as they are, whichever way and from wherever.
#include "runtime/capture/capture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
#include "runtime/kernel/fault_kernel.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {

/// Equal but for the ids of mounts, which the two readers take from different numberings.
static bool operator==(const LiveMount& a, const LiveMount& b) {
  return a.parent == b.parent && a.dev_major == b.dev_major && a.dev_minor == b.dev_minor &&
         a.root == b.root && a.mountpoint == b.mountpoint && a.below_parent == b.below_parent &&
         a.attrs == b.attrs && a.peer_group == b.peer_group && a.master == b.master &&
         a.unbindable == b.unbindable && a.sb_rdonly == b.sb_rdonly && a.sb_flags == b.sb_flags &&
         a.fs_type == b.fs_type && a.source == b.source && a.fs_options == b.fs_options;
}

static std::ostream& operator<<(std::ostream& out, const LiveMount& mount) {
  out << "\n  " << path::printable(mount.mountpoint) << " parent " << mount.parent << " root "
      << path::printable(mount.root) << " " << mount.fs_type << " " << mount.source << " attrs "
      << mount.attrs << " group " << mount.peer_group << " master " << mount.master;
  for (const std::string& option : mount.fs_options) out << "," << option;
  return out;
}

namespace {

using sandbox::leave_out;
using sandbox::linux_kernel;
using sandbox::readers;
using sandbox::reads_by_statmount;

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

Fd proc() { return need(open_proc(linux_kernel())); }
Fd own_namespace() { return need(open_namespace_file(linux_kernel(), "/proc/self/ns/mnt")); }

MountTable capture_of(const Fd& ns, Reader reader = Reader::automatic) {
  MountTable table = need(capture(linux_kernel(), proc(), ns, reader));
  REQUIRE(table.unique_ids == (reader != Reader::mountinfo && reads_by_statmount()));
  return table;
}

MountTable capture_of(pid_t pid, Reader reader = Reader::automatic) {
  return capture_of(need(open_namespace_of_pid(linux_kernel(), proc(), pid)), reader);
}

const LiveMount& at(const MountTable& table, const std::string& mountpoint) {
  const auto found = std::find_if(table.mounts.rbegin(), table.mounts.rend(),
                                  [&](const LiveMount& m) { return m.mountpoint == mountpoint; });
  if (found == table.mounts.rend()) FAIL("no mount at " << mountpoint);
  return *found;
}

bool has_option(const LiveMount& mount, const std::string& option) {
  return std::find(mount.fs_options.begin(), mount.fs_options.end(), option) !=
         mount.fs_options.end();
}

/// A tree with a bit of everything that both readers can see.
void make_ordinary_tree(const std::string& dir) {
  using namespace sandbox;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i"}) {
    make_dir(dir + "/" + name);
  }
  mount_new("tmpfs", dir + "/a", "with space", MS_NOSUID | MS_NODEV, "size=64k,mode=700");
  make_dir(dir + "/a/sub dir\n\\x#y");
  make_file(dir + "/a/file");
  mount_new("tmpfs", dir + "/a/sub dir\n\\x#y", "", MS_NOEXEC | MS_STRICTATIME);
  mount_bind(dir + "/a/sub dir\n\\x#y", dir + "/b", MS_RDONLY | MS_NOATIME | MS_NODIRATIME);
  propagate(dir + "/a", MS_SHARED);
  mount_bind(dir + "/a", dir + "/c");
  propagate(dir + "/c", MS_SLAVE);
  mount_bind(dir + "/a", dir + "/d");
  propagate(dir + "/d", MS_UNBINDABLE);
  mount_new("tmpfs", dir + "/e", "none", MS_RDONLY);
  mount_new("ramfs", dir + "/f", "#hash", MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME);
  mount_bind("/", dir + "/g", MS_REC);
  propagate(dir + "/c", MS_SHARED);
  make_dir(dir + "/a/gone");
  mount_bind(dir + "/a/gone", dir + "/h");
  ::rmdir((dir + "/a/gone").c_str());
  mount_bind("/proc/self/ns/uts", (make_file(dir + "/i/uts"), dir + "/i/uts"));
}

TEST_CASE("both readers agree on an ordinary tree") {
  const std::string dir = sandbox::fresh_dir();
  const sandbox::Process process([&] { make_ordinary_tree(dir); });
  const MountTable table = capture_of(process.pid());
  for (const Reader reader : readers())
    REQUIRE(capture_of(process.pid(), reader).mounts == table.mounts);

  const LiveMount& a = at(table, dir + "/a");
  CHECK(a.source == "with space");
  CHECK(a.attrs == (mount_attr::nosuid | mount_attr::nodev));
  CHECK(has_option(a, "size=64k"));
  CHECK(has_option(a, "mode=700"));
  CHECK(a.peer_group != 0);
  const LiveMount& below = at(table, dir + "/a/sub dir\n\\x#y");
  CHECK(below.source.empty());
  CHECK(below.below_parent == "sub dir\n\\x#y");
  CHECK(below.attrs == (mount_attr::noexec | mount_attr::strictatime));
  CHECK(at(table, dir + "/c").master == a.peer_group);
  CHECK(at(table, dir + "/c").peer_group != 0);
  CHECK(at(table, dir + "/d").unbindable);
  CHECK(at(table, dir + "/e").sb_rdonly);
  CHECK(at(table, dir + "/h").root == "/gone//deleted");
  CHECK(at(table, dir + "/f").sb_flags == (fs_flag::sync | fs_flag::dirsync | fs_flag::lazytime));
}

TEST_CASE("a PID and the file of its namespace give the same table") {
  const sandbox::Process process([&] { sandbox::mount_tmpfs("/mnt"); });
  const std::string file = "/proc/" + std::to_string(process.pid()) + "/ns/mnt";
  const MountTable by_file = capture_of(need(open_namespace_file(linux_kernel(), file)));
  const MountTable by_pid = capture_of(process.pid());
  REQUIRE(by_file.mounts == by_pid.mounts);
  CHECK(at(by_pid, "/mnt").fs_type == "tmpfs");
}

TEST_CASE("what a mount over the root hides is seen by statmount and refused by mountinfo") {
  const sandbox::Process process([&] {
    sandbox::mount_tmpfs("/mnt");
    sandbox::mount_tmpfs("/", "size=1m");
  });
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc(), process.pid()));
  const auto by_mountinfo = capture(linux_kernel(), proc(), ns, Reader::mountinfo);
  REQUIRE_FALSE(by_mountinfo.has_value());
  CHECK_THAT(by_mountinfo.error().message, Catch::Contains("covers the namespace's root"));

  if (!reads_by_statmount()) return leave_out("what a mount over the root hides");
  const MountTable table = capture_of(process.pid());
  CHECK(at(table, "/mnt").fs_type == "tmpfs");
  const auto cover = std::find_if(table.mounts.begin() + 1, table.mounts.end(),
                                  [](const LiveMount& m) { return m.mountpoint == "/"; });
  REQUIRE(cover != table.mounts.end());
  CHECK(cover->parent == 0);
  CHECK(cover->below_parent.empty());
}

TEST_CASE("a chrooted process shows its whole namespace") {
  const std::string dir = sandbox::fresh_dir();
  const sandbox::Process plain([] {});
  const sandbox::Process process([&] {
    if (::chroot(dir.c_str()) != 0 || ::chdir("/") != 0) throw std::runtime_error("chroot");
  });
  const MountTable expected = capture_of(plain.pid());
  for (const Reader reader : readers())
    CHECK(capture_of(process.pid(), reader).mounts == expected.mounts);
}

TEST_CASE("stacked mounts stand on one another") {
  const std::string dir = sandbox::fresh_dir();
  const sandbox::Process process([&] {
    sandbox::mount_tmpfs(dir, "mode=701");
    sandbox::mount_tmpfs(dir, "mode=702");
    sandbox::mount_tmpfs(dir, "mode=703");
  });
  for (const Reader reader : readers()) {
    const MountTable table = capture_of(process.pid(), reader);
    const LiveMount& top = at(table, dir);
    CHECK(has_option(top, "mode=703"));
    CHECK(top.below_parent.empty());
    CHECK(has_option(table.mounts[top.parent], "mode=702"));
    CHECK(table.mounts[top.parent].mountpoint == dir);
  }
}

/// The own namespace of a thread that stands as `prepare` puts it, read from there and from
/// outside.
void compare_own_with_outside(Reader reader, const std::function<void()>& prepare) {
  struct Both {
    MountTable own;
    MountTable outside;
  };
  const Fd proc_dir = proc();
  const auto both = run_in_thread([&]() -> Result<Both> {
    Kernel& kernel = linux_kernel();
    if (auto unshared = kernel.unshare(abi::clone_newns); !unshared) {
      return Failure(unshared.error());
    }
    const auto ns = kernel.openat2(proc_dir.get(), "thread-self/ns/mnt", OpenHow{});
    if (!ns) return Failure(ns.error());
    prepare();
    auto own = capture(kernel, proc_dir, *ns, reader);
    if (!own) return Failure(own.error());
    auto outside = run_in_thread([&]() -> Result<MountTable> {
      if (auto aside = kernel.unshare(abi::clone_newns); !aside) return Failure(aside.error());
      return capture(kernel, proc_dir, *ns, reader);
    });
    if (!outside) return Failure(outside.error());
    return Both{std::move(*own), std::move(*outside)};
  });
  if (!both) FAIL(both.error().message);
  CHECK(both->own.mounts == both->outside.mounts);
  CHECK(both->own.mounts.size() > 3);
}

TEST_CASE("the own namespace is read as others would read it") {
  const std::string dir = sandbox::fresh_dir();
  for (const Reader reader : readers()) {
    compare_own_with_outside(reader, [] {});
    compare_own_with_outside(reader, [&] { REQUIRE(::chroot(dir.c_str()) == 0); });
    compare_own_with_outside(reader, [&] {
      sandbox::mount_tmpfs(dir);
      REQUIRE(::chroot(dir.c_str()) == 0);
    });
  }
}

TEST_CASE("the own namespace with a covered root is read as others would read it") {
  if (!reads_by_statmount()) return leave_out("what a mount over the own root hides");
  SECTION("from below") {
    compare_own_with_outside(Reader::statmount, [] { sandbox::mount_tmpfs("/"); });
  }
  SECTION("from on top") {
    compare_own_with_outside(Reader::statmount, [] {
      sandbox::mount_tmpfs("/");
      REQUIRE(::chdir("/..") == 0);
      REQUIRE(::chroot(".") == 0);
    });
  }
}

TEST_CASE("reading takes nothing of a namespace away whose root is shared and covered") {
  const sandbox::Process process([] {
    sandbox::propagate("/", MS_SHARED);
    sandbox::mount_tmpfs("/");
  });
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc(), process.pid()));
  const auto roots = [&] {
    const MountTable table = need(capture(linux_kernel(), proc(), ns));
    return std::ranges::count(table.mounts, "/", &LiveMount::mountpoint);
  };
  const auto before = roots();
  for (const Reader reader : readers()) {
    static_cast<void>(capture(linux_kernel(), proc(), ns, reader));
    CHECK(roots() == before);
  }
  if (reads_by_statmount()) CHECK(before == 2);
}

TEST_CASE("reading changes nothing about the caller") {
  const auto inode = [](const Fd& file) {
    return need(linux_kernel().statx(file.get(), "", 0)).inode;
  };
  const Fd ns = own_namespace();
  const MountTable first = capture_of(ns);
  for (const Reader reader : readers()) {
    CHECK(capture_of(ns, reader).mounts == first.mounts);
    CHECK(capture_of(ns).mounts == first.mounts);
  }
  CHECK(inode(own_namespace()) == inode(ns));
}

TEST_CASE("files that are no mount namespaces are told apart") {
  const std::string dir = sandbox::fresh_dir();
  sandbox::make_file(dir + "/plain");
  REQUIRE(::mkfifo((dir + "/pipe").c_str(), 0600) == 0);
  const auto message = [](const std::string& path) {
    const auto opened = open_namespace_file(linux_kernel(), path);
    return opened ? std::string("opened") : opened.error().message;
  };
  CHECK_THAT(message(dir + "/plain"), Catch::Contains("is not a namespace file"));
  CHECK_THAT(message(dir + "/pipe"), Catch::Contains("is not a namespace file"));
  CHECK_THAT(message("/proc/self/ns/uts"), Catch::Contains("file of a uts namespace"));
  CHECK_THAT(message(dir + "/none"), Catch::Contains("No such file"));
  const auto no_process = open_namespace_of_pid(linux_kernel(), proc(), 4194304);
  REQUIRE_FALSE(no_process.has_value());
  CHECK(no_process.error().message == "there is no process 4194304");
}

TEST_CASE("sources are told by filesystem and path within it") {
  const std::string dir = sandbox::fresh_dir();
  sandbox::mount_tmpfs(dir);
  sandbox::make_dir(dir + "/tree/deep (deleted)");
  sandbox::make_dir(dir + "/bound");
  sandbox::make_dir(dir + "/doomed");
  sandbox::make_dir(dir + "/orphan");
  sandbox::mount_bind(dir + "/tree", dir + "/bound");
  sandbox::mount_bind(dir + "/doomed", dir + "/orphan");
  REQUIRE(::rmdir((dir + "/doomed").c_str()) == 0);
  sandbox::make_symlink("/bound/deep (deleted)", dir + "/absolute");
  sandbox::make_symlink("bound/deep (deleted)", dir + "/relative");

  const Fd proc_dir = proc();
  for (const Reader reader : readers()) {
    const MountTable table = capture_of(own_namespace(), reader);
    SourceResolver resolver(linux_kernel(), proc_dir, table);
    const LiveMount& mount = at(table, dir);
    const auto root_of = [&](const std::string& path, bool follow = true) {
      const auto identity = resolver.resolve(path, follow);
      if (!identity) return identity.error().message;
      CHECK(identity->dev_minor == mount.dev_minor);
      return identity->root;
    };
    CHECK(root_of(dir) == "/");
    CHECK(root_of(dir + "/tree") == "/tree");
    CHECK(root_of(dir + "/bound") == "/tree");
    CHECK(root_of(dir + "/bound/deep (deleted)") == "/tree/deep (deleted)");
    CHECK(root_of(dir + "/relative") == "/tree/deep (deleted)");
    CHECK(root_of(dir + "/relative", false) == "/relative");
    CHECK(root_of(dir + "/orphan") == "/doomed//deleted");
    CHECK_THAT(root_of(dir + "/none"), Catch::Contains("No such file"));
    const LikelySources likely(table);
    for (const char* path : {"/tree", "/bound", "/bound/deep (deleted)", "/relative", "/orphan"}) {
      for (const bool follow : {true, false}) {
        const auto plain = resolver.resolve(dir + path, follow);
        const auto quick = resolver.resolve(dir + path, follow, &likely);
        CHECK(need(plain) == need(quick));
      }
    }
  }
}

TEST_CASE("a chrooted caller cannot resolve sources") {
  const Fd proc_dir = proc();
  const MountTable table = capture_of(own_namespace());
  const std::string dir = sandbox::fresh_dir();
  const auto identity = run_in_thread([&]() -> Result<SourceIdentity> {
    if (auto alone = linux_kernel().unshare(abi::clone_fs); !alone) return Failure(alone.error());
    if (::chroot(dir.c_str()) != 0) return fail("chroot");
    return SourceResolver(linux_kernel(), proc_dir, table).resolve("/", true);
  });
  REQUIRE_FALSE(identity.has_value());
  CHECK_THAT(identity.error().message, Catch::Contains("chrooted"));
}

/// The mounts of `pid`, read from the beginning through `kernel`.
Result<MountTable> capture_through(Kernel& kernel, pid_t pid, Reader reader) {
  const auto proc_dir = open_proc(kernel);
  if (!proc_dir) return Failure(proc_dir.error());
  const auto ns = open_namespace_of_pid(kernel, *proc_dir, pid);
  if (!ns) return Failure(ns.error());
  return capture(kernel, *proc_dir, *ns, reader);
}

TEST_CASE("whichever call fails, capture fails and keeps nothing open") {
  const sandbox::Process plain([] { sandbox::mount_tmpfs("/mnt"); });
  const sandbox::Process covered([] { sandbox::mount_tmpfs("/"); });
  for (const Reader reader : {Reader::automatic, Reader::statmount, Reader::mountinfo}) {
    for (const pid_t pid : {plain.pid(), covered.pid()}) {
      for (std::size_t call = 1;; ++call) {
        FaultKernel faulty(linux_kernel());
        faulty.fail_call(call, EIO);
        const bool captured = capture_through(faulty, pid, reader).has_value();
        CHECK(faulty.open_fds() == 0);
        if (faulty.calls() < call) break;
        INFO(faulty.log()[call - 1]);
        CHECK_FALSE(captured);
      }
    }
  }
}

}  // namespace
}  // namespace mntcr
