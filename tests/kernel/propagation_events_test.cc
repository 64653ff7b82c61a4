// What a container shares is no matter of numbers: a mount that is made in one of its namespaces
// appears where the groups of the spec say. Where that is, the model of the kernel says: the same
// plan stands on it, and the same happens there.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <optional>
#include <set>

#include "runtime/capture/container.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_kernel.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/picture.h"
#include "tests/kernel/support/sandbox.h"

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

enum class Act : std::uint8_t { mount, bind, umount, make_private };

/// Something that a process in one of the namespaces does.
struct Event {
  std::size_t ns;  ///< 0 main, 1 worker, 2 other
  Act act;
  std::string path;
  std::string from;     ///< of a bind
  std::string changes;  ///< the mounts that come, or go
};

Result<void> make_directory(Kernel& kernel, const std::string& path) {
  constexpr std::uint32_t directory_mode = 0755;
  return kernel.mkdirat(Kernel::at_fdcwd, path, directory_mode);
}

Result<void> mount_new(Kernel& kernel, const std::string& path) {
  if (auto made = make_directory(kernel, path); !made) return made;
  const auto context = kernel.fsopen("tmpfs");
  if (!context) return Failure(context.error());
  if (auto created = kernel.fsconfig_create(context->get()); !created) return created;
  const auto mount = kernel.fsmount(context->get(), 0);
  if (!mount) return Failure(mount.error());
  return kernel.move_mount(mount->get(), "", Kernel::at_fdcwd, path, 0);
}

Result<void> bind(Kernel& kernel, const std::string& from, const std::string& to) {
  if (auto made = make_directory(kernel, to); !made) return made;
  const auto tree = kernel.open_tree(Kernel::at_fdcwd, from, abi::open_tree_clone);
  if (!tree) return Failure(tree.error());
  return kernel.move_mount(tree->get(), "", Kernel::at_fdcwd, to, 0);
}

Result<void> perform(Kernel& kernel, const Event& event) {
  switch (event.act) {
    case Act::mount:
      return mount_new(kernel, event.path);
    case Act::bind:
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

  void perform(const Event& event) {
    const Result<void> done = run_in_thread([&]() -> Result<void> {
      const auto entered = enter_mount_namespace(kernel_, built_->ns(event.ns).get());
      return entered ? mntcr::perform(kernel_, event) : entered;
    });
    if (!done) FAIL(event.path << ": " << done.error().message);
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
    on_model.perform(event);
    on_linux.perform(event);
    MountTable after = on_linux.read();
    CHECK(picture_of(after) == picture_of(on_model.read()));
    const std::string gone = without(places(before), places(after));
    const std::string came = without(places(after), places(before));
    CHECK((event.act == Act::umount ? gone : came) == event.changes);
    CHECK((event.act == Act::umount ? came : gone).empty());
    moved += after.mounts.size() > before.mounts.size()
                 ? after.mounts.size() - before.mounts.size()
                 : before.mounts.size() - after.mounts.size();
    before = std::move(after);
  }
  fmt::print("{} events, {} mounts came or went\n", events().size(), moved);
}

}  // namespace mntcr
