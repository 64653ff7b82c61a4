// What is looked up after the table of mounts was read: that the order is right when the mounts
// change meanwhile, and what is told when nothing may be looked at.
#include "runtime/capture/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

#include "runtime/capture/capture.h"
#include "runtime/kernel/fault_kernel.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

/// A process with an overlay at `dir`/at, whose layer is in a tmpfs at `dir`; and its parent.
struct Scene {
  std::string dir = fresh_dir();
  Process process{[this] {
    mount_tmpfs(dir);
    for (const char* name : {"/lower/a", "/lower2", "/at", "/new"}) make_dir(dir + name);
    mount_new("overlay", dir + "/at", "overlay", 0,
              fmt::format("lowerdir={0}/lower:{0}/lower2", dir));
  }};
  Fd proc = need(open_proc(linux_kernel()));
  Fd ns = need(open_namespace_of_pid(linux_kernel(), proc, process.pid()));
  MountTable parent =
      read_namespace(need(open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt")));
  MountTable live = need(capture(linux_kernel(), proc, ns));
};

bool has_overlays() {
  if (linux_kernel().fsopen("overlay")) return true;
  leave_out("overlays");
  return false;
}

/// "in_live, in_parent" of each layer of the overlay.
std::string layers_of(const Scene& scene) {
  std::string text;
  for (const LiveLayer& layer : mount_at(scene.live, scene.dir + "/at").layers)
    text += fmt::format("{} {}, ", layer.in_live, layer.in_parent);
  return text;
}

}  // namespace

TEST_CASE("survey: a table that was read again while inodes were looked at has layers, too") {
  if (!has_overlays()) return;
  Scene scene;
  inside(scene.ns, [&] { mount_tmpfs(scene.dir + "/new"); });
  const std::size_t before = scene.live.mounts.size();
  REQUIRE(survey(linux_kernel(), scene.proc, scene.ns, LiveDepth::inodes, scene.parent, scene.live)
              .has_value());
  CHECK(scene.live.mounts.size() == before + 1);
  CHECK(layers_of(scene) == "true false, true false, ");
}

TEST_CASE("survey: a spec of what nobody may look at says so") {
  const Process process([] {});
  const Fd proc = need(open_proc(linux_kernel()));
  const Fd ns = need(open_namespace_of_pid(linux_kernel(), proc, process.pid()));
  const MountTable read = need(capture(linux_kernel(), proc, ns));
  const auto unknown = [&](Kernel& kernel) {
    MountTable table = read;
    REQUIRE(survey(kernel, proc, ns, LiveDepth::inodes, {}, table).has_value());
    return table.inodes_unknown;
  };
  FaultKernel seen(linux_kernel());
  CHECK(unknown(seen).empty());
  const auto entering = std::ranges::find_if(
      seen.log(), [](const std::string& call) { return call.starts_with("setns"); });
  FaultKernel refused(linux_kernel());
  refused.fail_call(static_cast<std::size_t>(entering - seen.log().begin()) + 1, EPERM);
  CHECK(unknown(refused) == "setns: Operation not permitted");
}

TEST_CASE("survey: whatever is not permitted, only what nobody could see is missing") {
  if (!has_overlays()) return;
  Scene scene;
  const MountTable read = scene.live;
  const auto look = [&](Kernel& kernel) {
    scene.live = read;
    return survey(kernel, scene.proc, scene.ns, LiveDepth::mounts, scene.parent, scene.live);
  };
  for (std::size_t call = 1;; ++call) {
    FaultKernel faulty(linux_kernel());
    faulty.fail_call(call, EPERM);
    const Result<void> done = look(faulty);
    CHECK(faulty.open_fds() == 0);
    if (faulty.calls() < call) break;
    const std::string& refused = faulty.log()[call - 1];
    INFO(refused);
    CHECK(done.has_value());
    if (refused.starts_with("setns")) CHECK(layers_of(scene) == "false false, false false, ");
  }
  CHECK(layers_of(scene) == "true false, true false, ");
}

}  // namespace mntcr
