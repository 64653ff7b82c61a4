// Containers of several namespaces.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string from = "/ = 8:1 /\n/a = 8:1 /a\n/w = 8:1 /w\n";
const std::string head = "spec = 1\nextends = [\"web.toml\"]\n";
const std::string all_flags =
    R"(["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"])";

const std::string both = R"(
.        parent:/
  tmp    tmpfs@t   shared:x
[worker]
.        parent:/w
  tmp    tmpfs@t   shared:x
)";

TEST_CASE("namespaces go by their names, and groups reach over them") {
  const std::string main = ". 8:1 / ext4\n  tmp 0:50 / tmpfs shared:3\n";
  const std::string worker = "[worker]\n. 8:1 /w ext4\n  tmp 0:50 / tmpfs shared:3\n";
  CHECK(Case(both, main + worker, from).text() == "no differences\n");
  MountTable turned = live(main + worker);
  turned.namespaces = {"worker", "main"};
  CHECK(Case(desired(both), turned, from).changes.size() == 2);  // the roots
  CHECK(
      Case(both, main + "[worker]\n. 8:1 /w ext4\n  tmp 0:50 / tmpfs shared:4\n", from).text() ==
      "~ worker:/tmp  propagation: shared:x -> shared\n1 change: 0 appeared, 0 gone, 1 changed\n");
}

TEST_CASE("a filesystem is the same in all namespaces") {
  CHECK(Case(both, R"(
.        8:1  /   ext4
  tmp    0:50 /   tmpfs shared:3
[worker]
.        8:1  /w  ext4
  tmp    0:51 /   tmpfs shared:3
)",
             from)
            .text() ==
        "- worker:/tmp  tmpfs\n+ worker:/tmp  tmpfs  shared:x\n"
        "2 changes: 1 appeared, 1 gone, 0 changed\n");
}

TEST_CASE("the root of a namespace shows something else") {
  CHECK(Case(both, R"(
.        8:1  /   ext4
  tmp    0:50 /   tmpfs shared:3
[worker]
.        8:1  /a  ext4
  tmp    0:50 /   tmpfs shared:3
)",
             from, ". 8:1 / ext4")
            .text() ==
        "~ worker:/  source: parent:/w -> parent:/a\n1 change: 0 appeared, 0 gone, 1 changed\n");
}

TEST_CASE("a namespace that is gone") {
  const Case gone(both, ". 8:1 / ext4\n  tmp 0:50 / tmpfs shared:3\n", from);
  CHECK(gone.text() ==
        "- namespace worker\n- worker:/  parent:/w\n- worker:/tmp  tmpfs\n"
        "2 changes: 0 appeared, 2 gone, 0 changed\n");
  CHECK(gone.json().find(R"("removed": [
      "worker"
    ])") != std::string::npos);
  CHECK(gone.toml() == head + R"(
# gone: parent:/w
[[remove]]
namespace = "worker"
target = "/"
)");
}

TEST_CASE("a namespace that appeared") {
  const Case appeared(". parent:/\n  tmp tmpfs\n", R"(
.        8:1  /   ext4
  tmp    0:50 /   tmpfs
[worker]
.        8:1  /w  ext4  nosuid
  tmp    0:50 /x  tmpfs
  var    0:51 /   tmpfs
    .    0:52 /   tmpfs
)",
                      from, ". 8:1 / ext4");
  CHECK(appeared.text() ==
        "+ namespace worker\n+ worker:/  parent:/w  nosuid\n"
        "+ worker:/tmp  fs:tmp/x\n+ worker:/var  tmpfs\n"
        "+ worker:/var  tmpfs  (covers /var)\n4 changes: 4 appeared, 0 gone, 0 changed\n");
  CHECK(appeared.json().find(R"("added": [
      "worker"
    ])") != std::string::npos);
  CHECK(appeared.toml() == head + R"(
[filesystem.tmp]
of = "/tmp"

# appeared: parent:/w
[[namespace]]
name = "worker"
root = { source = "parent:/w", options = ["rw", "nosuid", "dev", "exec", "relatime", "diratime", "symfollow"] }

# appeared: fs:tmp/x
[[mount]]
namespace = "worker"
target = "/tmp"
source = "fs:tmp/x"
options = )" + all_flags + R"(

# appeared: tmpfs
[[mount]]
namespace = "worker"
target = "/var"
type = "tmpfs"
options = )" + all_flags + R"(

# appeared: tmpfs
# covers /var
[[mount]]
namespace = "worker"
target = "/var"
cover = true
type = "tmpfs"
options = )" + all_flags + '\n');
}

TEST_CASE("a change of a mount says the namespace, and layers are counted in it") {
  const Case changed(R"(
.        parent:/
  tmp    tmpfs
[worker]
.        parent:/w
  tmp    tmpfs  ro
)",
                     R"(
.        8:1  /   ext4
  tmp    0:50 /   tmpfs
[worker]
.        8:1  /w  ext4
  tmp    0:51 /   tmpfs
)",
                     from);
  CHECK(changed.text() ==
        "~ worker:/tmp  options: ro -> rw\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
  CHECK(changed.toml() == head + R"(
# options: was ro
[[change]]
namespace = "worker"
target = "/tmp"
options = ["rw"]
)");
}

TEST_CASE("`self:` and `on` mean the mount's own namespace") {
  const Case own(R"(
.        parent:/
  tmp    tmpfs
[worker]
.        parent:/w
  opt    tmpfs
)",
                 R"(
.        8:1  /   ext4
  tmp    0:50 /   tmpfs
[worker]
.        8:1  /w  ext4
  tmp    0:51 /x  tmpfs
  opt    0:60 /   ramfs
    .    0:51 /   tmpfs
)",
                 from);
  CHECK(own.toml() == head + R"(
# appeared: ramfs
[[mount]]
namespace = "worker"
target = "/opt"
on = "root"
type = "ramfs"
options = )" + all_flags + R"(

# appeared: self:/opt/x
[[mount]]
namespace = "worker"
target = "/tmp"
source = "self:/opt/x"
options = )" + all_flags + '\n');
}

TEST_CASE("capture: all namespaces, with what they share") {
  const MountTable table = live(R"(
.        8:1  /   ext4
  proc   0:40 /   proc
  tmp    0:50 /   tmpfs  shared:7
[worker]
.        0:60 /   tmpfs  nosuid
  sys    0:41 /   sysfs
  proc   0:40 /   proc
  tmp    0:50 /   tmpfs  shared:7
)");
  const std::string text = write_spec("web", table, live(". 8:1 / ext4"));
  CHECK(text == R"(spec = 1
name = "web"

[policy]
copies = "listed"

[filesystem.proc]
type = "proc"

[filesystem.tmp]
type = "tmpfs"

[root]
source = "parent:/"
options = )" + all_flags +
                    R"(

[[mount]]
target = "/proc"
source = "fs:proc"
options = )" + all_flags +
                    R"(

[[mount]]
target = "/tmp"
source = "fs:tmp"
options = )" + all_flags +
                    R"(
propagation = "shared:tmp"

[[namespace]]
name = "worker"
root = { type = "tmpfs", options = ["rw", "nosuid", "dev", "exec", "relatime", "diratime", "symfollow"] }

[[mount]]
namespace = "worker"
target = "/proc"
source = "fs:proc"
options = )" + all_flags +
                    R"(

[[mount]]
namespace = "worker"
target = "/sys"
type = "sysfs"
options = )" + all_flags +
                    R"(

[[mount]]
namespace = "worker"
target = "/tmp"
source = "fs:tmp"
options = )" + all_flags +
                    R"(
propagation = "shared:tmp"
)");
}

}  // namespace
}  // namespace mntcr::test
