// What other checkpointers refuse or lose, row by row: the rows about sharing. Each state is made
// by the system calls that lead to it and comes back from its capture.
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

void propagate(const char* path, unsigned long type) {
  REQUIRE(::mount(nullptr, path, nullptr, type, nullptr) == 0);
}

/// A shared tmpfs at /t with directories, and the mountpoints /m and /n.
void make_shared_filesystem() {
  for (const char* name : {"/t", "/m", "/n"}) make_dir(name);
  mount_tmpfs("/t", "size=1m");
  propagate("/t", MS_SHARED);
  for (const char* name : {"/t/a/b", "/t/c"}) make_dir(name);
}

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("peers without a common root", "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    make_shared_filesystem();
    mount_bind("/t/a", "/m");
    mount_bind("/t/c", "/n");
    unmount("/t");
  });
  CHECK(contains(text, "propagation = \"shared:m\""));
}

TEST_CASE("slaves of one master without a common root", "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    make_shared_filesystem();
    make_dir("/o");
    mount_bind("/t/a", "/m");
    mount_bind("/t/c", "/n");
    mount_bind("/t/a/b", "/o");
    propagate("/n", MS_SLAVE);
    propagate("/o", MS_SLAVE);
    unmount("/t");
  });
  CHECK(contains(text, "propagation = \"slave:m\""));
}

TEST_CASE("a slave wider than its master", "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    make_shared_filesystem();
    mount_bind("/t/a/b", "/m");
    propagate("/t", MS_SLAVE);
  });
  CHECK(contains(text, "propagation = \"slave:m\""));
}

TEST_CASE("a shared slave of a slave, an unbindable slave, a shared root", "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    make_shared_filesystem();
    make_dir("/o");
    mount_bind("/t", "/m");
    propagate("/m", MS_SLAVE);
    propagate("/m", MS_SHARED);
    mount_bind("/m", "/n");
    propagate("/n", MS_SLAVE);
    mount_bind("/m/a", "/o");
    propagate("/o", MS_UNBINDABLE);
    propagate("/", MS_SHARED);
  });
  CHECK(contains(text, "propagation = \"slave:t shared:m\""));
  CHECK(contains(text, "propagation = \"slave:m\""));
  CHECK(contains(text, "propagation = \"unbindable\""));
}

TEST_CASE("mounts that propagation made, tucked beneath others", "[peers]") {
  comes_back(base_spec(), [] {
    make_shared_filesystem();
    mount_bind("/t", "/m");
    propagate("/m", MS_SLAVE);
    mount_tmpfs("/m/a", "size=1m");
    mount_tmpfs("/t/a", "size=1m");
    mount_tmpfs("/t/c", "size=1m");
    propagate("/t/c", MS_UNBINDABLE);
  });
}

TEST_CASE("two parts of the parent's filesystem in one group", "[peers]") {
  const std::string data = fresh_dir();
  for (const char* name : {"/a", "/b"}) make_dir(data + name);
  const std::string text = comes_back(base_spec(data), [] {
    for (const char* name : {"/m", "/n"}) make_dir(name);
    propagate("/data", MS_SHARED);
    mount_bind("/data/a", "/m");
    mount_bind("/data/b", "/n");
    unmount("/data");
  });
  CHECK(contains(text, "propagation = \"shared:m\""));
  CHECK(contains(text, "parent = "));
}

}  // namespace mntcr
