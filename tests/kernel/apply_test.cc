// apply on the real kernel: what was declared is what stands, and a failure leaves nothing behind.
#include "runtime/apply/apply.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

/// A root directory with the places that a small container needs.
std::string make_root() {
  const std::string root = fresh_dir();
  for (const char* name : {"/proc", "/tmp", "/data", "/var/spool", "/etc"}) make_dir(root + name);
  make_file(root + "/etc/hosts");
  return root;
}

/// The head of a spec whose root is `root`.
std::string spec_of(const std::string& root, const std::string& mounts) {
  return fmt::format("spec = 1\nname = \"web\"\n[root]\nsource = \"parent:{}\"\n{}", root, mounts);
}

std::vector<std::string> codes(const Applied& applied) {
  std::vector<std::string> ids;
  for (const Diagnostic& item : applied.diagnostics.items())
    ids.emplace_back(describe(item.code).id);
  return ids;
}

/// Applies a spec that must fail, and checks that nothing is left of it.
Applied refused(const std::string& spec) {
  const Plan plan = compile(spec);
  const MachineState before = machine_state();
  Applied result = apply_plan(linux_kernel(), plan);
  INFO(result.messages);
  REQUIRE_FALSE(result.built.has_value());
  REQUIRE(settles_to(before));
  return result;
}

}  // namespace

TEST_CASE(
    "root, proc, a tmpfs and a read-only bind stand as declared, and the caller notices nothing") {
  const std::string root = make_root();
  const std::string data = fresh_dir();
  make_file(data + "/hello");
  const std::string spec = spec_of(root, fmt::format(R"(
[[mount]]
target = "/proc"
type = "proc"
options = ["nosuid", "nodev", "noexec", "hidepid=invisible"]
[[mount]]
target = "/tmp"
type = "tmpfs"
options = ["size=64m", "mode=1777", "nodev"]
fsname = "scratch"
[[mount]]
target = "/data"
source = "parent:{}"
options = ["ro", "noatime"]
)",
                                                     data));
  const MachineState before = machine_state();
  const fs::path directory = fs::current_path();
  const Built built = applied(spec);
  const Fd& ns = built.ns();
  CHECK(machine_state().mountinfo == before.mountinfo);
  CHECK(machine_state().tree == before.tree);
  CHECK(fs::current_path() == directory);
  CHECK(fs::exists(data + "/hello"));

  const MountTable table = read_namespace(ns);
  CHECK(table.mounts.size() == 4);
  CHECK(mount_at(table, "/proc").fs_type == "proc");
  CHECK(mount_at(table, "/tmp").source == "scratch");
  CHECK(mount_at(table, "/data").attrs == (mount_attr::rdonly | mount_attr::noatime));
  CHECK(differences(ns, spec).empty());
  inside(ns, [&] {
    CHECK(fs::exists("/data/hello"));
    CHECK(fs::exists("/proc/self/status"));
    CHECK_FALSE(fs::exists(data));
    struct stat status{};
    CHECK(::stat("/tmp", &status) == 0);
    CHECK((status.st_mode & 07777U) == 01777U);
  });
}

TEST_CASE("the mail's example: /tmp2 is a bind of /tmp, one filesystem at two places") {
  const std::string spec = R"(spec = 1
name = "mail"
[root]
type = "tmpfs"
[[mount]]
target = "/tmp"
type = "tmpfs"
[[mount]]
target = "/tmp2"
source = "self:/tmp"
[[mount]]
target = "/tmp3"
source = "self:/tmp/deep/part"
)";
  const Built built = applied(spec);
  const Fd& ns = built.ns();
  CHECK(differences(ns, spec).empty());
  inside(ns, [] {
    make_file("/tmp/x");
    CHECK(fs::exists("/tmp2/x"));
    make_file("/tmp3/y");
    CHECK(fs::exists("/tmp2/deep/part/y"));
  });
}

TEST_CASE("stacks, files as mountpoints, one filesystem at three places, mounts below mounts") {
  const std::string root = make_root();
  const std::string file = fresh_dir() + "/hosts";
  make_file(file, "here");
  const std::string spec = spec_of(root, fmt::format(R"(
[filesystem.shm]
type = "tmpfs"
options = ["size=1m"]
[[mount]]
target = "/tmp"
type = "tmpfs"
[[mount]]
target = "/tmp"
source = "fs:shm"
[[mount]]
target = "/tmp/a/b/c"
source = "fs:shm/part"
[[mount]]
target = "/tmp/a/b"
source = "fs:shm"
[[mount]]
target = "/etc/hosts"
source = "parent:{0}"
options = ["ro"]
[[mount]]
target = "/etc/resolv.conf"
source = "parent:{0}"
create = "file"
[[mount]]
target = "/new/dir"
type = "tmpfs"
create = "dir"
)",
                                                     file));
  const Built built = applied(spec);
  const Fd& ns = built.ns();
  CHECK(differences(ns, spec).empty());
  inside(ns, [] {
    CHECK(fs::file_size("/etc/hosts") == 4);
    CHECK(fs::file_size("/etc/resolv.conf") == 4);
    make_file("/tmp/x");
    CHECK(fs::exists("/tmp/a/b/x"));
  });
  // What the spec asked to be made in the parent's directory stays when apply succeeds.
  CHECK(fs::is_regular_file(root + "/etc/resolv.conf"));
  CHECK(fs::is_directory(root + "/new/dir"));
}

TEST_CASE("a mount over / covers the root, and what stood below it is still there") {
  const std::string spec = R"(spec = 1
name = "cover"
[root]
type = "tmpfs"
[[mount]]
target = "/"
type = "tmpfs"
options = ["size=1m"]
[[mount]]
target = "/proc"
type = "proc"
)";
  if (!reads_by_statmount()) {
    // What cannot be proven is not made.
    CHECK(codes(refused(spec)) == std::vector<std::string>{"E0606"});
    return leave_out("a container with a mount over its root");
  }
  const Built built = applied(spec);
  const Fd& ns = built.ns();
  CHECK(differences(ns, spec).empty());
  CHECK(read_namespace(ns).mounts.size() == 3);
}

TEST_CASE("every missing source is told at once, with its line, and nothing was made") {
  const std::string root = make_root();
  const Applied result = refused(spec_of(root, R"(
[[mount]]
target = "/data"
source = "parent:/nowhere/one"
[[mount]]
target = "/new"
source = "parent:/nowhere/two"
create = "dir"
)"));
  CHECK(codes(result) == std::vector<std::string>{"E0601", "E0601"});
  CHECK(result.messages.find("/nowhere/one does not exist in the parent") != std::string::npos);
  CHECK(result.messages.find("test.toml:11:") != std::string::npos);
}

TEST_CASE("a fault that is no missing source is told once, not once for every source") {
  const std::string root = make_root();
  std::string mounts;
  for (int index = 0; index < 40; ++index) {
    mounts +=
        fmt::format("[[mount]]\ntarget = \"/m{0}\"\nsource = \"parent:{1}\"\n", index, fresh_dir());
  }
  const Plan plan = compile(spec_of(root, mounts));
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  rlimit few = files;
  few.rlim_cur = 30;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const Applied result = apply_plan(linux_kernel(), plan);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  CHECK(codes(result) == std::vector<std::string>{"E0604"});
  CHECK(result.messages.find("ulimit -n") != std::string::npos);
}

TEST_CASE("a missing mountpoint names the way out") {
  const Applied result =
      refused(spec_of(make_root(), "[[mount]]\ntarget = \"/none\"\ntype = \"proc\"\n"));
  CHECK(codes(result) == std::vector<std::string>{"E0602"});
  CHECK(result.messages.find("create = \"dir\"") != std::string::npos);
}

TEST_CASE("a symlink in a target is refused, wherever it leads, and the place to write is shown") {
  const std::string root = make_root();
  make_symlink("/etc", root + "/conf");
  make_symlink("spool", root + "/var/mail");
  make_symlink("../../../../../..", root + "/up");
  const Applied absolute =
      refused(spec_of(root, "[[mount]]\ntarget = \"/conf/x\"\ntype = \"proc\"\n"));
  CHECK(codes(absolute) == std::vector<std::string>{"E0603"});
  CHECK(absolute.messages.find("`/conf` is a symlink to `/etc`") != std::string::npos);
  CHECK(absolute.messages.find("`/etc/x`") != std::string::npos);
  const Applied relative =
      refused(spec_of(root, "[[mount]]\ntarget = \"/var/mail\"\ntype = \"proc\"\n"));
  CHECK(relative.messages.find("`/var/spool`") != std::string::npos);
  const Applied upwards = refused(
      spec_of(root, "[[mount]]\ntarget = \"/up/tmp/evil\"\ntype = \"proc\"\ncreate = \"dir\"\n"));
  CHECK(codes(upwards) == std::vector<std::string>{"E0603"});
}

TEST_CASE("a directory on a file is refused before the kernel's bare errno") {
  const Applied result =
      refused(spec_of(make_root(), "[[mount]]\ntarget = \"/etc/hosts\"\ntype = \"proc\"\n"));
  CHECK(codes(result) == std::vector<std::string>{"E0608"});
}

TEST_CASE("mountpoints made in the parent's directories go again when a later step fails") {
  const std::string root = make_root();
  refused(spec_of(root, R"(
[[mount]]
target = "/made/deep/dir"
type = "proc"
create = "dir"
[[mount]]
target = "/a"
type = "tmpfs"
create = "never"
)"));
  CHECK_FALSE(fs::exists(root + "/made"));
}

TEST_CASE("the kernel's own words about a filesystem are shown") {
  Plan plan = compile(spec_of(make_root(), "[[mount]]\ntarget = \"/tmp\"\ntype = \"tmpfs\"\n"));
  plan.superblocks.back().params = {"size=much"};  // no compiler lets it through
  const Applied result = apply_plan(linux_kernel(), plan);
  CHECK_FALSE(result.built.has_value());
  CHECK(result.messages.find("the kernel says: tmpfs: Bad value for 'size'") != std::string::npos);
}

TEST_CASE("sharing with the parent is never a result, whatever the sources are") {
  const std::string root = make_root();
  mount_bind(root, root);
  propagate(root, MS_SHARED);
  mount_tmpfs(root + "/data");
  const std::string before = machine_state().mountinfo;
  const Built built = applied(spec_of(root, R"(
[[mount]]
target = "/data"
source = "parent:/)" + (root + "/data").substr(1) +
                                                R"("
[[mount]]
target = "/proc"
type = "proc"
)"));
  const Fd& ns = built.ns();
  for (const LiveMount& mount : read_namespace(ns).mounts) {
    CHECK(mount.peer_group == 0);
    CHECK(mount.master == 0);
  }
  CHECK(machine_state().mountinfo == before);
  inside(ns, [] { mount_tmpfs("/tmp"); });
  CHECK(machine_state().mountinfo == before);
  mount_tmpfs(root + "/var/spool");
  CHECK(read_namespace(ns).mounts.size() == 4);
  unmount(root + "/var/spool");
  unmount(root + "/data");
  unmount(root);
}

TEST_CASE("every flag word on a bind and on a new filesystem is in force afterwards") {
  const std::string root = make_root();
  const std::string data = fresh_dir();
  for (const MountOption& option : mount_options()) {
    for (const std::string& what :
         {fmt::format("source = \"parent:{}\"", data), std::string("type = \"tmpfs\"")}) {
      const std::string spec =
          spec_of(root, fmt::format("[[mount]]\ntarget = \"/data\"\n{}\noptions = [\"{}\"]\n", what,
                                    option.word));
      INFO(option.word << " with " << what);
      const Built built = applied(spec);
      const Fd& ns = built.ns();
      CHECK((mount_at(read_namespace(ns), "/data").attrs & option.demand.mask) ==
            option.demand.value);
    }
  }
}

TEST_CASE("every parameter of tmpfs and proc that this kernel takes is in force afterwards") {
  const std::vector<std::pair<std::string, std::string>> params = {
      {"tmpfs", "size=64m"},     {"tmpfs", "nr_blocks=100"},
      {"tmpfs", "nr_inodes=1k"}, {"tmpfs", "mode=0750"},
      {"tmpfs", "uid=1"},        {"tmpfs", "gid=1"},
      {"proc", "hidepid=2"},     {"proc", "hidepid=invisible"},
      {"proc", "subset=pid"},    {"proc", "gid=1"},
      {"tmpfs", "size=50%"},     {"tmpfs", "mode=1777"},
  };
  for (const auto& [type, param] : params) {
    INFO(type << " " << param);
    const bool foreign_id = param.starts_with("uid=") || param.starts_with("gid=");
    if (foreign_id && !in_initial_user_namespace()) continue;  // the number is not mapped there
    const std::string spec =
        spec_of(make_root(),
                fmt::format("[[mount]]\ntarget = \"/data\"\ntype = \"{}\"\noptions = [\"{}\"]\n",
                            type, param));
    const Applied result = apply_plan(linux_kernel(), compile(spec));
    if (!result.built) FAIL(result.messages);
    CHECK(differences(result.built->ns(), spec).empty());
  }
}

TEST_CASE("what is built and not kept leaves nothing behind") {
  const std::string root = make_root();
  const Plan plan =
      compile(spec_of(root, "[[mount]]\ntarget = \"/made\"\ntype = \"proc\"\ncreate = \"dir\"\n"));
  const MachineState before = machine_state();
  {
    const Applied result = apply_plan(linux_kernel(), plan);
    INFO(result.messages);
    REQUIRE(result.built.has_value());
  }
  CHECK(settles_to(before));
}

TEST_CASE("names with spaces, newlines, quotes, backslashes and bytes that are not UTF-8") {
  const std::string source = fresh_dir() + "/a\nb \"\\#\xFF";
  make_dir(source);
  const std::string spec = fmt::format(R"(spec = 1
name = "odd"
[root]
type = "tmpfs"
[[mount]]
target = "/we ird\n\"\\#${{byte:FF}}"
source = "parent:{}/a\nb \"\\#${{byte:FF}}"
)",
                                       fs::path(source).parent_path().string());
  const Built built = applied(spec);
  const Fd& ns = built.ns();
  CHECK(differences(ns, spec).empty());
  CHECK(read_namespace(ns).mounts[1].mountpoint == "/we ird\n\"\\#\xFF");
}

}  // namespace mntcr
