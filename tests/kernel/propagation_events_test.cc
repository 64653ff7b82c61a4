// What a container shares is no matter of numbers: a mount that is made in one of its namespaces
// appears where the groups of the spec say. Where that is, the model of the kernel says: the same
// plan stands on it, and the same happens there.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <iterator>
#include <optional>
#include <random>
#include <set>

#include "compiler/planner/planner.h"
#include "runtime/capture/container.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_kernel.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/picture.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/forests.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// Peers without a common root, a slave group below them, a slave of that, and a group whose
/// members are all the root of a filesystem, in up to three namespaces.
constexpr const char* events_spec = R"(
spec = 1
name = "events"
[filesystem.a]
type = "tmpfs"
[root]
type = "tmpfs"
[[mount]]
target = "/a"
source = "fs:a"
propagation = "shared:g"
[[mount]]
target = "/part"
source = "fs:a/part"
propagation = "shared:g"
[[mount]]
target = "/below"
source = "fs:a"
propagation = "slave:g shared:h"
[[mount]]
target = "/last"
source = "fs:a"
propagation = "slave:h"
[[mount]]
target = "/own"
type = "tmpfs"
propagation = "shared"
[[namespace]]
name = "worker"
clone = "main"
[[namespace]]
name = "other"
root = { type = "tmpfs" }
[[mount]]
namespace = "other"
target = "/slave"
source = "fs:a"
propagation = "slave:g"
[[mount]]
namespace = "other"
target = "/peer"
source = "fs:a/part"
propagation = "shared:g"
[[mount]]
namespace = "other"
target = "/below"
source = "fs:a/part/deep"
propagation = "slave:g shared:h"
)";

enum class Act : std::uint8_t { mount, cover, bind, bind_over, umount, make_private };

/// Something that a process in one of the namespaces does.
struct Event {
  std::size_t ns = 0;  ///< 0 main, 1 worker, 2 other
  Act act = Act::mount;
  std::string path;
  std::string from;     ///< of a bind
  std::string changes;  ///< the mounts that come, or go
};

Result<void> make_directory(Kernel& kernel, const std::string& path) {
  constexpr std::uint32_t directory_mode = 0755;
  return kernel.mkdirat(Kernel::at_fdcwd, path, directory_mode);
}

Result<void> mount_new(Kernel& kernel, const std::string& path) {
  const auto context = kernel.fsopen("tmpfs");
  if (!context) return Failure(context.error());
  if (auto created = kernel.fsconfig_create(context->get()); !created) return created;
  const auto mount = kernel.fsmount(context->get(), 0);
  if (!mount) return Failure(mount.error());
  return kernel.move_mount(mount->get(), "", Kernel::at_fdcwd, path, 0);
}

Result<void> bind(Kernel& kernel, const std::string& from, const std::string& to) {
  const auto tree = kernel.open_tree(Kernel::at_fdcwd, from, abi::open_tree_clone);
  if (!tree) return Failure(tree.error());
  return kernel.move_mount(tree->get(), "", Kernel::at_fdcwd, to, 0);
}

Result<void> perform(Kernel& kernel, const Event& event) {
  if (event.act == Act::mount || event.act == Act::bind) {
    if (auto made = make_directory(kernel, event.path); !made) return made;
  }
  switch (event.act) {
    case Act::mount:
    case Act::cover:
      return mount_new(kernel, event.path);
    case Act::bind:
    case Act::bind_over:
      return bind(kernel, event.from, event.path);
    case Act::umount:
      return kernel.umount2(event.path, 0);
    case Act::make_private:
      return kernel.mount_setattr(Kernel::at_fdcwd, event.path, 0,
                                  {.propagation = abi::ms_private});
  }
  return {};
}

/// The container of the spec on one kernel.
class Side {
 public:
  Side(Kernel& kernel, const Plan& plan) : kernel_(kernel), plan_(plan) {
    Applied applied = apply_plan(kernel, plan);
    if (!applied.built) FAIL(applied.messages);
    applied.built->keep();
    built_.emplace(std::move(*applied.built));
  }

  /// The errno, 0 of what was done.
  int perform(const Event& event) {
    const Result<void> done = run_in_thread([&]() -> Result<void> {
      const auto entered = enter_mount_namespace(kernel_, built_->ns(event.ns).get());
      return entered ? mntcr::perform(kernel_, event) : entered;
    });
    return done ? 0 : done.error().number;
  }

  [[nodiscard]] MountTable read() const {
    const Result<Fd> proc = open_proc(kernel_);
    REQUIRE(proc);
    Result<MountTable> table =
        capture_container(kernel_, *proc, named_namespaces(plan_, built_->namespaces()));
    if (!table) FAIL(table.error().message);
    return std::move(*table);
  }

 private:
  Kernel& kernel_;
  const Plan& plan_;
  std::optional<Built> built_;
};

/// "main:/a worker:/a", of each mount.
std::multiset<std::string> places(const MountTable& table) {
  std::multiset<std::string> all;
  for (const LiveMount& mount : table.mounts)
    all.insert(table.namespaces.at(mount.ns) + ":" + mount.mountpoint);
  return all;
}

/// What only `left` has.
std::string without(const std::multiset<std::string>& left,
                    const std::multiset<std::string>& right) {
  std::vector<std::string> only;
  std::ranges::set_difference(left, right, std::back_inserter(only));
  std::string text;
  for (const std::string& place : only) text += (text.empty() ? "" : " ") + place;
  return text;
}

std::size_t came_or_went(const MountTable& before, const MountTable& after) {
  const std::size_t least = std::min(before.mounts.size(), after.mounts.size());
  return std::max(before.mounts.size(), after.mounts.size()) - least;
}

const std::vector<Event>& events() {
  static const std::vector<Event> all = {
      // On a peer: at all peers that show the place, and at their slaves.
      {0,
       Act::mount,
       "/a/x",
       {},
       "main:/a/x main:/below/x main:/last/x other:/slave/x worker:/a/x worker:/below/x "
       "worker:/last/x"},
      // On a peer that shows a part, of another namespace.
      {2,
       Act::mount,
       "/peer/deep/y",
       {},
       "main:/a/part/deep/y main:/below/part/deep/y main:/last/part/deep/y main:/part/deep/y "
       "other:/below/y other:/peer/deep/y other:/slave/part/deep/y worker:/a/part/deep/y "
       "worker:/below/part/deep/y worker:/last/part/deep/y worker:/part/deep/y"},
      // On a slave that is shared: at its peers and its slaves, not at its masters.
      {1, Act::mount, "/below/z", {}, "main:/below/z main:/last/z worker:/below/z worker:/last/z"},
      {2,
       Act::mount,
       "/below/part",
       {},
       "main:/below/part/deep/part main:/last/part/deep/part other:/below/part "
       "worker:/below/part/deep/part worker:/last/part/deep/part"},
      // On slaves: nowhere else.
      {2, Act::mount, "/slave/w", {}, "other:/slave/w"},
      {1, Act::mount, "/last/v", {}, "worker:/last/v"},
      // On what is alone in its namespace, and in what appeared.
      {0, Act::mount, "/own/o", {}, "main:/own/o worker:/own/o"},
      {0,
       Act::mount,
       "/a/x/in",
       {},
       "main:/a/x/in main:/below/x/in main:/last/x/in other:/slave/x/in worker:/a/x/in "
       "worker:/below/x/in worker:/last/x/in"},
      // A bind brings its group with it.
      {1, Act::bind, "/a/pub", "/own",
       "main:/a/pub main:/below/pub main:/last/pub other:/slave/pub worker:/a/pub "
       "worker:/below/pub worker:/last/pub"},
      {0,
       Act::mount,
       "/a/pub/p",
       {},
       "main:/a/pub/p main:/below/pub/p main:/last/pub/p main:/own/p other:/slave/pub/p "
       "worker:/a/pub/p worker:/below/pub/p worker:/last/pub/p worker:/own/p"},
      // And back, each from another namespace than that in which it began.
      {1,
       Act::umount,
       "/a/pub/p",
       {},
       "main:/a/pub/p main:/below/pub/p main:/last/pub/p main:/own/p other:/slave/pub/p "
       "worker:/a/pub/p worker:/below/pub/p worker:/last/pub/p worker:/own/p"},
      {0,
       Act::umount,
       "/part/deep/y",
       {},
       "main:/a/part/deep/y main:/below/part/deep/y main:/last/part/deep/y main:/part/deep/y "
       "other:/below/y other:/peer/deep/y other:/slave/part/deep/y worker:/a/part/deep/y "
       "worker:/below/part/deep/y worker:/last/part/deep/y worker:/part/deep/y"},
      {2, Act::umount, "/slave/x/in", {}, "other:/slave/x/in"},
      {0, Act::umount, "/below/z", {}, "main:/below/z main:/last/z worker:/below/z worker:/last/z"},
      // Who left the group gives and gets nothing more.
      {0, Act::make_private, "/a", {}, ""},
      {0, Act::mount, "/a/q", {}, "main:/a/q"},
      {1,
       Act::mount,
       "/a/r",
       {},
       "main:/below/r main:/last/r other:/slave/r worker:/a/r worker:/below/r worker:/last/r"},
  };
  return all;
}

}  // namespace

TEST_CASE("what happens in one namespace appears in all where the model says", "[sharing]") {
  const Plan plan = compile(events_spec);
  ModelKernel model;
  Side on_model(model, plan);
  Side on_linux(linux_kernel(), plan);
  MountTable before = on_linux.read();
  REQUIRE(picture_of(before) == picture_of(on_model.read()));
  std::size_t moved = 0;
  for (const Event& event : events()) {
    INFO("namespace " << event.ns << ", " << event.path);
    REQUIRE(on_model.perform(event) == 0);
    REQUIRE(on_linux.perform(event) == 0);
    MountTable after = on_linux.read();
    CHECK(picture_of(after) == picture_of(on_model.read()));
    const std::string gone = without(places(before), places(after));
    const std::string came = without(places(after), places(before));
    CHECK((event.act == Act::umount ? gone : came) == event.changes);
    CHECK((event.act == Act::umount ? came : gone).empty());
    moved += came_or_went(before, after);
    before = std::move(after);
  }
  fmt::print("{} events, {} mounts came or went\n", events().size(), moved);
}

namespace {

/// Something at a mount of the layout, as far as the path leads to it.
Event draw_event(const Layout& layout, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const LayoutMount& mount = layout.mounts[below(layout.mounts.size())];
  const LayoutMount& other = layout.mounts[below(layout.mounts.size())];
  const std::array acts = {Act::cover, Act::cover, Act::bind_over, Act::umount, Act::make_private};
  Event event{mount.ns, acts.at(below(acts.size())), mount.target, other.target, {}};
  if (event.act == Act::umount && event.path == "/") event.act = Act::make_private;
  return event;
}

}  // namespace

TEST_CASE("what happens in drawn forests happens as on the model", "[sharing]") {
  if (!reads_by_statmount()) return leave_out("forests with mounts over their roots");
  const std::size_t forests = count_from_environment("MNTCR_EVENT_FORESTS", 20);
  constexpr int events_of_each = 6;
  SourceMap sources;
  sources.add("forest.toml", std::string(64, ' '));
  std::size_t done = 0;
  std::size_t moved = 0;
  for (unsigned seed = 0; seed < forests; ++seed) {
    const Layout layout = test::draw_forest(seed);
    const Plan plan = plan_layout(layout, sources);
    std::mt19937 random(seed);
    ModelKernel model;
    Side on_model(model, plan);
    Side on_linux(linux_kernel(), plan);
    MountTable before = on_linux.read();
    for (int count = 0; count < events_of_each; ++count) {
      const Event event = draw_event(layout, random);
      INFO("seed " << seed << ", " << count << ": " << static_cast<int>(event.act) << " in "
                   << event.ns << " of " << event.path << " from " << event.from);
      const int error = on_linux.perform(event);
      REQUIRE(on_model.perform(event) == error);
      MountTable after = on_linux.read();
      REQUIRE(picture_of(after) == picture_of(on_model.read()));
      done += error == 0 ? 1U : 0U;
      moved += came_or_went(before, after);
      before = std::move(after);
    }
  }
  fmt::print("{} forests, {} events of {} done, {} mounts came or went\n", forests, done,
             forests * events_of_each, moved);
  CHECK(done > forests * 2);
  CHECK(moved > done / 2);
}

}  // namespace mntcr
