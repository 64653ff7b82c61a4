// A fault at every single call of an apply: the machine is as before each time.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <functional>

#include "compiler/planner/planner.h"
#include "runtime/apply/pin.h"
#include "runtime/kernel/fault_kernel.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/layouts.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// A container that uses every operation of a plan.
std::string full_spec() {
  const std::string idmap = can_idmap() ? "idmap = { uid = [\"0:100000:65536\"] }\n" : "";
  const std::string overlay = has(Feature::overlay_layers) ? R"([[mount]]
target = "/tmp/over"
type = "overlay"
lower = ["self:/made/here", "self:/tmp/lower"]
upper = "self:/tmp/upper"
work = "self:/tmp/work"
)"
                                                           : "";
  const std::string root = fresh_dir();
  const std::string data = fresh_dir();
  for (const char* name : {"/proc", "/tmp", "/late"}) make_dir(root + name);
  return fmt::format(R"(spec = 1
name = "fault"
[root]
source = "parent:{}"
[[mount]]
target = "/proc"
type = "proc"
[[mount]]
target = "/tmp"
type = "tmpfs"
options = ["size=1m", "ro"]
tree = [{{ path = "app/pipe", kind = "fifo" }}, {{ path = "now", symlink = "app" }}]
{}[[mount]]
target = "/tmp/part"
source = "self:/tmp/sub"
[[mount]]
target = "/made/here"
source = "parent:{}"
create = "dir"
options = ["ro"]
[[mount]]
target = "/tmp/old"
source = "self:/tmp"
deleted = "old"
kind = "dir"
[[mount]]
target = "/late"
type = "tmpfs"
options = ["ro=fs"]
tree = [{{ path = "app" }}]
{})",
                     root, idmap, data, overlay);
}

/// Calls that may fail without harm: the probes of features, whose answer is any other errno than
/// that of a missing call; a look whether a mountpoint is there, which is then walked to; the id
/// for pinning, which older kernels do not tell; the quick look at a source (statx with
/// AT_STATX_DONT_SYNC), which is then looked at thoroughly; giving the thread its CPUs back; and
/// the question whether overlays take layers one by one, for they can be made in another way.
bool is_harmless(std::size_t call, const std::string& line) {
  constexpr std::size_t probes = 11;
  if (call <= probes) return true;
  for (const char* name : {"openat2(", "ioctl_ns_get_mntns_id(", "sched_setaffinity("}) {
    if (line.starts_with(name)) return true;
  }
  if (line.starts_with("statx(") && line.ends_with(", 16384)")) return true;
  return line.starts_with("fsopen(overlay") || line.find("no such layer") != std::string::npos;
}

/// A container of three namespaces that uses every step of sharing, with the parent, too.
Plan sharing_plan(const std::string& shared) {
  using namespace test;
  Layout layout{.name = "fault", .superblocks = {made("tmpfs"), parent_path(shared)}, .mounts = {}};
  const std::uint32_t parents = add_crossing(layout, shared);
  const std::uint32_t own = add_group(layout, "own");
  const std::uint32_t below = add_group(layout, "below", own);
  join(layout, add_mount(layout, no_index, 0, ""), own);
  join(layout, add_mount(layout, 0, 1, "peer"), parents);
  add_mount(layout, 0, 1, "slave", "sub").master = parents;
  LayoutMount& pure = add_mount(layout, 0, 0, "pure", "pure");
  pure.master = below;
  pure.unbindable = true;
  join(layout, add_mount(layout, 0, 0, "alone", "alone"), add_group(layout, ""));
  add_namespace(layout, "second");
  join(layout, add_mount(layout, no_index, 0, ""), below);
  add_namespace(layout, "third");
  add_mount(layout, no_index, 1, "").master = parents;
  return plan_layout(layout, SourceMap());
}

/// Applies and pins `plan` with a fault at one call after another until none is reached; how many
/// there are. `clean` removes what a success leaves behind.
std::size_t fail_each_call(const Plan& plan, const std::function<void()>& clean) {
  const MachineState before = machine_state();
  std::size_t call = 0;
  for (bool reached = true; reached;) {
    ++call;
    FaultKernel kernel(linux_kernel());
    kernel.fail_call(call, EIO);
    Diagnostics diagnostics;
    bool pinned = false;
    {
      std::optional<Built> built = apply(kernel, plan, {.for_pinning = true}, diagnostics);
      pinned = built.has_value() &&
               pin(kernel, "fault", named_namespaces(plan, built->namespaces()), diagnostics);
      if (pinned) built->keep();
    }
    reached = kernel.calls() >= call;
    INFO("call " << call << ": " << (reached ? kernel.log()[call - 1] : "not reached"));
    INFO(render_text(diagnostics, plan.sources));
    CHECK(kernel.open_fds() == 0);
    if (pinned) {
      CHECK((!reached || is_harmless(call, kernel.log()[call - 1])));
      Diagnostics removing;
      REQUIRE(remove_pin(linux_kernel(), "fault", removing));
      std::filesystem::remove(pin_store);
      clean();
    } else {
      REQUIRE(diagnostics.has_errors());
    }
    REQUIRE(settles_to(before));
  }
  return call;
}

}  // namespace

TEST_CASE("a fault at any call of apply and pin leaves nothing behind") {
  private_run();
  const Plan plan = compile(full_spec());
  const std::size_t calls = fail_each_call(plan, [&] {
    for (const char* made : {"/made/here", "/made"})
      REQUIRE(std::filesystem::remove(plan.superblocks[0].path + made));
  });
  CHECK(calls > 100);
}

TEST_CASE("a fault at any call while groups and namespaces are made leaves nothing behind",
          "[large]") {
  private_run();
  const std::string shared = fresh_dir();
  mount_tmpfs(shared);
  make_dir(shared + "/sub");
  propagate(shared, MS_SHARED);
  CHECK(fail_each_call(sharing_plan(shared), [] {}) > 150);
  unmount(shared);
}

}  // namespace mntcr
