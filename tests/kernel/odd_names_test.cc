// States that other restorers lose or fail at, one case a row: captured, compiled, applied and
// captured again they come out the same, byte for byte.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/base/mount_options.h"
#include "runtime/diff/diff.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

constexpr const char* empty_root = "spec = 1\nname = \"odd\"\n[root]\ntype = \"tmpfs\"\n";

/// The container made again from its capture; both have the same one.
Built made_again(const Fd& ns) {
  const std::string text = captured("odd", ns);
  Built again = applied(text);
  const std::string second = captured("odd", again.ns());
  if (second != text) INFO(text << "\n--- second\n" << second);
  CHECK(second == text);
  CHECK(differences(ns, text).empty());
  return again;
}

bool is_mounted(const Fd& ns, const std::string& mountpoint) {
  const MountTable table = read_namespace(ns);
  return std::ranges::any_of(
      table.mounts, [&](const LiveMount& mount) { return mount.mountpoint == mountpoint; });
}

}  // namespace

TEST_CASE("newline in a mountpoint") {
  const Built built = applied(empty_root);
  const std::string odd = "/a\nb \t\\c\"#$${x}\xFF/'\xC3\xA4";
  inside(built.ns(), [&] {
    make_dir(odd);
    mount_tmpfs(odd);
  });
  const Built again = made_again(built.ns());
  CHECK(is_mounted(again.ns(), odd));
}

TEST_CASE("# in a source") {
  for (const char* source :
       {"#", "a#b c", "back\\slash", "tab\there", "new\nline", "\\040", "none"}) {
    INFO("source `" << source << "`");
    const Built built = applied(empty_root);
    inside(built.ns(), [&] {
      make_dir("/a");
      mount_new("tmpfs", "/a", source);
    });
    const Built again = made_again(built.ns());
    CHECK(mount_at(read_namespace(again.ns()), "/a").source == source);
  }
}

TEST_CASE("a directory really named \"x (deleted)\"") {
  const std::string outside = fresh_dir();
  for (const std::string name : {"/x (deleted)", "/x//deleted", "/x (deleted) (deleted)"}) {
    INFO("name `" << name << "`");
    make_dir(outside + name);
    make_file(outside + name + "/here");
    const Built built = applied(empty_root);
    inside(built.ns(), [&] {
      make_dir(name);
      make_dir("/self" + name);
      make_dir("/bind");
      mount_bind("/self" + name, "/bind");
      mount_tmpfs(name);
    });
    const Built again = made_again(built.ns());
    CHECK(is_mounted(again.ns(), std::filesystem::path(name).lexically_normal().string()));
    // And as a place of the parent.
    const Built bound =
        applied(fmt::format("{}[[mount]]\ntarget = \"/data\"\nsource = \"parent:{}\"\n", empty_root,
                            std::filesystem::path(outside + name).lexically_normal().string()));
    const Built bound_again = made_again(bound.ns());
    inside(bound_again.ns(), [] { CHECK(::access("/data/here", F_OK) == 0); });
  }
}

TEST_CASE("mountinfo lines over 4096 bytes") {
  // A long path twice in a line, of bytes that mountinfo writes as four.
  const Built built = applied(empty_root);
  std::string deep;
  while (deep.size() < 3000) deep += "/" + std::string(200, deep.size() % 2 == 0 ? ' ' : '\n');
  inside(built.ns(), [&] {
    make_dir(deep);
    make_dir("/self");
    mount_bind(deep, "/self");
    mount_bind(deep, deep);
  });
  const Built again = made_again(built.ns());
  CHECK(is_mounted(again.ns(), deep));
}

TEST_CASE("nosymfollow") {
  const Built built = applied(empty_root);
  inside(built.ns(), [] {
    make_dir("/a");
    if (::mount("tmpfs", "/a", "tmpfs", 256 /* MS_NOSYMFOLLOW */, nullptr) < 0)
      throw std::runtime_error("no nosymfollow");
  });
  const Built again = made_again(built.ns());
  CHECK((mount_at(read_namespace(again.ns()), "/a").attrs & mount_attr::nosymfollow) != 0);
}

TEST_CASE("bind of a symlink") {
  const std::string source = fresh_dir();
  make_file(source + "/file", "text");
  make_symlink("file", source + "/link");
  const Built built = applied(fmt::format(R"({}
[[mount]]
target = "/itself"
source = "parent:{}/link"
follow = false
create = "file"
[[mount]]
target = "/target"
source = "parent:{}/link"
)",
                                          empty_root, source, source));
  CHECK(mount_at(read_namespace(built.ns()), "/itself").root.ends_with("/link"));
  const Built again = made_again(built.ns());
  CHECK(mount_at(read_namespace(again.ns()), "/itself").root.ends_with("/link"));
  CHECK(mount_at(read_namespace(again.ns()), "/target").root.ends_with("/file"));
}

TEST_CASE("10,000 private binds", "[large]") {
  const std::string source = fresh_dir();
  std::string spec = empty_root;
  for (int number = 0; number < 10000; ++number) {
    spec += fmt::format("[[mount]]\ntarget = \"/m{}\"\nsource = \"parent:{}\"\n", number, source);
  }
  const Built built = applied(spec);
  const Built again = made_again(built.ns());
  CHECK(read_namespace(again.ns()).mounts.size() == 10001);
}

}  // namespace mntcr
