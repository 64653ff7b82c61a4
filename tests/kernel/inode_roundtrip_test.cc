// Inodes that mounts need come back from a capture: captured, compiled, applied and captured again,
// the text is the same.
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "tests/kernel/support/commands.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/inodes.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

constexpr const char* tmpfs_spec = R"(spec = 1
name = "base"
[root]
type = "tmpfs"
options = ["mode=0755"]
[[mount]]
target = "/proc"
type = "proc"
[[mount]]
target = "/t"
type = "tmpfs"
)";

/// The capture of a container in which `set_up` has run; it has come back exactly.
std::string comes_back(const std::function<void()>& set_up) {
  return sandbox::comes_back(tmpfs_spec, set_up);
}

/// Binds `from` to `to`, an empty file that is made, and removes it.
void bind_and_remove(const std::string& from, const std::string& to) {
  make_file(to);
  bind_itself(from, to);
  must(::unlink(from.c_str()) == 0, "unlink");
}

void bind_and_remove_dir(const std::string& from, const std::string& to) {
  make_dir(to);
  mount_bind(from, to);
  must(::rmdir(from.c_str()) == 0, "rmdir");
}

}  // namespace

TEST_CASE("inodes that are as apply makes them are not written", "[roundtrip]") {
  const std::string text = comes_back([] {
    make_dir("/t/a/b");
    mount_tmpfs("/t/a/b");
    make_file("/t/file");
    mount_bind("/proc/version", "/t/file");
  });
  CHECK(text.find("tree") == std::string::npos);
}

TEST_CASE("a bind of a symlink of the parent comes back", "[roundtrip]") {
  const std::string dir = fresh_dir();
  make_symlink("/nowhere", dir + "/link");
  const std::string spec = fmt::format(R"({}
[[mount]]
target = "/link"
source = "parent:{}/link"
follow = false
create = "file"
)",
                                       tmpfs_spec, dir);
  const std::string text = sandbox::comes_back(spec, [] {});
  CHECK(text.find(fmt::format("source = \"parent:{}/link\"\nfollow = false\n", dir)) !=
        std::string::npos);
}

TEST_CASE("a command's capture has the inodes, and its delta", "[roundtrip]") {
  const std::string folder = fresh_dir();
  make_file(folder + "/base.toml", tmpfs_spec);
  const Process process([] {
    mount_tmpfs("/mnt", "mode=0755");
    make_odd_dir("/mnt/odd", 0700);
    mount_tmpfs("/mnt/odd");
  });
  const std::string pid = std::to_string(process.pid());
  const std::string entry = "{ path = \"odd\", mode = \"0700\" }";
  const Ran whole = shell(folder, "$MNTCR capture " + pid);
  CHECK(whole.out.find(entry) != std::string::npos);
  const Ran delta = shell(folder, "$MNTCR diff -f toml " + pid + " base.toml");
  CHECK(delta.out.find(entry) != std::string::npos);
}

TEST_CASE("mountpoints with odd modes and owners come back", "[roundtrip]") {
  const std::string text = comes_back([] {
    make_odd_dir("/t/run", 0711, 3);
    make_odd_dir("/t/run/app", 01770, 4);
    mount_tmpfs("/t/run/app");
    make_file("/t/secret");
    must(::chmod("/t/secret", 0600) == 0, "chmod");
    mount_bind("/proc/version", "/t/secret");
    make_odd_dir("/part", 0700);
    mount_bind("/part", "/t/run/app");
  });
  CHECK(text.find("tree") != std::string::npos);
}

TEST_CASE("parts that are no directories come back", "[roundtrip]") {
  comes_back([] {
    const auto bound = [](const std::string& name) {
      make_file("/t/to-" + name);
      bind_itself("/t/" + name, "/t/to-" + name);
    };
    make_file("/t/file");
    bound("file");
    make_symlink("/proc/self/fd", "/t/link");
    bound("link");
    must(::mkfifo("/t/fifo", 0600) == 0, "mkfifo");
    bound("fifo");
    make_socket("/t/socket");
    bound("socket");
    if (!in_initial_user_namespace()) return;
    must(::mknod("/t/char", S_IFCHR | 0640, makedev(1, 3)) == 0, "mknod");
    bound("char");
    must(::mknod("/t/block", S_IFBLK | 0644, makedev(7, 0)) == 0, "mknod");
    bound("block");
  });
}

TEST_CASE("removed inodes come back as removed ones", "[roundtrip]") {
  const std::string text = comes_back([] {
    make_odd_dir("/t/d", 0710);
    make_dir("/t/first");
    mount_bind("/t/d", "/t/first");
    bind_and_remove_dir("/t/d", "/t/second");
    make_odd_dir("/t/d", 0711);
    bind_and_remove_dir("/t/d", "/t/third");
    make_dir("/t/n/m");
    bind_and_remove_dir("/t/n/m", "/t/nested");
    must(::rmdir("/t/n") == 0, "rmdir");
    make_file("/t/f");
    bind_and_remove("/t/f", "/t/to-f");
    must(::mkfifo("/t/p", 0600) == 0, "mkfifo");
    bind_and_remove("/t/p", "/t/to-p");
    make_socket("/t/s");
    bind_and_remove("/t/s", "/t/to-s");
    make_symlink("/target", "/t/l");
    bind_and_remove("/t/l", "/t/to-l");
    if (!in_initial_user_namespace()) return;
    must(::mknod("/t/c", S_IFCHR | 0666, makedev(1, 3)) == 0, "mknod");
    bind_and_remove("/t/c", "/t/to-c");
  });
  CHECK(text.find("deleted = \"d-2\"") != std::string::npos);
  CHECK(text.find("kind = \"symlink:/target\"") != std::string::npos);
}

TEST_CASE("removed inodes below a mount over the root come back", "[roundtrip]") {
  if (!reads_by_statmount()) return leave_out("what a mount over the root hides");
  comes_back([] {
    make_dir("/t/x (deleted)");
    bind_and_remove_dir("/t/x (deleted)", "/gone");
    make_odd_dir("/t/deleted", 0700);
    mount_tmpfs("/t/deleted");
    mount_tmpfs("/");
  });
}

}  // namespace mntcr
