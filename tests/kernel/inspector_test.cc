// What the inspector sees of the inodes that mounts need, wherever mounts hide them; and that it
// never asks a server.
#include "runtime/capture/inspector.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>

#include "runtime/capture/capture.h"
#include "runtime/kernel/fault_kernel.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/inodes.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

Fd namespace_of(const Process& process) {
  const Fd proc = need(open_proc(linux_kernel()));
  return need(open_namespace_of_pid(linux_kernel(), proc, process.pid()));
}

/// The mounts of a process with what the inspector sees.
MountTable inspected(const Process& process) {
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = namespace_of(process);
  MountTable table = need(capture(linux_kernel(), proc, ns));
  const auto done = inspect(linux_kernel(), proc, ns, table);
  if (!done) FAIL(done.error().message);
  return table;
}

/// The mounts at a place, the lowest first.
std::vector<const LiveMount*> layers_at(const MountTable& table, const std::string& mountpoint) {
  std::vector<const LiveMount*> layers;
  for (const LiveMount& mount : table.mounts) {
    if (mount.mountpoint == mountpoint) layers.push_back(&mount);
  }
  return layers;
}

/// "dir 0755 0:0", "link -> /x", "char 1:3 0644 0:0", "file 0644 0:0, 5 bytes"; "nothing".
std::string told(const InodeFacts& facts) {
  if (facts.kind == InodeKind::symlink) return "link -> " + facts.target;
  const std::string owner = fmt::format("{:04o} {}:{}", facts.mode, facts.uid, facts.gid);
  const std::string device = fmt::format("{}:{} ", facts.rdev_major, facts.rdev_minor);
  switch (facts.kind) {
    case InodeKind::directory:
      return "dir " + owner;
    case InodeKind::fifo:
      return "fifo " + owner;
    case InodeKind::socket:
      return "socket " + owner;
    case InodeKind::character:
      return "char " + device + owner;
    case InodeKind::block:
      return "block " + device + owner;
    default:
      return fmt::format("file {}, {} bytes", owner, facts.size);
  }
}

std::string told(const LiveMount& mount) {
  return mount.root_inode ? told(*mount.root_inode) : "nothing";
}

/// What was seen of the filesystem that `mount` shows: "path: inode" a line each.
std::string needed_of(const MountTable& table, const LiveMount& mount) {
  const auto found = table.needed.find({mount.dev_major, mount.dev_minor});
  std::string text;
  if (found == table.needed.end()) return text;
  for (const NeededInode& inode : found->second) {
    text += inode.path + ": " + told(inode.facts) + '\n';
  }
  return text;
}

/// Whether the kernel has a filesystem, loaded or not.
bool has_filesystem(const std::string& type) {
  const bool has = linux_kernel().fsopen(type).has_value();
  if (!has) WARN("left out: this kernel has no " << type);
  return has;
}

std::string owned(const std::string& text, int owner) {
  const int shown = in_initial_user_namespace() ? owner : 0;
  return fmt::format("{} {}:{}", text, shown, shown);
}

}  // namespace

TEST_CASE("inspect: mountpoints and the directories above are seen underneath the mounts") {
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    make_odd_dir(dir + "/run", 0750, 3);
    make_odd_dir(dir + "/run/app", 01700, 4);
    make_odd_dir(dir + "/run/app/in", 0711, 5);
    make_dir(dir + "/unneeded");
    make_file(dir + "/file", "12345");
    make_file(dir + "/over");
    mount_tmpfs(dir + "/run/app");
    make_odd_dir(dir + "/run/app/sub", 0701, 6);
    mount_tmpfs(dir + "/run/app/sub");
    mount_bind(dir + "/over", dir + "/file");
  });
  const MountTable table = inspected(process);
  CHECK(needed_of(table, *layers_at(table, dir).front()) ==
        "file: file 0644 0:0, 5 bytes\nover: file 0644 0:0, 0 bytes\n" + owned("run: dir 0750", 3) +
            '\n' + owned("run/app: dir 1700", 4) + '\n');
  CHECK(needed_of(table, *layers_at(table, dir + "/run/app").front()) ==
        owned("sub: dir 0701", 6) + '\n');
  CHECK(told(*layers_at(table, dir + "/run/app").front()) == "dir 1777 0:0");
  CHECK(told(*layers_at(table, dir + "/file").front()) == "file 0644 0:0, 0 bytes");
}

TEST_CASE("inspect: hidden mounts are reached") {
  const std::string dir = fresh_dir();
  const auto make_tmpfs = [](const std::string& path, mode_t mode) {
    mount_tmpfs(path);
    must(::chmod(path.c_str(), mode) == 0, "chmod");
  };
  const Process process([&] {
    make_tmpfs(dir, 0701);
    make_dir(dir + "/a/b/c");
    make_tmpfs(dir + "/a/b/c", 0702);
    make_odd_dir(dir + "/a/b/c/deep", 0712, 1);
    make_tmpfs(dir + "/a/b/c/deep", 0703);
    make_tmpfs(dir + "/a/b", 0704);
    make_tmpfs(dir + "/a", 0705);
    make_dir(dir + "/a/x");
    make_tmpfs(dir + "/a/x", 0706);
    make_tmpfs(dir + "/a", 0707);  // on its root
    make_tmpfs(dir, 0710);
  });
  const MountTable table = inspected(process);
  const auto modes = [&](const std::string& place) {
    std::string text;
    for (const LiveMount* mount : layers_at(table, dir + place)) text += told(*mount) + ", ";
    return text;
  };
  CHECK(modes("") == "dir 0701 0:0, dir 0710 0:0, ");
  CHECK(modes("/a") == "dir 0705 0:0, dir 0707 0:0, ");
  CHECK(modes("/a/b") == "dir 0704 0:0, ");
  CHECK(modes("/a/b/c") == "dir 0702 0:0, ");
  CHECK(modes("/a/b/c/deep") == "dir 0703 0:0, ");
  CHECK(modes("/a/x") == "dir 0706 0:0, ");
  CHECK(needed_of(table, *layers_at(table, dir + "/a/b/c").front()) ==
        owned("deep: dir 0712", 1) + '\n');
  CHECK(needed_of(table, *layers_at(table, dir).front()) ==
        "a: dir 0755 0:0\na/b: dir 0755 0:0\na/b/c: dir 0755 0:0\n");
}

TEST_CASE("inspect: what a mount over the root hides is seen, and stays mounted") {
  if (!reads_by_statmount()) return leave_out("what a mount over the root hides");
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    make_odd_dir(dir + "/odd", 0703, 7);
    mount_tmpfs(dir + "/odd");
    mount_tmpfs("/", "mode=0711");
    must(::chdir("/..") == 0 && ::chroot(".") == 0, "chroot");
    make_dir("/top");
    must(::chmod("/top", 0702) == 0, "chmod");
    mount_tmpfs("/top");
  });
  const MountTable table = inspected(process);
  CHECK(needed_of(table, *layers_at(table, "/").back()) == "top: dir 0702 0:0\n");
  CHECK(needed_of(table, *layers_at(table, dir).front()) == owned("odd: dir 0703", 7) + '\n');
  CHECK(told(*layers_at(table, "/").back()) == "dir 0711 0:0");
  CHECK(inspected(process).mounts.size() == table.mounts.size());
}

TEST_CASE("inspect: a mount over a shared root is left where it is") {
  if (!reads_by_statmount()) return leave_out("what a mount over the root hides");
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    make_odd_dir(dir + "/odd", 0703, 7);
    mount_tmpfs(dir + "/odd");
    propagate("/", MS_SHARED);
    mount_tmpfs("/", "mode=0711");
  });
  const MountTable table = inspected(process);
  CHECK(told(*layers_at(table, "/").back()) == "dir 0711 0:0");
  CHECK(needed_of(table, *layers_at(table, dir).front()).empty());
  CHECK(layers_at(inspected(process), "/").size() == 2);
}

TEST_CASE("inspect: propagation takes nothing of the live namespace away") {
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    propagate(dir, MS_SHARED);
    make_dir(dir + "/a/b");
    mount_tmpfs(dir + "/a/b");
    mount_tmpfs(dir + "/a");
    mount_tmpfs(dir + "/a");
  });
  const MountTable table = inspected(process);
  CHECK(told(*layers_at(table, dir + "/a/b").front()) == "dir 1777 0:0");
  CHECK(inspected(process).mounts.size() == table.mounts.size());
}

TEST_CASE("inspect: roots that were removed") {
  const std::string dir = fresh_dir();
  const bool devices = in_initial_user_namespace();
  const Process process([&] {
    mount_tmpfs(dir);
    const auto target = [&](const std::string& name) {
      make_file(dir + "/to-" + name);
      return dir + "/to-" + name;
    };
    make_odd_dir(dir + "/d", 0710, 2);
    make_dir(dir + "/d1");
    make_dir(dir + "/d2");
    mount_bind(dir + "/d", dir + "/d1");
    mount_bind(dir + "/d", dir + "/d2");
    must(::rmdir((dir + "/d").c_str()) == 0, "rmdir");
    make_odd_dir(dir + "/d", 0711, 3);  // the name once more, another inode
    make_dir(dir + "/d3");
    mount_bind(dir + "/d", dir + "/d3");
    must(::rmdir((dir + "/d").c_str()) == 0, "rmdir");
    make_file(dir + "/f", "123");
    mount_bind(dir + "/f", target("f"));
    must(::mkfifo((dir + "/p").c_str(), 0600) == 0, "mkfifo");
    mount_bind(dir + "/p", target("p"));
    make_socket(dir + "/s");
    mount_bind(dir + "/s", target("s"));
    if (devices) {
      must(::mknod((dir + "/c").c_str(), S_IFCHR | 0640, makedev(1, 3)) == 0, "mknod");
      mount_bind(dir + "/c", target("c"));
    }
    make_symlink("/to", dir + "/l");
    bind_itself(dir + "/l", target("l"));
    make_dir(dir + "/n/m");
    make_dir(dir + "/nested");
    mount_bind(dir + "/n/m", dir + "/nested");
    std::filesystem::remove_all(dir + "/n");
    for (const char* name : {"/f", "/p", "/s", "/c", "/l"}) ::unlink((dir + name).c_str());
  });
  const MountTable table = inspected(process);
  const auto at = [&](const std::string& name) -> const LiveMount& {
    return *layers_at(table, dir + "/" + name).front();
  };
  CHECK(at("d1").root == "/d//deleted");
  CHECK(told(at("d1")) == owned("dir 0710", 2));
  REQUIRE(at("d2").root_inode.has_value());
  CHECK(at("d2").root_inode == at("d1").root_inode);
  CHECK(at("d3").root == "/d//deleted");
  CHECK(told(at("d3")) == owned("dir 0711", 3));
  CHECK(at("d3").root_inode->inode != at("d1").root_inode->inode);
  CHECK(told(at("to-f")) == "file 0644 0:0, 3 bytes");
  CHECK(told(at("to-p")) == "fifo 0600 0:0");
  CHECK(told(at("to-s")).starts_with("socket 0"));
  if (devices) CHECK(told(at("to-c")) == "char 1:3 0640 0:0");
  CHECK(told(at("to-l")) == "link -> /to");
  CHECK(at("nested").root == "/n/m//deleted");
  CHECK(told(at("nested")) == "dir 0755 0:0");
  CHECK(needed_of(table, *layers_at(table, dir).front()).find("deleted") == std::string::npos);
}

TEST_CASE("inspect: roots of binds, names that look removed, and symlinks") {
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    make_odd_dir(dir + "/x (deleted)", 0701, 1);
    make_odd_dir(dir + "/x (deleted)/deleted", 0702, 2);
    make_symlink("/nowhere", dir + "/link");
    make_file(dir + "/at");
    make_dir(dir + "/to");
    mount_bind(dir + "/x (deleted)/deleted", dir + "/to");
    bind_itself(dir + "/link", dir + "/at");
  });
  const MountTable table = inspected(process);
  CHECK(layers_at(table, dir + "/to").front()->root == "/x (deleted)/deleted");
  CHECK(needed_of(table, *layers_at(table, dir).front()) ==
        "at: file 0644 0:0, 0 bytes\nlink: link -> /nowhere\nto: dir 0755 0:0\n" +
            owned("x (deleted): dir 0701", 1) + '\n' + owned("x (deleted)/deleted: dir 0702", 2) +
            '\n');
  CHECK(told(*layers_at(table, dir + "/at").front()) == "link -> /nowhere");
}

TEST_CASE("inspect: a part of a filesystem whose root nobody mounts") {
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    make_odd_dir(dir + "/part", 0701, 1);
    make_odd_dir(dir + "/part/in", 0702, 2);
    make_dir(dir + "/to");
    mount_tmpfs(dir + "/part/in");
    const std::string out = fresh_dir();
    mount_bind(dir + "/part", out);
    must(::umount2(dir.c_str(), MNT_DETACH) == 0, "umount");
    mount_tmpfs(out + "/in");
  });
  const MountTable table = inspected(process);
  const auto part = std::ranges::find(table.mounts, "/part", &LiveMount::root);
  REQUIRE(part != table.mounts.end());
  CHECK(needed_of(table, *part) ==
        owned("part: dir 0701", 1) + '\n' + owned("part/in: dir 0702", 2) + '\n');
}

TEST_CASE("inspect: a FUSE server that never answers hangs nobody") {
  if (!has_filesystem("fuse") || ::access("/dev/fuse", R_OK | W_OK) != 0) return;
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    for (const char* name : {"/dead", "/over/in", "/under"}) make_dir(dir + name);
    mount_tmpfs(dir + "/over/in");
    mount_tmpfs(dir + "/under");
    for (const char* name : {"/dead", "/over", "/under"}) {
      const int own = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
      mount_new("fuse", dir + name, "dead", 0,
                fmt::format("fd={},rootmode=40000,user_id=0,group_id=0", own));
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  const MountTable table = inspected(process);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK(told(*layers_at(table, dir + "/dead").front()) == "nothing");
  CHECK(told(*layers_at(table, dir + "/over").front()) == "nothing");
  CHECK(told(*layers_at(table, dir + "/over/in").front()) == "dir 1777 0:0");
  CHECK(told(*layers_at(table, dir + "/under").front()) == "dir 1777 0:0");
  CHECK(told(*layers_at(table, dir + "/under").back()) == "nothing");
}

TEST_CASE("inspect: a FUSE server that never answers, over the root") {
  if (!has_filesystem("fuse") || ::access("/dev/fuse", R_OK | W_OK) != 0) return;
  if (!reads_by_statmount()) return leave_out("what a mount over the root hides");
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir, "mode=0711");
    const int own = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    mount_new("fuse", "/", "dead", 0,
              fmt::format("fd={},rootmode=40000,user_id=0,group_id=0,default_permissions", own));
  });
  const MountTable table = inspected(process);
  CHECK(told(*layers_at(table, "/").back()) == "nothing");
  CHECK(layers_at(table, dir).size() == 1);
}

TEST_CASE("inspect: mounts on an overlay are reached") {
  if (!has_filesystem("overlay")) return;
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    for (const char* name : {"/lower/a", "/lower/b", "/upper", "/work", "/at"})
      make_dir(dir + name);
    mount_new("overlay", dir + "/at", "overlay", 0,
              fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", dir));
    for (const char* name : {"/at/a", "/at/b", "/at/b"}) mount_tmpfs(dir + name);
  });
  const MountTable table = inspected(process);
  CHECK(told(*layers_at(table, dir + "/at").front()) == "nothing");
  CHECK(told(*layers_at(table, dir + "/at/a").front()) == "dir 1777 0:0");
  CHECK(told(*layers_at(table, dir + "/at/b").front()) == "dir 1777 0:0");
  CHECK(told(*layers_at(table, dir + "/at/b").back()) == "dir 1777 0:0");
}

TEST_CASE("inspect: a namespace that has changed is read again") {
  const std::string dir = fresh_dir();
  const Process process([&] { mount_tmpfs(dir); });
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = namespace_of(process);
  MountTable table = need(capture(linux_kernel(), proc, ns));
  inside(ns, [&] {
    make_odd_dir(dir + "/new", 0701, 1);
    mount_tmpfs(dir + "/new");
  });
  const std::size_t before = table.mounts.size();
  REQUIRE(inspect(linux_kernel(), proc, ns, table).has_value());
  CHECK(table.mounts.size() == before + 1);
  CHECK(needed_of(table, *layers_at(table, dir).front()) == owned("new: dir 0701", 1) + '\n');
}

TEST_CASE("inspect: whichever call fails, the table stays, and nothing is kept open") {
  const std::string dir = fresh_dir();
  const Process process([&] {
    mount_tmpfs(dir);
    make_dir(dir + "/a/b");
    mount_tmpfs(dir + "/a/b");
    mount_tmpfs(dir + "/a");
    if (reads_by_statmount()) mount_tmpfs("/");
  });
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = namespace_of(process);
  const MountTable read = need(capture(linux_kernel(), proc, ns));
  for (const int error : {EIO, EAGAIN, EPERM}) {
    for (std::size_t call = 1;; ++call) {
      FaultKernel faulty(linux_kernel());
      faulty.fail_call(call, error);
      MountTable table = read;
      const bool done = inspect(faulty, proc, ns, table).has_value();
      CHECK(faulty.open_fds() == 0);
      if (faulty.calls() < call) break;
      INFO(faulty.log()[call - 1]);
      CHECK(done);
      CHECK(table.mounts.size() == read.mounts.size());
    }
  }
}

TEST_CASE("inspect: one copy of the namespace is enough where nothing is hidden") {
  std::string spec = "spec = 1\nname = \"thirty\"\n[root]\ntype = \"tmpfs\"\n";
  for (int at = 1; at < 30; ++at) {
    spec += fmt::format("[[mount]]\ntarget = \"/{}\"\ntype = \"tmpfs\"\n", at);
  }
  const Built container = applied(spec);
  const Fd proc = need(open_proc(linux_kernel()));
  MountTable table = read_namespace(container.ns());
  FaultKernel counted(linux_kernel());
  REQUIRE(inspect(counted, proc, container.ns(), table).has_value());
  const auto calls = [&](const std::string& name) {
    return std::ranges::count_if(counted.log(),
                                 [&](const std::string& call) { return call.starts_with(name); });
  };
  CHECK(calls("unshare") == 2);  // the thread's own root and working directory, and the copy
  CHECK(calls("umount2") == 0);
  CHECK(calls("open_tree") == 1);
  CHECK(told(*layers_at(table, "/29").front()) == "dir 1777 0:0");
}

}  // namespace mntcr
