// A whole apply without Linux: compiled from text, built on the model of the kernel, read back from
// it and compared.
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "compiler/driver/pipeline.h"
#include "compiler/proof/proof.h"
#include "runtime/apply/apply.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_kernel.h"

namespace mntcr {
namespace {

template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

Plan compile(const std::string& text) {
  SourceMap sources;
  Diagnostics diagnostics;
  auto plan = driver::compile_text("test", text, {}, sources, diagnostics);
  UNSCOPED_INFO(render_text(diagnostics, sources));
  REQUIRE(plan);
  return std::move(*plan);
}

TEST_CASE("a container is built on the model and proven there") {
  ModelKernel kernel;
  kernel.make_root_boundless();
  const std::size_t before = kernel.state().mount_count();
  const Plan plan = compile(R"(
spec = 1
name = "test"
[root]
type = "tmpfs"
options = ["size=1m", "mode=0755"]
[[mount]]
target = "/usr"
source = "parent:/usr"
options = ["ro", "nosuid"]
[[mount]]
target = "/usr/share"
type = "tmpfs"
[[mount]]
target = "/proc"
type = "proc"
)");
  Diagnostics diagnostics;
  {
    auto built = apply(kernel, plan, {}, diagnostics);
    UNSCOPED_INFO(render_text(diagnostics, plan.sources));
    REQUIRE(built);
    built->keep();
    const std::uint64_t id = need(kernel.ioctl_ns_get_mntns_id(built->ns().get()));
    CHECK(kernel.state().find_namespace(id)->mounts.size() == 5);
  }
  CHECK(kernel.state().mount_count() == before);
}

TEST_CASE("what the golden specs plan can be built on the model") {
  for (const auto& entry :
       std::filesystem::directory_iterator(MNTCR_SOURCE_DIR "/tests/golden/cases")) {
    if (entry.path().extension() != ".toml") continue;
    Diagnostics compiled;
    const driver::Loaded loaded = driver::load_spec(entry.path().string(), {}, {}, compiled);
    if (!loaded.plan) continue;
    INFO(entry.path().filename().string());
    CHECK(find_flaw(*loaded.plan).value_or("") == "");
    ModelKernel kernel;
    kernel.make_root_boundless();
    kernel.make_filled_boundless();
    REQUIRE(kernel.make_file("/etc/hosts"));
    for (const DesiredGroup& group : loaded.plan->groups) {
      if (group.exact) REQUIRE(kernel.add_mount({.path = group.parent}));
    }
    REQUIRE(
        kernel.mount_setattr(Kernel::at_fdcwd, "/", AT_RECURSIVE, {.propagation = abi::ms_shared}));
    Diagnostics diagnostics;
    auto built = apply(kernel, *loaded.plan, {}, diagnostics);
    INFO(render_text(diagnostics, loaded.plan->sources));
    CHECK(built.has_value());
    if (built) built->keep();
  }
}

}  // namespace
}  // namespace mntcr
