// Pins: made, listed, entered, removed, and made every time although the kernel's ids come in
// batches.
#include "runtime/apply/pin.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "compiler/planner/planner.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/layouts.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

constexpr const char* small_spec =
    "spec = 1\nname = \"small\"\n[root]\ntype = \"tmpfs\"\n[[mount]]\ntarget = \"/proc\"\ntype = "
    "\"proc\"\n";

void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  REQUIRE(::sched_setaffinity(0, sizeof set, &set) == 0);
}

/// The CPUs that the test may use, restored at the end.
class Cpus {
 public:
  Cpus() { ::sched_getaffinity(0, sizeof before_, &before_); }
  Cpus(const Cpus&) = delete;
  Cpus& operator=(const Cpus&) = delete;
  ~Cpus() { ::sched_setaffinity(0, sizeof before_, &before_); }
  [[nodiscard]] std::vector<int> all() const {
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &before_)) cpus.push_back(cpu);
    }
    return cpus;
  }

 private:
  cpu_set_t before_{};
};

/// Applies, pins, checks the pin and removes it; why not, when it fails.
std::string pin_round(const Plan& plan, const std::string& name) {
  Applied made = apply_plan(linux_kernel(), plan, {.for_pinning = true});
  if (!made.built) return made.messages;
  Diagnostics diagnostics;
  if (!pin(linux_kernel(), name, made.built->ns(), diagnostics))
    return render_text(diagnostics, {});
  const auto pinned = open_namespace_file(linux_kernel(), pin_path(name));
  if (!pinned) return pinned.error().message;
  if (!remove_pin(linux_kernel(), name, diagnostics)) return render_text(diagnostics, {});
  return {};
}

}  // namespace

TEST_CASE("a pin is listed, keeps the namespace, refuses a second of its name and goes again") {
  private_run();
  const Plan plan = compile(small_spec);
  const Applied made = apply_plan(linux_kernel(), plan, {.for_pinning = true});
  REQUIRE(made.built.has_value());
  Diagnostics diagnostics;
  REQUIRE(pin(linux_kernel(), "small", made.built->ns(), diagnostics));
  CHECK(is_pinned(linux_kernel(), "small"));
  const auto pins = list_pins(linux_kernel());
  REQUIRE(pins.has_value());
  REQUIRE(pins->size() == 1);
  CHECK(pins->front().namespaces.front().path == "/run/mntcr/small/main");
  CHECK(pins->front().namespaces.front().alive);
  const auto ns = open_namespace_file(linux_kernel(), "/run/mntcr/small/main");
  REQUIRE(ns.has_value());
  CHECK(differences(*ns, small_spec).empty());

  CHECK_FALSE(pin(linux_kernel(), "small", made.built->ns(), diagnostics));
  REQUIRE(diagnostics.items().size() == 1);
  CHECK(diagnostics.items()[0].code == Code::E0703);
  CHECK(is_pinned(linux_kernel(), "small"));

  Diagnostics removing;
  CHECK(remove_pin(linux_kernel(), "small", removing));
  CHECK_FALSE(fs::exists("/run/mntcr/small"));
  CHECK_FALSE(remove_pin(linux_kernel(), "small", removing));
  CHECK(removing.items().at(0).code == Code::E0701);
}

TEST_CASE("a left-over file is listed as stale and removed") {
  private_run();
  make_dir("/run/mntcr/old");
  make_file("/run/mntcr/old/main");
  const auto pins = list_pins(linux_kernel());
  REQUIRE(pins.has_value());
  REQUIRE(pins->size() == 1);
  CHECK_FALSE(pins->front().namespaces.front().alive);
  Diagnostics diagnostics;
  CHECK(remove_pin(linux_kernel(), "old", diagnostics));
  CHECK_FALSE(fs::exists("/run/mntcr/old"));
}

TEST_CASE("all namespaces of a container are pinned, listed and removed together, or none") {
  private_run();
  Layout layout{.name = "many", .superblocks = {test::made("tmpfs")}, .mounts = {}};
  for (const char* name : {"", "second", "third"}) {
    if (*name != '\0') test::add_namespace(layout, name);
    test::add_mount(layout, no_index, 0, "", name);
  }
  const Plan plan = plan_layout(layout, SourceMap());
  for (int round = 0; round < 20; ++round) {
    const Applied made = apply_plan(linux_kernel(), plan, {.for_pinning = true});
    REQUIRE(made.built.has_value());
    Diagnostics diagnostics;
    REQUIRE(
        pin(linux_kernel(), "many", named_namespaces(plan, made.built->namespaces()), diagnostics));
    const auto pins = list_pins(linux_kernel());
    REQUIRE((pins.has_value() && pins->size() == 1));
    REQUIRE(pins->front().namespaces.size() == 3);
    for (const PinnedNamespace& pinned : pins->front().namespaces) CHECK(pinned.alive);
    CHECK(remove_pin(linux_kernel(), "many", diagnostics));
    CHECK_FALSE(fs::exists("/run/mntcr/many"));
  }
  // A name that cannot be had takes the others along.
  const Applied made = apply_plan(linux_kernel(), plan, {.for_pinning = true});
  REQUIRE(made.built.has_value());
  std::vector<NamedNamespace> named = named_namespaces(plan, made.built->namespaces());
  named[2].name = named[1].name;
  Diagnostics diagnostics;
  CHECK_FALSE(pin(linux_kernel(), "many", named, diagnostics));
  CHECK_FALSE(fs::exists("/run/mntcr/many"));
}

TEST_CASE("500 pins in a row over all CPUs") {
  private_run();
  const Cpus cpus;
  const Plan plan = compile(small_spec);
  const std::vector<int> all = cpus.all();
  for (std::size_t round = 0; round < 500; ++round) {
    run_on(all[round % all.size()]);
    const std::string problem = pin_round(plan, fmt::format("pin{}", round));
    INFO("round " << round << ": " << problem);
    REQUIRE(problem.empty());
  }
}

TEST_CASE("a caller whose namespace was made on any CPU can pin from any other") {
  private_run();
  const Cpus cpus;
  const Plan plan = compile(small_spec);
  for (int round = 0; round < 2; ++round) {
    for (const int made_on : cpus.all()) {
      for (const int runs_on : cpus.all()) {
        std::string problem;
        const auto ran = join_thread([&] {
          cpu_set_t set;
          CPU_ZERO(&set);
          CPU_SET(static_cast<std::size_t>(made_on), &set);
          ::sched_setaffinity(0, sizeof set, &set);
          if (::unshare(CLONE_NEWNS) != 0) problem = "unshare";
          CPU_ZERO(&set);
          CPU_SET(static_cast<std::size_t>(runs_on), &set);
          ::sched_setaffinity(0, sizeof set, &set);
          if (problem.empty()) problem = pin_round(plan, "far");
        });
        REQUIRE(ran.has_value());
        INFO("made on " << made_on << ", runs on " << runs_on << ": " << problem);
        REQUIRE(problem.empty());
      }
    }
  }
}

TEST_CASE("the thread's CPUs are as before after pinning") {
  private_run();
  const Cpus cpus;
  REQUIRE(pin_round(compile(small_spec), "cpu").empty());
  CHECK(Cpus().all() == cpus.all());
}

TEST_CASE(
    "where /run is shared the store becomes a private mount, because a namespace cannot be "
    "propagated") {
  private_run();
  fs::remove_all(pin_store);
  propagate("/run", MS_SHARED);
  CHECK(pin_round(compile(small_spec), "shared").empty());
  unmount(pin_store);
  propagate("/run", MS_PRIVATE);
}

}  // namespace mntcr
