// What other checkpointers refuse or lose, row by row, as far as it needs no sharing. Rows with
// tests of their own: names, symlinks, long lines, nosymfollow and 10,000 binds
// (odd_names_test.cc), removed inodes (inode_roundtrip_test.cc), overlays (overlay_test.cc), idmaps
// (idmap_test.cc).
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "compiler/driver/pipeline.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a bind whose base is unmounted; a superblock root that no mount shows", "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    make_dir("/t");
    mount_tmpfs("/t", "size=1m");
    make_dir("/t/a/b");
    make_dir("/m");
    make_dir("/n");
    mount_bind("/t/a", "/m");
    mount_bind("/t/a/b", "/n");
    unmount("/t");
  });
  CHECK(contains(text, "source = \"fs:m/a\""));
}

TEST_CASE("two binds of one deleted directory; deleted and re-created name; nested ones",
          "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    for (const char* name : {"/d", "/n/m", "/one", "/two", "/three", "/four", "/five"})
      make_dir(name);
    mount_bind("/d", "/one");
    mount_bind("/d", "/two");
    ::rmdir("/d");
    make_dir("/d");
    mount_bind("/d", "/three");
    mount_bind("/n/m", "/four");
    mount_bind("/n", "/five");
    ::rmdir("/n/m");
    ::rmdir("/n");
  });
  CHECK(contains(text, "deleted = \"d\""));
  CHECK(contains(text, "deleted = \"m\""));
  CHECK(contains(text, "deleted = \"n\""));
}

TEST_CASE("tmpfs sync; nosymfollow; read-only superblocks apart from read-only mounts", "[peers]") {
  const std::string text = comes_back(base_spec(), [] {
    make_dir("/s");
    mount_new("tmpfs", "/s", "tmpfs", MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME);
    make_dir("/r");
    mount_new("tmpfs", "/r", "tmpfs", MS_RDONLY);
    make_dir("/m");
    mount_bind("/s", "/m", MS_RDONLY);
  });
  CHECK(contains(text, "\"sync\""));
  CHECK(contains(text, "\"ro=fs\""));
}

TEST_CASE("mount over /", "[peers]") {
  if (!reads_by_statmount()) return leave_out("what a mount over the root hides");
  const std::string text = comes_back(base_spec(), [] {
    make_dir("/below");
    mount_tmpfs("/below");
    mount_tmpfs("/", "size=1m");
  });
  CHECK(contains(text, "target = \"/\"\ncover = true"));
}

TEST_CASE("ramfs, hugetlbfs, bpf: exact, empty", "[peers]") {
  if (!in_initial_user_namespace()) return leave_out("ramfs, hugetlbfs and bpf of a user's own");
  const std::string text = comes_back(base_spec(), [] {
    for (const char* type : {"ramfs", "hugetlbfs", "bpf"}) {
      const std::string path = std::string("/") + type;
      make_dir(path);
      static_cast<void>(::mount(type, path.c_str(), type, 0, nullptr));
    }
  });
  CHECK(contains(text, "type = \"ramfs\""));  // every kernel has it
  for (const char* type : {"hugetlbfs", "bpf"}) {
    if (!contains(text, fmt::format("type = \"{}\"", type))) leave_out(type);
  }
}

TEST_CASE("bind of an nsfs file: refused in words, not faked", "[peers]") {
  const Built container = applied(base_spec());
  inside(container.ns(), [] {
    make_file("/net");
    mount_bind("/proc/thread-self/ns/net", "/net");
  });
  const std::string text = captured("base", container.ns());
  CHECK(contains(text, "the file of a net namespace, which cannot be made again"));
  SourceMap sources;
  Diagnostics diagnostics;
  CHECK_FALSE(driver::compile_text("net.toml", text, {}, sources, diagnostics));
  CHECK(contains(render_text(diagnostics, sources), "net.toml"));
}

}  // namespace mntcr
