// Whatever forest of peer groups can be drawn is built: applied to the running kernel and read from
// outside when all helpers are gone, it is what was drawn.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "compiler/planner/planner.h"
#include "runtime/base/source_map.h"
#include "runtime/capture/container.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/forests.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// All mounts of all namespaces with what they share, as text; groups by their order in it. What a
/// forest comes to, and what the kernel has, are written alike.
class Picture {
 public:
  void add(std::size_t ns, const std::string& target, const std::string& root,
           std::uint64_t superblock, std::uint64_t group, std::uint64_t master, bool unbindable) {
    lines_ += fmt::format("{} {} shows {}:{} group {} master {}{}\n", ns, target,
                          numbered(superblocks_, superblock), root, numbered(groups_, group),
                          numbered(groups_, master), unbindable ? " unbindable" : "");
  }
  [[nodiscard]] const std::string& text() const { return lines_; }

 private:
  using Numbers = std::map<std::uint64_t, std::size_t>;
  static std::size_t numbered(Numbers& numbers, std::uint64_t what) {
    return what == 0 ? 0 : numbers.emplace(what, numbers.size() + 1).first->second;
  }

  std::string lines_;
  Numbers superblocks_;
  Numbers groups_;
};

std::string picture_of(const Layout& layout) {
  const auto number = [](std::uint32_t index) { return index == no_index ? 0U : index + 1U; };
  Picture picture;
  for (const LayoutMount& mount : layout.mounts) {
    picture.add(mount.ns, mount.target, "/" + mount.root, mount.superblock + 1U,
                number(mount.group), number(mount.master), mount.unbindable);
  }
  return picture.text();
}

std::string picture_of(const MountTable& table) {
  Picture picture;
  for (const LiveMount& mount : table.mounts) {
    picture.add(mount.ns, mount.mountpoint, mount.root, mount.dev_minor + 1U, mount.peer_group,
                mount.master, mount.unbindable);
  }
  return picture.text();
}

MountTable read(const Layout& layout, const Built& built) {
  const Result<Fd> proc = open_proc(linux_kernel());
  REQUIRE(proc);
  std::vector<NamedNamespace> named;
  for (std::size_t ns = 0; ns < layout.namespaces.size(); ++ns)
    named.push_back({layout.namespaces[ns].name, &built.ns(ns)});
  Result<MountTable> table = capture_container(linux_kernel(), *proc, named);
  REQUIRE(table);
  return std::move(*table);
}

}  // namespace

TEST_CASE("drawn forests of peer groups stand on the kernel as they were drawn", "[sharing]") {
  if (!reads_by_statmount()) leave_out("mounts over the container's root");
  const std::size_t forests = count_from_environment("MNTCR_KERNEL_FORESTS", 100);
  SourceMap sources;
  sources.add("forest.toml", std::string(64, ' '));
  test::ForestTally tally;
  for (unsigned seed = 0; seed < forests; ++seed) {
    const Layout layout = test::draw_forest(seed);
    const Plan plan = plan_layout(layout, sources);
    tally.add(layout, plan);
    const Applied applied = apply_plan(linux_kernel(), plan);
    INFO("seed " << seed << "\n" << applied.messages);
    REQUIRE(applied.built);
    CHECK(picture_of(read(layout, *applied.built)) == picture_of(layout));
  }
  fmt::print("{}", tally.text());
  CHECK(tally.without_leader > forests / 4);
}

}  // namespace mntcr
