// What compiling takes for granted of a machine, and a machine that is otherwise: each assumption
// of specs/plan.md that no other test shows failing. Nothing is left behind.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <tuple>

#include "compiler/driver/pipeline.h"
#include "runtime/base/mount_options.h"
#include "runtime/kernel/fault_kernel.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// A filesystem of the parent with directories, and a bind of it at another path: two paths that
/// are one superblock.
class TwoPaths {
 public:
  TwoPaths() : one_(fresh_dir()), other_(fresh_dir()) {
    mount_tmpfs(one_);
    make_dir(one_ + "/data");
    mount_bind(one_, other_);
    propagate(one_, MS_SHARED);
  }
  TwoPaths(const TwoPaths&) = delete;
  TwoPaths& operator=(const TwoPaths&) = delete;
  ~TwoPaths() {
    ::umount2(other_.c_str(), MNT_DETACH);
    ::umount2(one_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] const std::string& one() const { return one_; }
  [[nodiscard]] const std::string& other() const { return other_; }

 private:
  std::string one_;
  std::string other_;
};

std::string tmpfs_and(const std::string& more) { return "spec = 1\nname = \"assumes\"\n" + more; }

std::string mount(const std::string& target, const std::string& source,
                  const std::string& propagation) {
  return fmt::format("[[mount]]\ntarget = \"{}\"\nsource = \"{}\"\npropagation = \"{}\"\n", target,
                     source, propagation);
}

constexpr const char* root = "[root]\ntype = \"tmpfs\"\n";

std::vector<std::string> codes(const Diagnostics& diagnostics) {
  std::vector<std::string> found;
  for (const Diagnostic& item : diagnostics.items()) found.emplace_back(describe(item.code).id);
  return found;
}

/// What compiling says against it.
std::vector<std::string> compile_codes(const std::string& text) {
  Diagnostics diagnostics;
  SourceMap sources;
  static_cast<void>(driver::compile_text("test.toml", text, {}, sources, diagnostics));
  return codes(diagnostics);
}

/// What apply says against it; the machine is as before.
std::vector<std::string> apply_codes(const Plan& plan) {
  const MachineState before = machine_state();
  const Applied result = apply_plan(linux_kernel(), plan);
  INFO(result.messages);
  CHECK_FALSE(result.built.has_value());
  CHECK(settles_to(before));
  return codes(result.diagnostics);
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("two parent paths that are one superblock: no group over them, else harmless") {
  const TwoPaths paths;
  const auto both = [&](const std::string& first, const std::string& second) {
    return tmpfs_and(root + mount("/a", "parent:" + paths.one(), first) +
                     mount("/b", "parent:" + paths.other(), second));
  };
  CHECK(compile_codes(both("shared:g", "shared:g")) == Codes{"E0278"});
  CHECK(compile_codes(both("shared:g", "slave:g")) == Codes{"E0278"});
  for (const std::string& spec : {both("private", "private"), both("shared:g", "shared:h")}) {
    const Built built = applied(spec);
    const MountTable live = read_namespace(built.ns());
    CHECK(mount_at(live, "/a").dev_minor == mount_at(live, "/b").dev_minor);
    CHECK(differences(built.ns(), spec).empty());
    inside(built.ns(), [] { mount_tmpfs("/a/data"); });
    CHECK(read_namespace(built.ns()).mounts.size() == live.mounts.size() + 1);
  }
}

TEST_CASE("a member's source that is on another superblock than its group's mount") {
  const TwoPaths paths;
  const std::string elsewhere = fresh_dir();
  const auto spec = [&](const std::string& filesystem, const std::string& propagation) {
    return tmpfs_and(fmt::format("[filesystem.data]\nparent = \"{}\"\n[group.g]\nparent = \"{}\"\n",
                                 filesystem, paths.one()) +
                     root + mount("/a", "fs:data", propagation));
  };
  // Of a `parent:` path compiling says it, of a [filesystem] only the machine can.
  const std::string path = tmpfs_and(fmt::format("[group.g]\nparent = \"{}\"\n", paths.one()) +
                                     root + mount("/a", "parent:" + elsewhere, "slave:g"));
  CHECK(compile_codes(path) == Codes{"E0279"});
  CHECK(apply_codes(compile(spec(elsewhere, "slave:g"))) == Codes{"E0622"});
  const Plan plan = compile(spec(paths.one() + "/data", "slave:g"));
  const Plan peer = compile(spec(paths.one() + "/data", "shared:g"));
  static_cast<void>(applied(spec(paths.one() + "/data", "slave:g")));
  // What is mounted there meanwhile is another filesystem at the same path.
  mount_tmpfs(paths.one() + "/data");
  CHECK(apply_codes(plan) == Codes{"E0622"});
  CHECK(apply_codes(peer) == Codes{"E0622"});
  unmount(paths.one() + "/data");
}

TEST_CASE("a mount of the parent that became private between compile and apply") {
  const TwoPaths paths;
  const std::string spec = tmpfs_and(fmt::format("[group.g]\nparent = \"{}\"\n", paths.one()) +
                                     root + mount("/a", "parent:" + paths.one(), "slave:g"));
  const Plan plan = compile(spec);
  const Applied before = apply_plan(linux_kernel(), plan);
  INFO(before.messages);
  CHECK(before.built.has_value());
  propagate(paths.one(), MS_PRIVATE);
  CHECK(apply_codes(plan) == Codes{"E0620"});
}

TEST_CASE("a mount of the parent that went between compile and apply") {
  const std::string path = fresh_dir();
  make_dir(path);
  mount_tmpfs(path);
  propagate(path, MS_SHARED);
  const Plan plan =
      compile(tmpfs_and(fmt::format("[group.g]\nparent = \"{}\"\nexact = true\n", path) + root +
                        mount("/a", "parent:" + path, "slave:g")));
  unmount(path);
  // What holds the path now is private; were it shared, it would still not be the one meant.
  CHECK(apply_codes(plan) == Codes{"E0621"});
}

TEST_CASE("a kernel without a call that the plan needs is refused before the first step") {
  const Plan plan =
      compile(tmpfs_and(root + mount("/a", "fs:s", "shared:g") + mount("/b", "fs:s", "slave:g") +
                        "[filesystem.s]\ntype = \"tmpfs\"\n"));
  FaultKernel asked(linux_kernel());
  REQUIRE(apply_plan(asked, plan).built);
  // The questions are calls on no file: the first of them, and the second move_mount.
  const auto question = [&](const std::string& call, std::ptrdiff_t which) {
    std::vector<std::size_t> numbers;
    for (std::size_t number = 0; number < asked.calls(); ++number)
      if (asked.log()[number].starts_with(call)) numbers.push_back(number + 1);
    return numbers.at(static_cast<std::size_t>(which));
  };
  const MachineState before = machine_state();
  for (const auto& [call, error, name] :
       {std::tuple(question("mount_setattr(-1,", 0), ENOSYS, "mount_setattr(2)"),
        std::tuple(question("move_mount(-1,", 1), EINVAL, "MOVE_MOUNT_SET_GROUP")}) {
    FaultKernel kernel(linux_kernel());
    kernel.fail_call(call, error);
    const Applied result = apply_plan(kernel, plan);
    INFO(result.messages);
    CHECK_FALSE(result.built.has_value());
    CHECK(codes(result.diagnostics) == Codes{"E0605"});
    CHECK(result.messages.find(name) != std::string::npos);
    for (const std::string& line : kernel.log()) CHECK_FALSE(line.starts_with("unshare(0x20000"));
    CHECK(settles_to(before));
  }
}

TEST_CASE("a parent that will not become private gets no container") {
  const Plan plan = compile(tmpfs_and(root));
  FaultKernel asked(linux_kernel());
  REQUIRE(apply_plan(asked, plan).built);
  const auto step = std::ranges::find_if(asked.log(), [](const std::string& line) {
    return line.starts_with("mount_setattr(") && !line.starts_with("mount_setattr(-1,");
  });
  REQUIRE(step != asked.log().end());
  const MachineState before = machine_state();
  FaultKernel kernel(linux_kernel());
  kernel.fail_call(static_cast<std::size_t>(step - asked.log().begin()) + 1, EINVAL);
  const Applied result = apply_plan(kernel, plan);
  INFO(result.messages);
  CHECK(codes(result.diagnostics) == Codes{"E0604"});
  CHECK(settles_to(before));
}

TEST_CASE("a kernel that does something else than the steps say is noticed") {
  Plan plan = compile(tmpfs_and(root) +
                      "[[mount]]\ntarget = \"/a\"\ntype = \"tmpfs\"\npropagation = \"shared\"\n");
  const DesiredMount right = plan.mounts.back();
  plan.mounts.back().attrs = {mount_attr::nosuid, mount_attr::nosuid};
  CHECK(apply_codes(plan) == Codes{"E0606"});
  plan.mounts.back() = right;
  plan.mounts.back().group = no_index;
  CHECK(apply_codes(plan) == Codes{"E0606"});
}

}  // namespace mntcr
