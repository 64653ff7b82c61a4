// Containers of several mount namespaces, found by a PID, by pins and by name: which namespaces
// belong to one, what they are called, and that reading them together is reading each.
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <vector>

#include "compiler/driver/container.h"
#include "compiler/driver/live.h"
#include "runtime/apply/new_namespace.h"
#include "runtime/apply/pin.h"
#include "runtime/kernel/fault_kernel.h"
#include "tests/kernel/support/commands.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

/// Processes that a set_up starts; they end with the process that it runs in.
using Children = std::vector<std::unique_ptr<Process>>;

/// Keeps the thread on one CPU, where ids of namespaces ascend, and what it starts with it.
class OneCpu {
 public:
  OneCpu() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;
  ~OneCpu() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
};

/// What a container that was read is.
struct Viewed {
  bool read = false;
  MountTable live;
  std::string messages;
};

Viewed view(const std::vector<std::string>& where, const driver::LiveDemand& demand = {},
            const std::string& parent = {}) {
  driver::Options options;
  options.where = where;
  options.parent = parent;
  Viewed viewed;
  Diagnostics diagnostics;
  viewed.read = driver::view_live(linux_kernel(), options, demand, diagnostics,
                                  [&](const driver::LiveView& seen) { viewed.live = seen.live; });
  viewed.messages = render_text(diagnostics, {});
  return viewed;
}

void mark(const std::string& dir, const std::string& source) { mount_new("tmpfs", dir, source); }

/// Of each namespace its name and the source of the topmost mount at `dir`.
std::string marks(const Viewed& viewed, const std::string& dir) {
  std::vector<std::string> sources(viewed.live.namespaces.size());
  for (const LiveMount& mount : viewed.live.mounts) {
    if (mount.mountpoint == dir) sources.at(mount.ns) = mount.source;
  }
  std::string text;
  for (std::size_t ns = 0; ns < sources.size(); ++ns)
    text += viewed.live.namespaces[ns] + "=" + sources[ns] + " ";
  return text;
}

std::string text_of(int pid) { return std::to_string(pid); }

Fd need_ns(const std::string& path) {
  auto ns = open_namespace_file(linux_kernel(), path);
  if (!ns) FAIL(ns.error().message);
  return std::move(*ns);
}

/// A process, its child in a second namespace, and that one's in a third; each has its own mount at
/// `dir`.
struct Family {
  OneCpu cpu;
  std::string dir = fresh_dir();
  Children children;
  Process process{[this] {
    mark(dir, "first");
    children.push_back(std::make_unique<Process>([this] {
      mark(dir, "second");
      children.push_back(std::make_unique<Process>([this] { mark(dir, "third"); }));
    }));
  }};
};

}  // namespace

TEST_CASE("namespaces: a process tree with three of them is one container") {
  const Family family;
  const Viewed viewed = view({text_of(family.process.pid())});
  INFO(viewed.messages);
  REQUIRE(viewed.read);
  REQUIRE(viewed.live.namespaces == std::vector<std::string>{"main", "ns-2", "ns-3"});
  const std::string found = marks(viewed, family.dir);
  if (has(Feature::mount_namespace_ids)) {
    CHECK(found == "main=first ns-2=second ns-3=third ");
  } else {
    leave_out("the order in which namespaces were made");
    CHECK(found.starts_with("main=first "));
  }
  CHECK(viewed.messages.find("warning[W0645]") != std::string::npos);
  CHECK(viewed.messages.find("W0646") == std::string::npos);
  std::uint32_t roots = 0;
  for (const LiveMount& mount : viewed.live.mounts) {
    if (mount.parent == UINT32_MAX) {
      CHECK(mount.ns == roots++);
    } else {
      CHECK(viewed.live.mounts[mount.parent].ns == mount.ns);
    }
  }
  CHECK(roots == 3);
}

TEST_CASE("namespaces: those without a name get those of the spec, by their order") {
  const Family family;
  const Viewed viewed =
      view({text_of(family.process.pid())}, {.namespaces = {"main", "worker", "aux"}});
  REQUIRE(viewed.live.namespaces == std::vector<std::string>{"main", "aux", "worker"});
  if (has(Feature::mount_namespace_ids))
    CHECK(marks(viewed, family.dir) == "main=first aux=third worker=second ");
  CHECK(viewed.messages.find("is taken for `worker`") != std::string::npos);
}

TEST_CASE("namespaces: by name, each is what it is by itself; wrong ones are told") {
  const std::string dir = fresh_dir();
  const Process first([&] { mark(dir, "first"); });
  const Process second([&] { mark(dir, "second"); });
  const std::string worker = "worker=/proc/" + text_of(second.pid()) + "/ns/mnt";
  const std::string main = "main=" + text_of(first.pid());
  const Viewed both = view({worker, main});
  INFO(both.messages);
  REQUIRE(both.read);
  CHECK(both.messages.empty());
  CHECK(marks(both, dir) == "main=first worker=second ");
  const Viewed one = view({text_of(first.pid())});
  CHECK(one.live.namespaces == std::vector<std::string>{"main"});
  CHECK(one.live.mounts.size() * 2 == both.live.mounts.size());

  const Viewed same = view({main, worker, "again=" + text_of(second.pid())});
  CHECK_FALSE(same.read);
  CHECK(same.messages.find("error[E0646]: `again` and `worker` are the same") != std::string::npos);
  CHECK(view({main, "worker=nobody"}).messages.find("E0701]: worker: no container named") !=
        std::string::npos);
  CHECK(view({worker}).messages.find("E0645") != std::string::npos);
}

TEST_CASE("namespaces: who went to the parent namespace left the container") {
  const std::string dir = fresh_dir();
  const Fd outside = need_ns("/proc/thread-self/ns/mnt");
  Children children;
  const Process process([&] {
    mark(dir, "first");
    children.push_back(std::make_unique<Process>([&] { ::setns(outside.get(), CLONE_NEWNS); }));
  });
  const Viewed viewed = view({text_of(process.pid())});
  CHECK(marks(viewed, dir) == "main=first ");
  CHECK(viewed.messages.find("warning[W0646]") != std::string::npos);
  CHECK(viewed.messages.find("is in the parent namespace") != std::string::npos);
}

TEST_CASE("namespaces: a process in the parent namespace has no container, only that namespace") {
  const Family family;
  const Viewed own = view({text_of(::getpid())});
  INFO(own.messages);
  CHECK(own.live.namespaces == std::vector<std::string>{"main"});
  CHECK(own.messages.empty());
  const Viewed elsewhere = view({text_of(family.process.pid())}, {},
                                "/proc/" + text_of(family.process.pid()) + "/ns/mnt");
  CHECK(marks(elsewhere, family.dir) == "main=first ");
}

TEST_CASE("namespaces: children that have ended or end meanwhile fail nothing") {
  const std::string dir = fresh_dir();
  const Process process([&] {
    mark(dir, "first");
    if (::fork() == 0) ::_exit(0);  // nobody asks what became of it
    if (::fork() != 0) return;
    for (;;) {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(::unshare(CLONE_NEWNS));
      if (child < 0 || ::getppid() == 1) ::_exit(0);
      ::waitpid(child, nullptr, 0);
    }
  });
  for (int round = 0; round < 40; ++round) {
    const Viewed viewed = view({text_of(process.pid())});
    INFO(viewed.messages);
    REQUIRE(viewed.read);
    REQUIRE(marks(viewed, dir).starts_with("main=first "));
  }
}

TEST_CASE("namespaces: one that only a mount inside keeps is found") {
  const OneCpu cpu;
  const std::string dir = fresh_dir();
  const Process process([&] {
    mark(dir, "first");
    make_file(dir + "/kept");
    const Process kept([&] { mark(dir, "second"); });
    mount_bind("/proc/" + text_of(kept.pid()) + "/ns/mnt", dir + "/kept");
  });
  const Viewed viewed = view({text_of(process.pid())});
  INFO(viewed.messages);
  REQUIRE(viewed.read);
  const Fd own = need_ns("/proc/thread-self/ns/mnt");
  const auto next = linux_kernel().ioctl_ns_mnt_get_next(own.get());
  if (next || next.error().number == ENOENT) {
    CHECK(marks(viewed, dir) == "main=first ns-2=second ");
    CHECK(viewed.messages.find("a namespace that no process is in is called `ns-2`") !=
          std::string::npos);
  } else {
    leave_out("namespaces that no process is in");
    CHECK(viewed.messages.find("a mount namespace that a mount keeps could not be opened") !=
          std::string::npos);
  }
}

TEST_CASE("namespaces: a filesystem that two of them show needs the inodes of both, each once") {
  const std::string dir = fresh_dir();
  Children children;
  const Process process([&] {
    mark(dir, "first");
    for (const char* name : {"/a", "/b", "/c"}) make_dir(dir + name);
    mount_tmpfs(dir + "/b");
    children.push_back(std::make_unique<Process>([&] {
      for (const char* name : {"/a", "/c"}) mount_tmpfs(dir + name);
    }));
  });
  const Viewed viewed = view({text_of(process.pid())}, {.depth = LiveDepth::inodes});
  REQUIRE(viewed.live.namespaces.size() == 2);
  const LiveMount& shared = mount_at(viewed.live, dir);
  std::string needed;
  const DeviceNumber device(shared.dev_major, shared.dev_minor);
  REQUIRE(viewed.live.needed.contains(device));
  for (const NeededInode& inode : viewed.live.needed.at(device)) needed += inode.path + " ";
  CHECK(needed == "a b c ");
}

TEST_CASE("namespaces: all that is pinned of a container is read, by its name or by a PID") {
  private_run();
  const std::string spec =
      "spec = 1\nname = \"web\"\n[root]\ntype = \"tmpfs\"\n[[mount]]\ntarget "
      "= \"/at\"\ntype = \"tmpfs\"\ncreate = \"dir\"\n";
  const Plan plan = compile(spec);
  std::vector<Applied> made;
  const std::vector<std::string> names = {"main", "aux", "worker"};
  for (const std::string& name : names) {
    made.push_back(apply_plan(linux_kernel(), plan, {.for_pinning = true}));
    REQUIRE(made.back().built.has_value());
    inside(made.back().built->ns(), [&] { mark("/at", name); });
  }
  Diagnostics diagnostics;
  REQUIRE(pin(linux_kernel(), "web", made[0].built->ns(), diagnostics));
  for (const std::size_t ns : {2U, 1U}) {
    make_file(pin_path("web", names[ns]));
    mount_bind(fmt::format("/proc/self/fd/{}", made[ns].built->ns().get()),
               pin_path("web", names[ns]));
  }
  const Viewed pinned = view({"web"});
  INFO(pinned.messages);
  CHECK(pinned.messages.empty());
  CHECK(marks(pinned, "/at") == "main=main aux=aux worker=worker ");
  const Process in_main([&] { ::setns(made[0].built->ns().get(), CLONE_NEWNS); });
  const Viewed by_pid = view({text_of(in_main.pid())});
  CHECK(by_pid.messages.empty());
  CHECK(marks(by_pid, "/at") == marks(pinned, "/at"));
  const Process in_aux([&] { ::setns(made[1].built->ns().get(), CLONE_NEWNS); });
  CHECK(marks(view({text_of(in_aux.pid())}), "/at") == "main=aux ");
  CHECK(marks(view({pin_path("web")}), "/at") == "main=main ");

  const std::string listed = shell("/", "$MNTCR list").out;
  CHECK(listed.starts_with("web\tmain\t"));
  CHECK(listed.find("\nweb\taux\t") < listed.find("\nweb\tworker\t"));
  CHECK(listed.ends_with("/run/mntcr/web/worker\n"));
  unmount(pin_path("web", "aux"));
  const Viewed stale = view({"web"});
  CHECK(marks(stale, "/at") == "main=main worker=worker ");
  CHECK(stale.messages.find("web/aux is no pin of a namespace") != std::string::npos);
  CHECK(shell("/", "$MNTCR delete web").code == 0);
  CHECK_FALSE(fs::exists("/run/mntcr/web"));
}

TEST_CASE("namespaces: whatever call fails, the container is opened or refused and none leaks") {
  private_run();
  const Family family;
  const Fd outside = need_ns("/proc/thread-self/ns/mnt");
  for (const int error : {EACCES, ENOENT}) {
    for (std::size_t call = 1;; ++call) {
      FaultKernel faulty(linux_kernel());
      faulty.fail_call(call, error);
      {
        Diagnostics diagnostics;
        const auto container = driver::OpenContainer::open(
            faulty, {{{}, text_of(family.process.pid())}}, outside, {}, diagnostics);
        INFO((call <= faulty.log().size() ? faulty.log()[call - 1] : "none"));
        CHECK(container.has_value() != diagnostics.has_errors());
        if (container) CHECK(container->named().front().name == "main");
      }
      CHECK(faulty.open_fds() == 0);
      if (faulty.calls() < call) break;
    }
  }
}

}  // namespace mntcr
