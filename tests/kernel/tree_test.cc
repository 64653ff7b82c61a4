// What a filesystem holds before anything is mounted on it, and binds of inodes without a name:
// made as declared, whatever the umask, and recognised when they are read back.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

struct stat status_of(const std::string& path) {
  struct stat status{};
  INFO(path);
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

/// Type, permission bits and owner, as "40755 0:0".
std::string rights(const std::string& path) {
  const struct stat status = status_of(path);
  return fmt::format("{:o} {}:{}", status.st_mode, status.st_uid, status.st_gid);
}

std::string spec_of(const std::string& mounts) {
  return "spec = 1\nname = \"web\"\n[root]\ntype = \"tmpfs\"\n" + mounts;
}

/// Sets the umask of the process while it lives.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

/// The roots of all mounts that show what has no name.
std::vector<std::string> unnamed_roots(const MountTable& table) {
  std::vector<std::string> roots;
  for (const LiveMount& mount : table.mounts) {
    if (mount.root.ends_with("//deleted")) roots.push_back(mount.root);
  }
  return roots;
}

const std::string unnamed_mounts = R"([filesystem.x]
type = "tmpfs"
tree = [{ path = "stays" }]
[[mount]]
target = "/x"
source = "fs:x"
[[mount]]
target = "/a"
source = "fs:x"
deleted = "one"
kind = "dir"
mode = "0711"
[[mount]]
target = "/b"
source = "self:/x"
deleted = "one"
kind = "dir"
mode = "0711"
[[mount]]
target = "/c"
source = "fs:x"
deleted = "one-sub"
kind = "dir"
[[mount]]
target = "/file"
source = "self:/x"
deleted = "file"
kind = "file"
mode = "0604"
[[mount]]
target = "/pipe"
source = "fs:x"
deleted = "pipe"
kind = "fifo"
options = ["ro"]
[[mount]]
target = "/socket"
source = "fs:x"
deleted = "socket"
kind = "socket"
[[mount]]
target = "/link"
source = "fs:x"
deleted = "link"
kind = "symlink:/nowhere"
)";

std::string unnamed_spec() { return spec_of(unnamed_mounts); }

}  // namespace

TEST_CASE("a tree of every kind stands with exact modes and owners, whatever the umask") {
  const int owner = in_initial_user_namespace() ? 1000 : 0;
  const std::string spec = spec_of(fmt::format(
      R"(tree = [
  {{ path = "run/app", mode = "2750", uid = {0}, gid = {0} }},
  {{ path = "run/app/deep/er" }},
  {{ path = "tmp", mode = "1777" }},
  {{ path = "shut", mode = "0" }},
  {{ path = "fd", symlink = "/proc/self/fd", uid = {0} }},
  {{ path = "file", kind = "file", mode = "4711" }},
  {{ path = "pipe", kind = "fifo" }},
  {{ path = "socket", kind = "socket", gid = {0} }},
]
options = ["mode=0755"]
[[mount]]
target = "/tmp"
type = "tmpfs"
create = "never"
[[mount]]
target = "/link"
source = "self:/fd"
[[mount]]
target = "/other"
source = "self:/pipe"
)",
      owner));
  const Umask strict(077);
  const Built built = applied(spec);
  CHECK(differences(built.ns(), spec).empty());
  inside(built.ns(), [&] {
    const std::string ids = fmt::format("{0}:{0}", owner);
    CHECK(rights("/run") == "40755 0:0");
    CHECK(rights("/run/app") == "42750 " + ids);
    CHECK(rights("/run/app/deep") == "40755 0:0");
    CHECK(rights("/run/app/deep/er") == "40755 0:0");
    CHECK(rights("/shut") == "40000 0:0");
    CHECK(rights("/fd") == fmt::format("120777 {}:0", owner));
    CHECK(fs::read_symlink("/fd") == "/proc/self/fd");
    CHECK(rights("/file") == "104711 0:0");
    CHECK(rights("/pipe") == "10644 0:0");
    CHECK(rights("/socket") == fmt::format("140644 0:{}", owner));
    CHECK(fs::read_symlink("/link") == "/proc/self/fd");
    CHECK(status_of("/link").st_ino == status_of("/fd").st_ino);
    CHECK(status_of("/other").st_ino == status_of("/pipe").st_ino);
  });
}

TEST_CASE("device nodes are made by root, and refused in a user namespace") {
  const std::string spec = spec_of(R"(tree = [
  { path = "dev/null", char = "1:3", mode = "0666" },
  { path = "dev/disk", block = "259:70000", mode = "0600" },
]
[[mount]]
target = "/null"
source = "self:/dev/null"
)");
  if (!in_initial_user_namespace()) {
    const Applied refused = apply_plan(linux_kernel(), compile(spec));
    REQUIRE_FALSE(refused.built.has_value());
    CHECK(refused.diagnostics.items()[0].code == Code::E0610);
    return;
  }
  const Built built = applied(spec);
  inside(built.ns(), [] {
    CHECK(rights("/dev/null") == "20666 0:0");
    CHECK(rights("/dev/disk") == "60600 0:0");
    CHECK(status_of("/dev/null").st_rdev == makedev(1, 3));
    CHECK(status_of("/dev/disk").st_rdev == makedev(259, 70000));
    CHECK(status_of("/null").st_rdev == makedev(1, 3));
  });
}

TEST_CASE("an owner that the user namespace does not have is told") {
  if (in_initial_user_namespace()) return;
  const Applied refused =
      apply_plan(linux_kernel(), compile(spec_of("tree = [{ path = \"a\", uid = 12345 }]\n")));
  REQUIRE_FALSE(refused.built.has_value());
  CHECK(refused.diagnostics.items()[0].code == Code::E0611);
}

TEST_CASE("a filesystem that is too small for its tree is told") {
  const Applied refused =
      apply_plan(linux_kernel(),
                 compile(spec_of("options = [\"nr_inodes=2\"]\ntree = [{ path = \"a/b/c\" }]\n")));
  REQUIRE_FALSE(refused.built.has_value());
  CHECK(refused.messages.find("cannot make `a/b` (dir) on the filesystem tmpfs") !=
        std::string::npos);
  CHECK(refused.messages.find("nr_inodes") != std::string::npos);
}

TEST_CASE("inodes without a name stand, are the same where labels are, and leave no folder") {
  const std::string spec = unnamed_spec();
  const Umask strict(077);
  const Built built = applied(spec);
  CHECK(differences(built.ns(), spec).empty());
  CHECK(unnamed_roots(read_namespace(built.ns())).size() == 7);
  inside(built.ns(), [] {
    CHECK(rights("/a") == "40711 0:0");
    CHECK(status_of("/a").st_ino == status_of("/b").st_ino);
    CHECK(status_of("/a").st_dev == status_of("/b").st_dev);
    CHECK(status_of("/a").st_ino != status_of("/c").st_ino);
    CHECK(rights("/c") == "40755 0:0");
    CHECK(rights("/file") == "100604 0:0");
    CHECK(rights("/pipe") == "10644 0:0");
    CHECK(rights("/socket") == "140644 0:0");
    CHECK(fs::read_symlink("/link") == "/nowhere");
    for (const char* gone : {"/a", "/c"}) CHECK(status_of(gone).st_nlink == 0);
    std::vector<std::string> left;
    for (const fs::directory_entry& entry : fs::directory_iterator("/x"))
      left.push_back(entry.path().filename());
    CHECK(left == std::vector<std::string>{"stays"});
  });
}

TEST_CASE("a deleted device node is a device without a name") {
  if (!in_initial_user_namespace()) return;
  const std::string spec = spec_of(R"([filesystem.x]
type = "tmpfs"
[[mount]]
target = "/null"
source = "fs:x"
deleted = "null"
kind = "char:1:3"
mode = "0666"
)");
  const Built built = applied(spec);
  CHECK(differences(built.ns(), spec).empty());
  inside(built.ns(), [] {
    CHECK(rights("/null") == "20666 0:0");
    CHECK(status_of("/null").st_nlink == 0);
  });
}

TEST_CASE("what loses its name in a container is what the labels of a spec mean") {
  const Built built = applied(spec_of(R"([filesystem.x]
type = "tmpfs"
tree = [{ path = "in/old" }, { path = "in/two" }]
[[mount]]
target = "/x"
source = "fs:x"
[[mount]]
target = "/a"
source = "fs:x/in/old"
[[mount]]
target = "/b"
source = "fs:x/in/old"
[[mount]]
target = "/c"
source = "fs:x/in/two"
)"));
  inside(built.ns(), [] { fs::remove_all("/x/in"); });
  CHECK(unnamed_roots(read_namespace(built.ns())).size() == 3);
  const auto spec_with = [](const std::string& label_of_b) {
    std::string spec = spec_of(R"([filesystem.x]
type = "tmpfs"
[[mount]]
target = "/x"
source = "fs:x"
)");
    for (const auto& [target, label] :
         {std::pair("/a", std::string("first")), {"/b", label_of_b}, {"/c", "second"}}) {
      spec += fmt::format(
          "[[mount]]\ntarget = \"{}\"\nsource = \"fs:x\"\ndeleted = \"{}\"\nkind = \"dir\"\n",
          target, label);
    }
    return spec;
  };
  CHECK(differences(built.ns(), spec_with("first")).empty());
  CHECK_FALSE(differences(built.ns(), spec_with("second")).empty());
}

TEST_CASE("a mount that shows another inode without a name is a difference") {
  const std::string spec = unnamed_spec();
  const Built built = applied(spec);
  std::string other = spec;
  const std::string label = "deleted = \"one-sub\"";
  other.replace(other.find(label), label.size(), "deleted = \"one\"\nmode = \"0711\"");
  CHECK_FALSE(differences(built.ns(), other).empty());
}

}  // namespace mntcr
