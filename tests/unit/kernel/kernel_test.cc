// Fds close once, through their kernel; FaultKernel fails the call that it is told to.
#include "runtime/kernel/kernel.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <utility>

#include "runtime/kernel/fault_kernel.h"
#include "runtime/kernel/features.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/unit/kernel/scripted_kernel.h"

namespace mntcr {
namespace {

TEST_CASE("an fd closes once and through its kernel") {
  ScriptedKernel kernel;
  {
    Fd fd = std::move(*kernel.fsopen("tmpfs"));
    CHECK(fd);
    CHECK(fd.get() == 3);
    Fd taken = std::move(fd);
    CHECK(taken.get() == 3);
    CHECK(kernel.closes == 0);
    taken.reset();
    CHECK_FALSE(taken);
    CHECK(taken.get() == -1);
    CHECK(kernel.closes == 1);
  }
  CHECK(kernel.closes == 1);
  CHECK(kernel.open.empty());
}

TEST_CASE("an fd that is assigned to closes what it held, and not itself") {
  ScriptedKernel kernel;
  Fd first = std::move(*kernel.fsopen("a"));
  Fd second = std::move(*kernel.fsopen("b"));
  first = std::move(second);
  CHECK(kernel.open == std::set<int>{4});
  Fd& alias = first;
  first = std::move(alias);
  CHECK(first.get() == 4);
  CHECK(kernel.open == std::set<int>{4});
  first = Fd();
  CHECK(kernel.open.empty());
}

TEST_CASE("an empty fd closes nothing") {
  ScriptedKernel kernel;
  {
    const Fd fd;
  }
  CHECK(kernel.closes == 0);
}

TEST_CASE("FaultKernel passes calls on, logs and counts them") {
  ScriptedKernel inner;
  FaultKernel kernel(inner);
  REQUIRE(kernel.mkdirat(7, "a b", 0755));
  REQUIRE(kernel.open_tree(Kernel::at_fdcwd, "/srv", 1));
  CHECK(kernel.log() ==
        std::vector<std::string>{"mkdirat(7, a b, 0x1ed)", "open_tree(-100, /srv, 0x1)"});
  CHECK(kernel.calls() == 2);
  CHECK(kernel.closes() == 1);
}

TEST_CASE("FaultKernel fails one call, before it reaches the kernel below") {
  ScriptedKernel inner;
  FaultKernel kernel(inner);
  kernel.fail_call(2, ENOSPC);
  REQUIRE(kernel.fsopen("tmpfs"));
  const auto failed = kernel.fsopen("tmpfs");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().number == ENOSPC);
  CHECK(failed.error().message == "fsopen: No space left on device");
  CHECK(inner.open.empty());
  CHECK(kernel.fsopen("tmpfs"));
  CHECK(kernel.calls() == 3);

  kernel.fail_call(1, EPERM);
  CHECK_FALSE(kernel.unshare(0));
  CHECK(kernel.unshare(0));
}

TEST_CASE("FaultKernel knows what is still open") {
  ScriptedKernel inner;
  FaultKernel kernel(inner);
  Fd fd = std::move(*kernel.fsmount(3, 0));
  const Fd other = std::move(*kernel.openat2(-1, "x", {}));
  CHECK(kernel.open_fds() == 2);
  CHECK(inner.open.contains(fd.get()));
  fd.reset();
  CHECK(kernel.open_fds() == 1);
  CHECK_FALSE(inner.open.contains(3));
  CHECK(inner.open.contains(other.get()));
}

TEST_CASE("FaultKernel passes the inner kernel's failures on") {
  ScriptedKernel inner;
  inner.error = EACCES;
  FaultKernel kernel(inner);
  CHECK(kernel.statmount(1, 2, StatmountPart::everything).error().number == EACCES);
  CHECK(kernel.open_tree(1, "", 0).error().number == EACCES);
  CHECK(kernel.open_fds() == 0);
}

TEST_CASE("a kernel that has none of the calls misses all features") {
  ScriptedKernel kernel;
  kernel.error = ENOSYS;
  const Features features = probe_features(kernel);
  CHECK(features.present == 0);
  CHECK(features.missing_for_apply().front() == Feature::openat2);
  CHECK(features.missing_for_apply().size() == 5);
  CHECK(features.missing_for_capture().size() == 5);
}

TEST_CASE("any other errno is a sign of life") {
  ScriptedKernel kernel;
  kernel.error = EBADF;
  const Features features = probe_features(kernel);
  CHECK(features.missing_for_apply().empty());
  CHECK(features.has(Feature::set_group));
  // These answer only by succeeding.
  CHECK_FALSE(features.has(Feature::unique_mount_ids));
  CHECK_FALSE(features.has(Feature::mount_namespace_ids));
}

TEST_CASE("an overlay that looks a layer up when it is given takes layers one by one") {
  struct OverlayKernel : ScriptedKernel {
    int answer = 0;
    Result<void> fsconfig_string(int, const std::string&, const std::string&) override {
      if (answer != 0) return fail("fsconfig", answer);
      return {};
    }
  };
  const std::vector<std::pair<int, bool>> answers = {
      {ENOENT, true},   // it looked for the directory
      {EINVAL, false},  // it does not know the parameter
      {0, false},       // it takes any word and looks at none
  };
  for (const auto& [answer, expected] : answers) {
    OverlayKernel kernel;
    kernel.answer = answer;
    CHECK(probe_features(kernel).has(Feature::overlay_layers) == expected);
    CHECK(kernel.open.empty());
  }
}

TEST_CASE("a thread's result comes back") {
  const auto good = run_in_thread([]() -> Result<std::string> { return "done"; });
  CHECK(good.value() == "done");
  const auto bad = run_in_thread([]() -> Result<void> { return fail("no", EPERM); });
  CHECK(bad.error().number == EPERM);
}

}  // namespace
}  // namespace mntcr
