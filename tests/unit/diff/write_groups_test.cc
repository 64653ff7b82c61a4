// Peer groups in the specs that capture and diff write.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string from = "/ = 8:1 /\n/a = 8:1 /a\n/b = 8:1 /b\n/w/x = 8:2 /x\n/w/y = 8:2 /y\n";
const std::string head = "spec = 1\nextends = [\"web.toml\"]\n";
const std::string policy = "\n[policy]\ncopies = \"listed\"\n";

/// A text without the lines of options, which are all alike here, and without what begins every
/// spec.
std::string short_text(const std::string& text) {
  std::string lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("options = ") && !line.starts_with("spec =") &&
        !line.starts_with("name = \"web\""))
      lines += line + '\n';
  }
  return lines;
}

std::string captured(const std::string& mounts, const std::string& parent) {
  return short_text(write_spec("web", live(mounts), live(parent)));
}

TEST_CASE("capture: the text is the same whatever the numbers of groups are") {
  const std::string state = R"(
.    8:1  /  ext4
  a  0:50 /  tmpfs  shared:A
  b  0:50 /  tmpfs  master:A,shared:B
  c  0:50 /  tmpfs  master:B
  d  0:51 /  tmpfs  shared:C
)";
  const auto numbered = [&](const std::string& numbers) {
    std::string text = state;
    for (std::size_t at = 0; at < numbers.size(); ++at) {
      const std::string letter = std::string(":") + static_cast<char>('A' + at);
      for (std::size_t place = 0; (place = text.find(letter)) != std::string::npos;)
        text.replace(place, 2, std::string(":") + numbers[at]);
    }
    return write_spec("web", live(text), live(". 8:1 / ext4"));
  };
  const std::string text = numbered("123");
  CHECK(numbered("312") == text);
  CHECK(numbered("978") == text);
  CHECK(short_text(text) == policy + R"(
[root]
source = "parent:/"

[[mount]]
target = "/a"
type = "tmpfs"
propagation = "shared:a"

[[mount]]
target = "/b"
source = "self:/a"
propagation = "slave:a shared:b"

[[mount]]
target = "/c"
source = "self:/a"
propagation = "slave:b"

[[mount]]
target = "/d"
type = "tmpfs"
propagation = "shared"
)");
}

TEST_CASE("capture: without groups nothing is said about them") {
  CHECK(captured(". 8:1 / ext4\n  a 0:50 / tmpfs unbindable\n", ". 8:1 / ext4") == R"(
[root]
source = "parent:/"

[[mount]]
target = "/a"
type = "tmpfs"
propagation = "unbindable"
)");
}

TEST_CASE("capture: groups across the border") {
  const std::string parent = R"(
.        8:1  /       ext4  shared:1
  spool  8:2  /       ext4  shared:2,master:9
  log    8:2  /log    ext4  shared:3
)";
  const std::string text = captured(R"(
.        8:1  /srv    ext4  master:1
  in     8:2  /       ext4  shared:2,master:9
  log    8:2  /log/x  ext4  master:3,shared:7
  own    8:2  /log/x  ext4  shared:7,master:3
)",
                                    parent);
  CHECK(text == policy + R"(
[group.in]
parent = "/spool"
exact = true

[group.log]
parent = "/log"
exact = true

[group.root]
parent = "/"
exact = true

[root]
source = "parent:/srv"
propagation = "slave:root"

[[mount]]
target = "/in"
source = "parent:/spool"
propagation = "shared:in"

[[mount]]
target = "/log"
source = "parent:/log/x"
propagation = "slave:log shared:log-2"

[[mount]]
target = "/own"
source = "parent:/log/x"
propagation = "slave:log shared:log-2"
)");
}

TEST_CASE("capture: mounts of one group that come by different paths name their filesystem") {
  const std::string parent = ". 8:1 / ext4\n  w 8:2 / ext4\n";
  CHECK(captured(R"(
.    8:1  /    ext4
  m  8:2  /x   ext4  shared:5
  n  8:2  /y   ext4  shared:5
  o  8:2  /z   ext4  master:5,shared:6
  p  8:2  /    ext4  master:6
  q  8:2  /z   ext4
)",
                 parent) == policy + R"(
[filesystem.m]
parent = "/w"

[root]
source = "parent:/"

[[mount]]
target = "/m"
source = "fs:m/x"
propagation = "shared:m"

[[mount]]
target = "/n"
source = "fs:m/y"
propagation = "shared:m"

[[mount]]
target = "/o"
source = "fs:m/z"
propagation = "slave:m shared:o"

[[mount]]
target = "/p"
source = "fs:m"
propagation = "slave:o"

[[mount]]
target = "/q"
source = "parent:/w/z"
)");
}

TEST_CASE("capture: the nearest directory above all of them is named, covered or not") {
  const std::string parent = ". 8:1 / ext4\n  w 8:2 /data ext4\n    s/x 8:3 / ext4\n";
  const std::string text = captured(R"(
.    8:1  /            ext4
  m  8:2  /data/s/x/1  ext4  shared:5
  n  8:2  /data/s/y    ext4  shared:5
)",
                                    parent);
  CHECK(text.find("[filesystem.m]\nparent = \"/w/s\"\n") != std::string::npos);
  CHECK(text.find("source = \"fs:m/x/1\"") != std::string::npos);
  CHECK(text.find("source = \"fs:m/y\"") != std::string::npos);
}

TEST_CASE("capture: a slave wider than what the parent's group shows names its filesystem") {
  const std::string text = captured(R"(
.    8:1  /    ext4
  m  8:2  /    ext4  master:5
)",
                                    R"(
.    8:1  /    ext4
  w  8:2  /    ext4
  x  8:2  /x   ext4  shared:5
)");
  CHECK(text == policy + R"(
[group.x]
parent = "/x"
exact = true

[filesystem.m]
parent = "/w"

[root]
source = "parent:/"

[[mount]]
target = "/m"
source = "fs:m"
propagation = "slave:x"
)");
}

TEST_CASE("capture: what words cannot say is said to people") {
  const std::string hidden = captured(". 8:1 / ext4\n  a 0:50 / tmpfs master:7\n", ". 8:1 / ext4");
  CHECK(hidden.find("# receives from a group of which neither the container nor the parent shows a "
                    "member\n[[mount]]\ntarget = \"/a\"\n") != std::string::npos);
  CHECK(hidden.find("propagation = \"slave:a\"\n") != std::string::npos);
  const std::string covered =
      captured(". 8:1 / ext4\n  a 8:2 / ext4 master:7\n",
               ". 8:1 / ext4\n  m 8:2 / ext4 shared:7\n    . 0:3 / tmpfs\n  n 8:2 / ext4\n");
  CHECK(covered.find("# shares with mounts of the parent that no path leads to\n") !=
        std::string::npos);
}

TEST_CASE("delta: groups of the base keep their names, and get one where they need it") {
  const Case joined(R"(
.    parent:/
  a  tmpfs@t  shared
  b  tmpfs@t  shared:both
  c  tmpfs@t  shared:both
)",
                    R"(
.    8:1  /  ext4
  a  0:50 /  tmpfs  shared:3
  b  0:50 /  tmpfs  shared:4
  c  0:50 /  tmpfs  shared:3
  x  0:50 /  tmpfs  shared:4
)",
                    from);
  CHECK(joined.text() ==
        "~ /c  propagation: shared:both -> shared:a\n+ /x  self:/a  shared:both\n"
        "2 changes: 1 appeared, 0 gone, 1 changed\n");
  CHECK(short_text(joined.toml()) == short_text(head) + policy + R"(
# its group gets a name for those that are in it now
[[change]]
target = "/a"
propagation = "shared:a"

# propagation: was shared:both
[[change]]
target = "/c"
propagation = "shared:a"

# appeared: self:/a
[[mount]]
target = "/x"
source = "self:/a"
propagation = "shared:both"
)");
}

TEST_CASE("delta: copies that share with what they are copies of need no name") {
  Plan plan = desired(R"(
.    parent:/
  a  tmpfs@t  shared:g
[worker] main
.    parent:/       cloned
  a  tmpfs@t  shared:g,cloned
)");
  plan.groups.front().name.clear();
  for (DesiredMount& mount : plan.mounts)
    mount.span = {0, mount.target == "/" ? 10U : 50U, mount.target == "/" ? 20U : 60U};
  plan.sources.add("web.toml", std::string(100, '\n'));
  const std::string main = ". 8:1 / ext4\n  a 0:50 / tmpfs shared:3\n";
  const std::string worker = "[worker]\n. 8:1 / ext4\n  a 0:50 / tmpfs shared:3\n";
  CHECK(Case(plan, live(main + worker), from).toml() == head);
  const Case joined(plan, live(main + "  b 0:50 / tmpfs shared:3\n" + worker), from);
  CHECK(short_text(joined.toml()) == short_text(head) + policy + R"(
# its group gets a name for those that are in it now
[[change]]
target = "/a"
propagation = "shared:a"

# its group gets a name for those that are in it now
[[change]]
namespace = "worker"
target = "/a"
propagation = "shared:a"

# appeared: self:/a
[[mount]]
target = "/b"
source = "self:/a"
propagation = "shared:a"
)");
}

TEST_CASE("delta: a mount of the base names its filesystem where another joins its group") {
  const Case joined(". parent:/\n  m parent:/w/x shared:g\n",
                    ". 8:1 / ext4\n  m 8:2 /x ext4 shared:3\n  n 8:2 /y ext4 shared:3\n", from,
                    ". 8:1 / ext4\n  w 8:2 / ext4\n");
  CHECK(short_text(joined.toml()) == short_text(head) + policy + R"(
# shows the same, by another way: was parent:/w/x
[[change]]
target = "/m"
source = "fs:m/x"

[filesystem.m]
parent = "/w"

# appeared: fs:m/y
[[mount]]
target = "/n"
source = "fs:m/y"
propagation = "shared:g"
)");
}

TEST_CASE("delta: a filesystem that the base names by a path keeps it") {
  Plan plan = desired(". parent:/\n  m parent:/w#x shared:g\n");
  const Case joined(plan,
                    live(". 8:1 / ext4\n  m 8:2 /x ext4 shared:3\n  n 8:2 /y ext4 shared:3\n"),
                    from + "/w = 8:2 /\n", live(". 8:1 / ext4\n  w 8:2 / ext4\n  v 8:2 / ext4\n"));
  CHECK(short_text(joined.toml()) == short_text(head) + policy + R"(
[filesystem.m]
parent = "/w"

# appeared: fs:m/y
[[mount]]
target = "/n"
source = "fs:m/y"
propagation = "shared:g"
)");
}

TEST_CASE("delta: the container's own group got members in the parent") {
  const Case escaped(". parent:/\n  a tmpfs shared:g\n",
                     ". 8:1 / ext4\n  a 0:50 / tmpfs shared:3\n", from,
                     ". 8:1 / ext4\n  mnt 0:50 / tmpfs shared:3\n");
  CHECK(escaped.toml() == head + R"(
[group.a]
parent = "/mnt"
exact = true

# propagation: was shared:g
[[change]]
target = "/a"
propagation = "shared:a"
)");
}

TEST_CASE("flat: namespaces, groups and named filesystems of a plan") {
  const Plan plan = desired(R"(
[group] out /spool exact
[group] parent /w
.      parent:/
  m    parent:/w#x     slave:parent,shared:g
  n    parent:/w#y     slave:parent,shared:g
  s    parent:/spool   shared:out
  t    tmpfs           shared
[worker]
.      parent:/other
  n    parent:/w#y     unbindable
)");
  CHECK(write_flat(plan) == "spec = 1\nname = \"web\"\n" + policy + R"(
[group.s]
parent = "/spool"
exact = true

[group.w]
parent = "/w"

[filesystem.m]
parent = "/w"

[root]
source = "parent:/"

[[mount]]
target = "/m"
source = "fs:m/x"
propagation = "slave:w shared:m"

[[mount]]
target = "/n"
source = "fs:m/y"
propagation = "slave:w shared:m"

[[mount]]
target = "/s"
source = "parent:/spool"
propagation = "shared:s"

[[mount]]
target = "/t"
type = "tmpfs"
propagation = "shared"

[[namespace]]
name = "worker"
root = { source = "parent:/other" }

[[mount]]
namespace = "worker"
target = "/n"
source = "parent:/w/y"
propagation = "unbindable"
)");
}

}  // namespace
}  // namespace mntcr::test
