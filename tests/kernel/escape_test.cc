// `escape` of [policy] from end to end: a container that comes to share with the parent without its
// spec saying so is told and counts as different, is only told, or is nobody's business.
#include <fcntl.h>
#include <sys/mount.h>

#include <array>
#include <catch2/catch.hpp>

#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/commands.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

/// A pinned container with a shared tmpfs at /t, under a policy; `folder` has its spec.
class Pinned {
 public:
  explicit Pinned(const std::string& policy) : folder_(fresh_dir()) {
    private_run();
    make_file(folder_ + "/web.toml",
              "spec = 1\nname = \"web\"\n[root]\ntype = \"tmpfs\"\n[[mount]]\ntarget = \"/t\"\n"
              "type = \"tmpfs\"\npropagation = \"shared\"\n[[mount]]\ntarget = \"/in\"\n"
              "source = \"parent:" +
                  folder_ + "\"\n" + policy);
    const Ran made =
        shell(folder_, "$MNTCR compile web.toml && $MNTCR apply plan.bin --pin escape");
    if (made.code != 0) throw std::runtime_error(made.err);
    ns_ = need(open_namespace_file(linux_kernel(), "/run/mntcr/escape/main"));
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { shell(folder_, "$MNTCR delete escape"); }

  [[nodiscard]] const Fd& ns() const { return ns_; }
  [[nodiscard]] Ran diff() const { return shell(folder_, "$MNTCR diff escape web.toml"); }

 private:
  std::string folder_;
  Fd ns_;
};

/// A mount as a tree of its own that is attached to nothing.
Fd clone_of(const std::string& path) {
  return need(linux_kernel().open_tree(Kernel::at_fdcwd, path, abi::open_tree_clone));
}

void attach(const Fd& tree, const std::string& path) {
  const Fd place = need(linux_kernel().openat2(Kernel::at_fdcwd, path, {.flags = O_PATH}));
  const auto moved = linux_kernel().move_mount(tree.get(), "", place.get(), "", 0);
  if (!moved) throw std::runtime_error(moved.error().message);
}

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

struct Expected {
  const char* policy;
  int code;
  bool told;
};

constexpr std::array<Expected, 4> expectations{{{"", 1, true},
                                                {"[policy]\nescape = \"refuse\"\n", 1, true},
                                                {"[policy]\nescape = \"report\"\n", 0, true},
                                                {"[policy]\nescape = \"allow\"\n", 0, false}}};

}  // namespace

TEST_CASE("escape: a mount of the parent becomes a slave of the container's", "[sharing]") {
  for (const Expected& expected : expectations) {
    const Pinned container(expected.policy);
    CHECK(container.diff().code == 0);
    Fd tree;
    inside(container.ns(), [&] { tree = clone_of("/t"); });
    const std::string place = fresh_dir();
    attach(tree, place);
    propagate(place, MS_SLAVE);
    const Ran ran = container.diff();
    unmount(place);
    INFO(expected.policy << ran.out << ran.err);
    CHECK(ran.code == expected.code);
    CHECK(contains(ran.out, place) == expected.told);
  }
}

TEST_CASE("escape: a peer of the parent's is mounted in the container", "[sharing]") {
  for (const Expected& expected : expectations) {
    const Pinned container(expected.policy);
    const std::string place = fresh_dir();
    mount_tmpfs(place);
    propagate(place, MS_SHARED);
    Fd tree = clone_of(place);
    inside(container.ns(), [&] { attach(tree, "/in"); });
    const Ran ran = container.diff();
    unmount(place);
    INFO(expected.policy << ran.out << ran.err);
    CHECK(ran.code == 1);  // it appeared, whatever it shares
    CHECK(contains(ran.out, "+ /in"));
    CHECK(contains(ran.out, "sharing with the parent that nobody declared") == expected.told);
  }
}

}  // namespace mntcr
