// The delta as a spec: each case is the whole text, so that what a user reads is what is tested.
#include <catch2/catch.hpp>

#include "runtime/diff/toml_text.h"
#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string head = "spec = 1\nextends = [\"web.toml\"]\n";

TEST_CASE("strings hold any bytes") {
  CHECK(toml_string("/plain") == R"("/plain")");
  CHECK(toml_string("/a\"b\\c") == R"("/a\"b\\c")");
  CHECK(toml_string("/cost$5") == R"("/cost$$5")");
  CHECK(toml_string("/\xC3\xA4/\xFF") == "\"/\xC3\xA4/${byte:FF}\"");
  CHECK(toml_string("/new\nline\t\x7F") == R"("/new\nline\t\u007F")");
  CHECK(toml_array({"a", "b"}) == R"(["a", "b"])");
}

TEST_CASE("delta: a container as it was made") {
  CHECK(Case(". parent:/", ". 8:1 / ext4", "/ = 8:1 /").toml() == head);
}

TEST_CASE("delta: the four changes of a container's life") {
  const Case four(R"(
.       parent:/srv/web   nosuid
  data  parent:/srv/data  ro
  proc  proc              nosuid
  tmp   tmpfs
)",
                  R"(
.       8:1   /srv/web   ext4   nosuid
  .     0:60  /          tmpfs
  data  8:1   /srv/data  ext4
  mnt   0:61  /          tmpfs  nodev,size=1024k,inode64
  tmp   0:51  /          tmpfs
)",
                  "/srv/web = 8:1 /srv/web\n/srv/data = 8:1 /srv/data", ". 8:1 / ext4");
  CHECK(four.toml() == head + R"(
# gone: proc
[[remove]]
target = "/proc"

# options: was ro
[[change]]
target = "/data"
options = ["rw"]

# appeared: tmpfs
# covers / and 3 mounts below it
[[mount]]
target = "/"
cover = true
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]

# appeared: tmpfs
[[mount]]
target = "/mnt"
type = "tmpfs"
options = ["rw", "suid", "nodev", "exec", "relatime", "diratime", "symfollow", "size=1024k"]
)");
}

/// The source lines of the delta of a container of / with what `found` adds, in the parent
/// `outside`.
std::string listed_sources(const std::string& found, const std::string& outside) {
  const Case it(". parent:/srv/web\n  tmp tmpfs\n",
                ". 8:1 /srv/web ext4\n  tmp 0:50 / tmpfs\n" + found, "/srv/web = 8:1 /srv/web",
                outside);
  std::string lines;
  std::istringstream text(it.toml());
  for (std::string line; std::getline(text, line);) {
    const bool told = line.starts_with("source") || line.starts_with("type") ||
                      line.starts_with("[filesystem") || line.starts_with("of =");
    if (told) lines += line + '\n';
  }
  return lines;
}

TEST_CASE("delta: a bind of what the container shows is a self source") {
  CHECK(listed_sources("  x 0:50 /run/app tmpfs\n", ". 8:1 / ext4") ==
        "source = \"self:/tmp/run/app\"\n");
  CHECK(listed_sources("  x 8:1 /srv/web/etc ext4\n", ". 8:1 / ext4") ==
        "source = \"self:/etc\"\n");
}

TEST_CASE("delta: a bind of the parent is found by the mount nearest to it") {
  const std::string parent = R"(
.      8:1  /        ext4
  home 8:2  /        ext4
  mail 8:2  /u/mail  ext4
)";
  CHECK(listed_sources("  x 8:2 /u/mail/new ext4\n", parent) == "source = \"parent:/mail/new\"\n");
  CHECK(listed_sources("  x 8:2 /u/mailbox ext4\n", parent) ==
        "source = \"parent:/home/u/mailbox\"\n");
  CHECK(listed_sources("  x 8:2 /v ext4\n", parent) == "source = \"parent:/home/v\"\n");
}

TEST_CASE("delta: a mount of the parent that is covered there shows nothing") {
  const std::string parent = R"(
.        8:1  /   ext4
  home   8:2  /   ext4
    .    0:9  /   tmpfs
)";
  CHECK(listed_sources("  x 8:2 /u ext4\n", parent) == "source = \"device:8:2/u\"\n");
}

TEST_CASE("delta: a source that is deleted is no path") {
  CHECK(listed_sources("  x 8:1 /srv/web/old//deleted ext4\n", ". 8:1 / ext4") ==
        "source = \"device:8:1/srv/web/old//deleted\"\n");
}

TEST_CASE("delta: mounts of one new filesystem") {
  CHECK(listed_sources("  x 0:60 / tmpfs\n  y 0:60 /sub tmpfs\n", "") ==
        "type = \"tmpfs\"\nsource = \"self:/x/sub\"\n");
  CHECK(listed_sources("  x 0:60 /a tmpfs\n  y 0:60 /b tmpfs\n", "") ==
        "[filesystem.x]\ntype = \"tmpfs\"\nsource = \"fs:x/a\"\nsource = \"fs:x/b\"\n");
}

TEST_CASE("delta: a filesystem of the base that no path leads to") {
  const Case hidden(". parent:/\n  tmp tmpfs\n    . proc\n",
                    ". 8:1 / ext4\n  tmp 0:50 / tmpfs\n    . 0:51 / proc\n  x 0:50 /a tmpfs\n",
                    "/ = 8:1 /");
  CHECK(hidden.toml() == head + R"(
[filesystem.x]
of = "/tmp"
layer = 0

# appeared: fs:x/a
[[mount]]
target = "/x"
source = "fs:x/a"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: what stands above a removed layer is listed again") {
  const Case lost(". parent:/\n  opt parent:/a\n    . parent:/b ro\n      x proc\n",
                  ". 8:1 / ext4\n  opt 8:1 /b ext4 ro\n    x 0:50 / proc\n",
                  "/ = 8:1 /\n/a = 8:1 /a\n/b = 8:1 /b");
  CHECK(lost.toml() == head + R"(
# gone: parent:/a
[[remove]]
target = "/opt"
layer = 0

# still there: self:/b
[[mount]]
target = "/opt"
source = "self:/b"
options = ["ro", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]

# still there: proc
[[mount]]
target = "/opt/x"
type = "proc"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: a mount beneath another says what it lies on") {
  const Case beneath(". parent:/\n  opt proc\n",
                     ". 8:1 / ext4\n  opt 0:60 / tmpfs\n    . 0:50 / proc\n", "/ = 8:1 /");
  CHECK(beneath.toml() == head + R"(
# appeared: tmpfs
[[mount]]
target = "/opt"
on = "root"
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: a mount between two others") {
  const Case between(". parent:/\n  opt proc\n    . parent:/a\n",
                     ". 8:1 / ext4\n  opt 0:50 / proc\n    . 0:60 / tmpfs\n      . 8:1 /a ext4\n",
                     "/ = 8:1 /\n/a = 8:1 /a");
  CHECK(between.toml() == head + R"(
# gets a name for what lies on it
[[change]]
target = "/opt"
layer = 0
name = "opt"

# lies on a mount that appeared beneath it
[[change]]
target = "/opt"
layer = 1
on = "opt-2"

# appeared: tmpfs
# covers /opt
[[mount]]
target = "/opt"
name = "opt-2"
on = "opt"
cover = true
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: mounts on a mount over / say so") {
  const Case above(". parent:/\n", ". 8:1 / ext4\n  . 0:60 / tmpfs\n    etc 0:61 / tmpfs\n",
                   "/ = 8:1 /");
  CHECK(above.toml() == head + R"(
# appeared: tmpfs
# covers /
[[mount]]
target = "/"
name = "root-2"
cover = true
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]

# appeared: tmpfs
[[mount]]
target = "/etc"
on = "root-2"
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: parameters are changed where they were written") {
  const Case named(". parent:/\n  a tmpfs=scratch size=1m\n",
                   ". 8:1 / ext4\n  a 0:50 / tmpfs size=2048k,mode=700,src=tmpfs\n", "/ = 8:1 /");
  CHECK(named.toml() == head + R"(
# size: was 1m
# mode: was 1777
[filesystem.scratch]
options = ["size=2048k", "mode=700"]
)");

  Plan plan = desired(". parent:/\n  a tmpfs@t size=1m\n  b tmpfs@t ro\n");
  plan.sources.add("web.toml", std::string(100, '\n'));
  plan.mounts[1].span = {0, 50, 59};  // source = "self:/b"
  plan.mounts[2].span = {0, 20, 29};  // type = "tmpfs"
  plan.superblocks[1].span = {0, 30, 37};
  const Case unnamed(
      std::move(plan),
      live(". 8:1 / ext4\n  a 0:50 / tmpfs size=2048k\n  b 0:50 / tmpfs size=2048k\n"),
      "/ = 8:1 /");
  CHECK(unnamed.toml() == head + R"(
# size: was 1m
# options: was ro
[[change]]
target = "/b"
options = ["size=2048k", "rw"]
)");
}

TEST_CASE("delta: flags of a filesystem are changed where they were written") {
  const Case named(". parent:/\n  a tmpfs=scratch sync\n",
                   ". 8:1 / ext4\n  a 0:50 / tmpfs sb=ro,lazytime,src=tmpfs\n", "/ = 8:1 /");
  CHECK(named.toml() == head + R"(
# ro=fs: was no
# sync: was yes
# lazytime: was no
[filesystem.scratch]
options = ["ro=fs", "lazytime"]
)");
  const Case unnamed(". parent:/\n  a tmpfs sync,ro=fs\n",
                     ". 8:1 / ext4\n  a 0:50 / tmpfs dirsync\n", "/ = 8:1 /");
  CHECK(unnamed.toml() == head + R"(
# ro=fs: was yes
# sync: was yes
# dirsync: was no
[[change]]
target = "/a"
options = ["rw=fs", "async", "dirsync"]
)");
}

TEST_CASE("delta: users of another user namespace are not written") {
  Case foreign(". parent:/\n", ". 8:1 / ext4\n  a 0:50 / tmpfs uid=65534,gid=5,mode=700\n",
               "/ = 8:1 /");
  CHECK(foreign.toml().find("\"mode=700\", \"uid=65534\", \"gid=5\"") != std::string::npos);
  foreign.table.ids_are_ours = false;
  CHECK(foreign.toml().find("uid=") == std::string::npos);
  CHECK(foreign.toml().find("gid=") == std::string::npos);
  CHECK(foreign.toml().find("\"mode=700\"") != std::string::npos);
  CHECK(foreign.text().find("uid=") == std::string::npos);
}

TEST_CASE("delta: new filesystems are listed with their flags, singletons without") {
  const Case listed(". parent:/\n",
                    ". 8:1 / ext4\n  a 0:50 / ramfs sb=ro,sync,src=ramfs\n"
                    "  b 0:51 / sysfs sb=ro,src=one\n  c 0:51 / sysfs sync,src=two\n"
                    "  d 0:51 /class sysfs\n",
                    "/ = 8:1 /");
  const std::string text = listed.toml();
  INFO(text);
  CHECK(text.find(R"("symfollow", "ro=fs", "sync"])") != std::string::npos);
  CHECK(text.find(R"(source = "self:/b/class")") != std::string::npos);
  CHECK(text.find("fsname = \"one\"") != std::string::npos);
  CHECK(text.find("fsname = \"two\"") != std::string::npos);
  CHECK(text.find("ro=fs") == text.rfind("ro=fs"));
}

TEST_CASE("delta: propagation has names instead of numbers") {
  const Case sharing(R"(
.          parent:/
  a        tmpfs
  b        parent:/srv
  var/log  parent:/srv/log
)",
                     R"(
.          8:1  /         ext4
  a        0:50 /         tmpfs shared:11
  b        8:1  /srv      ext4  shared:12
  c        8:1  /srv      ext4  shared:12
  var/log  8:1  /srv/log  ext4  master:3,shared:14
)",
                     "/ = 8:1 /\n/srv = 8:1 /srv\n/srv/log = 8:1 /srv/log",
                     ". 8:1 / ext4\n  srv/log 8:1 /srv/log ext4 shared:3\n");
  CHECK(sharing.toml() == head + R"(
[policy]
copies = "listed"

[group.srv-log]
parent = "/srv/log"
exact = true

# propagation: was private
[[change]]
target = "/a"
propagation = "shared"

# propagation: was private
[[change]]
target = "/b"
propagation = "shared:b"

# propagation: was private
[[change]]
target = "/var/log"
propagation = "slave:srv-log shared"

# appeared: self:/b
[[mount]]
target = "/c"
source = "self:/b"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
propagation = "shared:b"
)");
}

TEST_CASE("delta: a source that changed") {
  const Case moved(". parent:/srv/web\n  a parent:/gone\n",
                   ". 8:1 /srv/old ext4\n  a 8:1 /here ext4\n", "/srv/web = 8:1 /srv/web",
                   ". 8:1 / ext4");
  CHECK(moved.toml() == head + R"(
# source: was parent:/srv/web
[[change]]
target = "/"
source = "parent:/srv/old"

# source: was parent:/gone
[[change]]
target = "/a"
source = "parent:/here"
)");
}

TEST_CASE("delta: what nothing shows is told with its device") {
  const Case untraced(". parent:/\n", ". 8:1 / ext4\n  x 8:9 /u ext4 src=/dev/sdb1\n", "/ = 8:1 /");
  CHECK(untraced.toml() == head + R"(
# appeared: device:8:9/u
# ext4 of /dev/sdb1: neither the parent nor the container shows where it came from
[[mount]]
target = "/x"
source = "device:8:9/u"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: what shows a mount that was moved away gets another source, and only that") {
  Plan plan = desired(R"(
.     parent:/srv
  m   tmpfs@t#sub
  t   tmpfs@t
)");
  plan.mounts[1].self = "/t/sub";
  const Case moved(plan, live(R"(
.     8:1   /srv  ext4
  m   0:50  /sub  tmpfs
  u   0:50  /     tmpfs
)"),
                   "/srv = 8:1 /srv", live(". 8:1 / ext4"));
  CHECK(moved.toml() == head + R"(
# gone: tmpfs
[[remove]]
target = "/t"

# shows the same, by another way: was tmpfs/sub
[[change]]
target = "/m"
source = "self:/u/sub"

# appeared: tmpfs
[[mount]]
target = "/u"
type = "tmpfs"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: the root was made here and is a bind now") {
  Plan plan = desired(". tmpfs ro,size=1m");
  plan.superblocks[0].fsname = "scratch";
  const Case bound(plan, live(". 8:1 /srv ext4 ro"), "", live(". 8:1 / ext4"));
  CHECK(bound.toml() == head + R"(
# source: was tmpfs
[[change]]
target = "/"
options = ["ro", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
source = "parent:/srv"
unset = ["type", "fsname", "options"]
)");
}

TEST_CASE("delta: names of the base are kept, and not given again") {
  Plan plan = desired(R"(
.        parent:/srv
  mnt    parent:/a
    .    tmpfs=mnt
)");
  plan.mounts[2].name = "over";
  plan.mounts[2].cover = true;
  plan.filesystem_names = {"mnt"};
  const Case named(plan, live(R"(
.        8:1   /srv  ext4
  mnt    8:1   /a    ext4
    .     0:50  /     tmpfs
      sub  0:51  /x    tmpfs
)"),
                   "/srv = 8:1 /srv\n/a = 8:1 /a", live(". 8:1 / ext4"));
  CHECK(named.toml() == head + R"(
[filesystem.mnt-sub]
type = "tmpfs"

# appeared: fs:mnt-sub/x
[[mount]]
target = "/mnt/sub"
on = "over"
source = "fs:mnt-sub/x"
options = ["rw", "suid", "dev", "exec", "relatime", "diratime", "symfollow"]
)");
}

TEST_CASE("delta: the record of how it was taken") {
  const Case same(". parent:/", ". 8:1 / ext4", "/ = 8:1 /");
  DiffReport report = same.report();
  report.checkpoint = CheckpointRecord{.digest = "abc",
                                       .sequence = 3,
                                       .time = "2026-01-02T03:04:05Z",
                                       .host = "h",
                                       .kernel = "6.1",
                                       .settings = {{"data", "/mnt"}, {"x", "\""}}};
  CHECK(write_toml(report) == head + R"(
[checkpoint]
digest = "abc"
sequence = 3
time = 2026-01-02T03:04:05Z
host = "h"
kernel = "6.1"
set = { data = "/mnt", x = "\"" }
)");
}

TEST_CASE("flat: a plan as a spec says what the plan says, in one spelling") {
  Plan plan = desired(R"(
.     parent:/srv  ro
  m   tmpfs@t#sub  size=1m,mode=0755
  t   tmpfs@t      nosuid
)");
  CHECK(write_flat(plan) == R"(spec = 1
name = "web"

[root]
source = "parent:/srv"
options = ["ro"]

[[mount]]
target = "/m"
source = "self:/t/sub"

[[mount]]
target = "/t"
type = "tmpfs"
options = ["nosuid", "size=1024k", "mode=755"]
)");
}

}  // namespace
}  // namespace mntcr::test
