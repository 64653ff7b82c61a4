// Idmapped mounts on the real kernel: owners as seen through them, captured and made again, told by
// diff, and refused with a reason; no process or file stays behind.
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

#include "compiler/driver/pipeline.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/fault_kernel.h"
#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// Whether the test can be made; says so when not.
bool possible() {
  if (can_idmap()) return true;
  leave_out("idmapped tmpfs (Linux 6.3, and all user numbers)");
  return false;
}

/// A directory with files of the users and groups 0, 7:3 and 20.
std::string owned_files() {
  const std::string dir = fresh_dir();
  for (const char* name : {"/zero", "/seven", "/twenty"}) make_file(dir + name);
  REQUIRE(::chown((dir + "/seven").c_str(), 7, 3) == 0);
  REQUIRE(::chown((dir + "/twenty").c_str(), 20, 20) == 0);
  return dir;
}

std::string spec_of(const std::string& mounts) {
  return fmt::format("spec = 1\nname = \"idmap\"\n[root]\ntype = \"tmpfs\"\n{}", mounts);
}

/// "USER:GROUP" of a file.
std::string owner(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) < 0) return "missing";
  return fmt::format("{}:{}", status.st_uid, status.st_gid);
}

Result<MountTable> read_own() {
  const auto proc = open_proc(linux_kernel());
  const auto own = open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt");
  return capture(linux_kernel(), *proc, *own);
}

/// A detached tmpfs mount with an idmap, made with the seam alone.
Fd idmapped(Result<Fd> mount) {
  Kernel& kernel = linux_kernel();
  const auto proc = open_proc(kernel);
  const auto userns = kernel.new_user_namespace(proc->get(), "0 300000 10\n", "0 300000 10\n");
  if (!mount || !userns) throw std::runtime_error("no idmapped mount");
  const MountAttr attr{.attr_set = abi::mount_attr_idmap, .userns = userns->get()};
  if (!kernel.mount_setattr(mount->get(), "", 0, attr)) throw std::runtime_error("no idmap");
  return std::move(*mount);
}

Fd idmapped_tmpfs() {
  const auto context = linux_kernel().fsopen("tmpfs");
  if (!context || !linux_kernel().fsconfig_create(context->get()))
    throw std::runtime_error("no tmpfs");
  return idmapped(linux_kernel().fsmount(context->get(), 0));
}

void attach(const Fd& mount, const std::string& at) {
  if (!linux_kernel().move_mount(mount.get(), "", Kernel::at_fdcwd, at, 0))
    throw std::runtime_error("cannot attach");
}

bool no_children() { return ::waitpid(-1, nullptr, WNOHANG | __WALL) == -1 && errno == ECHILD; }

}  // namespace

TEST_CASE("files have mapped owners, in several ranges, on binds and new filesystems") {
  if (!possible()) return;
  const Built built = applied(spec_of(fmt::format(R"(
[[mount]]
target = "/data"
source = "parent:{}"
options = ["ro"]
idmap = {{ uid = ["0:1000:5", "7:200000:10"], gid = ["0:5000:10"] }}
[[mount]]
target = "/again"
source = "self:/data"
[[mount]]
target = "/t"
type = "tmpfs"
options = ["uid=7"]
idmap = {{ uid = ["0:100000:65536"] }}
[[mount]]
target = "/t/sub"
type = "tmpfs"
)",
                                                  owned_files())));
  inside(built.ns(), [] {
    CHECK(owner("/data/zero") == "1000:5000");
    CHECK(owner("/data/seven") == "200000:5003");
    CHECK(owner("/data/twenty") == "65534:65534");
    CHECK(owner("/again/seven") == "7:3");
    CHECK(owner("/t") == "100007:100000");
    CHECK(owner("/t/sub") == "0:0");
  });
  CHECK(no_children());
}

TEST_CASE("nosymfollow, idmap: captured, compiled, applied and captured again") {
  if (!possible()) return;
  if (!reads_by_statmount()) return leave_out("the numbers of an idmap in a capture");
  std::string many;
  for (int number = 0; number < 100; ++number)
    many += fmt::format("{}\"{}:{}:1\"", number == 0 ? "" : ", ", 2 * number, 1000 + number);
  const Built built = applied(spec_of(fmt::format(R"(
[[mount]]
target = "/a"
source = "parent:{0}"
options = ["nosymfollow"]
idmap = {{ uid = ["7:200000:10", "0:1000:5"], gid = ["0:5000:10"] }}
[[mount]]
target = "/b"
source = "parent:{0}"
[[mount]]
target = "/c"
type = "tmpfs"
idmap = {{ uid = [{1}] }}
[[mount]]
target = "/d"
source = "self:/c/sub"
idmap = {{ uid = ["0:9:1"] }}
)",
                                                  owned_files(), many)));
  const std::string text = captured("idmap", built.ns());
  INFO(text);
  CHECK(text.find(R"(idmap = { uid = ["7:200000:10", "0:1000:5"], gid = ["0:5000:10"] })") !=
        std::string::npos);
  CHECK(text.find(R"("nosymfollow")") != std::string::npos);
  CHECK(differences(built.ns(), text).empty());
  const Built again = applied(text);
  CHECK(captured("idmap", again.ns()) == text);
}

TEST_CASE("diff tells an idmap that came or went behind our back") {
  if (!possible()) return;
  const std::string spec = spec_of(R"(
[[mount]]
target = "/plain"
type = "tmpfs"
[[mount]]
target = "/mapped"
type = "tmpfs"
idmap = { uid = ["0:100000:65536"] }
)");
  const Built built = applied(spec);
  CHECK(differences(built.ns(), spec).empty());
  const Fd other = idmapped_tmpfs();
  inside(built.ns(), [&] {
    unmount("/plain");
    attach(other, "/plain");
    unmount("/mapped");
    mount_tmpfs("/mapped");
  });
  const std::string found = differences(built.ns(), spec);
  INFO(found);
  const std::string numbers =
      reads_by_statmount() ? "uid 0:300000:10 gid 0:300000:10" : "unknown numbers";
  CHECK(found.find("~ /plain  idmap: none -> " + numbers) != std::string::npos);
  CHECK(found.find("~ /mapped  idmap: uid 0:100000:65536 gid 0:100000:65536 -> none") !=
        std::string::npos);
}

TEST_CASE("a bind of an idmapped mount keeps its idmap, and cannot get another") {
  if (!possible()) return;
  const std::string source = fresh_dir();
  attach(idmapped_tmpfs(), source);
  const std::string spec =
      spec_of(fmt::format("[[mount]]\ntarget = \"/data\"\nsource = \"parent:{}\"\n", source));
  {
    const Built built = applied(spec);
    CHECK(mount_at(read_namespace(built.ns()), "/data").idmap.has_value());
    CHECK(differences(built.ns(), spec).empty());
    const std::string text = captured("idmap", built.ns());
    INFO(text);
    CHECK(text.find("idmap") == text.find("idmap\""));  // the name alone
    CHECK(captured("idmap", applied(text).ns()) == text);
  }
  const MachineState before = machine_state();
  const Applied refused =
      apply_plan(linux_kernel(), compile(spec + "idmap = { uid = [\"0:100000:65536\"] }\n"));
  CHECK_FALSE(refused.built.has_value());
  INFO(refused.messages);
  CHECK(refused.messages.find("E0617") != std::string::npos);
  CHECK(refused.messages.find("cannot get another") != std::string::npos);
  CHECK(settles_to(before));
  CHECK(no_children());
  unmount(source);
}

TEST_CASE("a filesystem without idmaps is named") {
  if (!possible()) return;
  const std::string source = fresh_dir();
  mount_new("ramfs", source, "ramfs");
  const MachineState before = machine_state();
  const Applied refused = apply_plan(
      linux_kernel(),
      compile(spec_of(fmt::format("[[mount]]\ntarget = \"/data\"\nsource = \"parent:{}\"\n"
                                  "idmap = {{ uid = [\"0:100000:65536\"] }}\n",
                                  source))));
  CHECK_FALSE(refused.built.has_value());
  INFO(refused.messages);
  CHECK(refused.messages.find("E0617") != std::string::npos);
  CHECK(refused.messages.find("mounts of ramfs cannot have one") != std::string::npos);
  CHECK(settles_to(before));
  CHECK(no_children());
  unmount(source);
}

TEST_CASE("mountinfo shows that a mount is idmapped, and a capture says that it shows no more") {
  if (!possible()) return;
  const Built built = applied(spec_of(
      "[[mount]]\ntarget = \"/t\"\ntype = \"tmpfs\"\nidmap = { uid = [\"0:100000:65536\"] }\n"));
  const auto proc = open_proc(linux_kernel());
  const auto table = capture(linux_kernel(), *proc, built.ns(), Reader::mountinfo);
  REQUIRE(table);
  CHECK(mount_at(*table, "/t").idmap == IdMap{});
  CHECK_FALSE(mount_at(*table, "/").idmap.has_value());
  const std::string text = write_spec("idmap", *table, *read_own());
  CHECK(text.find("idmap = \"unknown\"\n") != std::string::npos);
  SourceMap sources;
  Diagnostics diagnostics;
  CHECK_FALSE(driver::compile_text("capture.toml", text, {}, sources, diagnostics).has_value());
  CHECK(render_text(diagnostics, sources).find("E0265") != std::string::npos);
}

TEST_CASE("a user namespace that the kernel refuses is explained") {
  if (!possible()) return;
  const Plan plan = compile(spec_of(
      "[[mount]]\ntarget = \"/t\"\ntype = \"tmpfs\"\nidmap = { uid = [\"0:100000:65536\"] }\n"));
  FaultKernel good(linux_kernel());
  REQUIRE(apply_plan(good, plan).built.has_value());
  const auto made = std::ranges::find_if(
      good.log(), [](const std::string& line) { return line.starts_with("new_user_namespace("); });
  REQUIRE(made != good.log().end());
  const MachineState before = machine_state();
  FaultKernel full(linux_kernel());
  full.fail_call(static_cast<std::size_t>(made - good.log().begin()) + 1, ENOSPC);
  const Applied refused = apply_plan(full, plan);
  CHECK_FALSE(refused.built.has_value());
  INFO(refused.messages);
  CHECK(refused.messages.find("E0618") != std::string::npos);
  CHECK(refused.messages.find("test.toml:5") != std::string::npos);
  CHECK(refused.messages.find("user.max_user_namespaces") != std::string::npos);
  CHECK(settles_to(before));
}

TEST_CASE("a user namespace that cannot be made leaves no process and no file") {
  const auto proc = open_proc(linux_kernel());
  REQUIRE(proc);
  const MachineState before = machine_state();
  for (const char* map : {"", "0 0 0\n", "0 0\n", "0 0 1\n0 1 1\n"}) {
    INFO(map);
    CHECK_FALSE(linux_kernel().new_user_namespace(proc->get(), map, "0 0 1\n").has_value());
    CHECK(no_children());
  }
  CHECK_FALSE(linux_kernel().new_user_namespace(-1, "0 0 1\n", "0 0 1\n").has_value());
  CHECK(no_children());
  CHECK(settles_to(before));
}

}  // namespace mntcr
