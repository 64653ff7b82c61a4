// What is paired with what: the four changes of a container's life, stacks, replaced and lost
// sources, filesystems that several mounts show.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string web = R"(
.       parent:/srv/web   nosuid
  data  parent:/srv/data  ro
  proc  proc              nosuid,hidepid=2
  tmp   tmpfs             size=64m
)";

const std::string web_live = R"(
.       8:1   /srv/web   ext4   nosuid
  data  8:1   /srv/data  ext4   ro
  proc  0:50  /          proc   nosuid,hidepid=invisible
  tmp   0:51  /          tmpfs  size=65536k,inode64
)";

const std::string web_sources = R"(
/srv/web  = 8:1 /srv/web
/srv/data = 8:1 /srv/data
)";

TEST_CASE("a container as it was made shows no differences") {
  const Case same(web, web_live, web_sources);
  CHECK(same.changes.empty());
  CHECK(same.text() == "no differences\n");
}

TEST_CASE("a tmpfs appears") {
  const Case appeared(web, R"(
.       8:1   /srv/web   ext4   nosuid
  data  8:1   /srv/data  ext4   ro
  mnt   0:60  /          tmpfs  nosuid,size=1024k
  proc  0:50  /          proc   nosuid,hidepid=invisible
  tmp   0:51  /          tmpfs  size=65536k
)",
                      web_sources);
  CHECK(appeared.text() ==
        "+ /mnt  tmpfs  nosuid,size=1024k\n"
        "1 change: 1 appeared, 0 gone, 0 changed\n");
}

TEST_CASE("/proc is unmounted") {
  const Case gone(web, R"(
.       8:1   /srv/web   ext4   nosuid
  data  8:1   /srv/data  ext4   ro
  tmp   0:51  /          tmpfs  size=65536k
)",
                  web_sources);
  CHECK(gone.text() ==
        "- /proc  proc\n"
        "1 change: 0 appeared, 1 gone, 0 changed\n");
}

TEST_CASE("a bind is remounted writable") {
  const Case changed(web, R"(
.       8:1   /srv/web   ext4   nosuid
  data  8:1   /srv/data  ext4
  proc  0:50  /          proc   nosuid,hidepid=invisible
  tmp   0:51  /          tmpfs  size=65536k
)",
                     web_sources);
  CHECK(changed.text() ==
        "~ /data  options: ro -> rw\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
}

TEST_CASE("a mount over / is one addition and hides nothing from the comparison") {
  const Case covered(web, R"(
.       8:1   /srv/web   ext4   nosuid
  .     0:60  /          tmpfs
  data  8:1   /srv/data  ext4   ro
  proc  0:50  /          proc   nosuid,hidepid=invisible
  tmp   0:51  /          tmpfs  size=65536k
)",
                     web_sources);
  CHECK(covered.text() ==
        "+ /  tmpfs  (covers / and 3 mounts below it)\n"
        "1 change: 1 appeared, 0 gone, 0 changed\n");
}

TEST_CASE("the four at once are exactly four") {
  const Case four(web, R"(
.       8:1   /srv/web   ext4   nosuid
  .     0:60  /          tmpfs
  data  8:1   /srv/data  ext4
  mnt   0:61  /          tmpfs
  tmp   0:51  /          tmpfs  size=65536k
)",
                  web_sources);
  CHECK(four.text() ==
        "+ /  tmpfs  (covers / and 3 mounts below it)\n"
        "~ /data  options: ro -> rw\n"
        "+ /mnt  tmpfs\n"
        "- /proc  proc\n"
        "4 changes: 2 appeared, 1 gone, 1 changed\n");
}

TEST_CASE("what lies on a mount that appeared is told too, each for itself") {
  const Case deep(web, R"(
.       8:1   /srv/web   ext4   nosuid
  data  8:1   /srv/data  ext4   ro
  mnt   0:60  /          tmpfs
    a   0:61  /          tmpfs
      b 0:62  /          tmpfs
  proc  0:50  /          proc   nosuid,hidepid=invisible
  tmp   0:51  /          tmpfs  size=65536k
)",
                  web_sources);
  CHECK(deep.text() ==
        "+ /mnt  tmpfs\n"
        "+ /mnt/a  tmpfs\n"
        "+ /mnt/a/b  tmpfs\n"
        "3 changes: 3 appeared, 0 gone, 0 changed\n");
}

TEST_CASE("what lay on a mount that is gone is told too") {
  const Case gone(R"(
.        parent:/
  a      tmpfs
    b    proc
      c  tmpfs
)",
                  ". 8:1 / ext4", "/ = 8:1 /");
  CHECK(gone.text() ==
        "- /a  tmpfs\n"
        "- /a/b  proc\n"
        "- /a/b/c  tmpfs\n"
        "3 changes: 0 appeared, 3 gone, 0 changed\n");
}

TEST_CASE("a mount put beneath another is one addition") {
  const Case beneath(R"(
.       parent:/
  data  parent:/srv/data  ro
)",
                     R"(
.       8:1   /          ext4
  data  0:60  /          tmpfs
    .   8:1   /srv/data  ext4  ro
)",
                     "/ = 8:1 /\n/srv/data = 8:1 /srv/data");
  CHECK(beneath.text() ==
        "+ /data  tmpfs\n"
        "1 change: 1 appeared, 0 gone, 0 changed\n");
}

const std::string three_layers = R"(
.       parent:/
  opt   parent:/srv/a
    .   parent:/srv/b
      . parent:/srv/c
)";
const std::string three_sources = R"(
/ = 8:1 /
/srv/a = 8:1 /srv/a
/srv/b = 8:1 /srv/b
/srv/c = 8:1 /srv/c
)";

TEST_CASE("a stack of three is equal to itself") {
  CHECK(Case(three_layers, R"(
.       8:1 /      ext4
  opt   8:1 /srv/a ext4
    .   8:1 /srv/b ext4
      . 8:1 /srv/c ext4
)",
             three_sources)
            .changes.empty());
}

TEST_CASE("a stack of three loses its middle") {
  const Case lost(three_layers, R"(
.       8:1 /      ext4
  opt   8:1 /srv/a ext4
    .   8:1 /srv/c ext4
)",
                  three_sources);
  CHECK(lost.text() ==
        "- /opt (layer 1)  parent:/srv/b\n"
        "1 change: 0 appeared, 1 gone, 0 changed\n");
}

TEST_CASE("a stack of three whose layers changed places") {
  const Case swapped(three_layers, R"(
.       8:1 /      ext4
  opt   8:1 /srv/b ext4
    .   8:1 /srv/a ext4
      . 8:1 /srv/c ext4
)",
                     three_sources);
  CHECK(swapped.changes.size() == 2);
}

TEST_CASE("children of every layer are compared with the children of its counterpart") {
  const Case hidden(R"(
.         parent:/
  opt     parent:/srv/a
    .     parent:/srv/b
      x   tmpfs
    x     proc
)",
                    R"(
.         8:1  /      ext4
  opt     8:1  /srv/a ext4
    .     0:70 /      tmpfs
      .   8:1  /srv/b ext4
        x 0:60 /      tmpfs
    x     0:61 /      proc   ro
)",
                    three_sources);
  CHECK(hidden.text() ==
        "+ /opt  tmpfs  (covers /opt and 1 mount below it)\n"
        "1 change: 1 appeared, 0 gone, 0 changed\n");
}

TEST_CASE("a replaced source is a removal and an addition") {
  const Case replaced(web, R"(
.       8:1   /srv/web    ext4   nosuid
  data  8:1   /srv/other  ext4   ro
  proc  0:50  /           proc   nosuid,hidepid=invisible
  tmp   0:51  /           tmpfs  size=65536k
)",
                      web_sources);
  CHECK(replaced.text() ==
        "- /data  parent:/srv/data\n"
        "+ /data  device:8:1/srv/other  ro\n"
        "2 changes: 1 appeared, 1 gone, 0 changed\n");
}

TEST_CASE("the part of a source that a mount shows belongs to its identity") {
  const Case other(". parent:/\n  etc parent:/srv#web/etc\n",
                   ". 8:1 / ext4\n  etc 8:2 /vol/web/etc ext4\n", "/ = 8:1 /\n/srv = 8:2 /vol");
  CHECK(other.changes.empty());
  const Case wrong(". parent:/\n  etc parent:/srv#web/etc\n",
                   ". 8:1 / ext4\n  etc 8:2 /vol/etc ext4\n", "/ = 8:1 /\n/srv = 8:2 /vol");
  CHECK(wrong.changes.size() == 2);
}

TEST_CASE("a source that is gone is a change of the mount that it had been") {
  const Case lost(web, R"(
.       8:1   /srv/web             ext4   nosuid
  data  8:1   /srv/data//deleted   ext4   ro
  proc  0:50  /                    proc   nosuid,hidepid=invisible
  tmp   0:51  /                    tmpfs  size=65536k
)",
                  "/srv/web = 8:1 /srv/web");
  CHECK(lost.text() ==
        "~ /data  source: parent:/srv/data -> device:8:1/srv/data//deleted\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
}

TEST_CASE("the root is the root, whatever it shows") {
  const Case moved(web, R"(
.       8:1   /srv/old   ext4   nosuid
  .     0:60  /          tmpfs
  data  8:1   /srv/data  ext4   ro
  proc  0:50  /          proc   nosuid,hidepid=invisible
  tmp   0:51  /          tmpfs  size=65536k
)",
                   web_sources);
  CHECK(moved.text() ==
        "~ /  source: parent:/srv/web -> device:8:1/srv/old\n"
        "+ /  tmpfs  (covers / and 3 mounts below it)\n"
        "2 changes: 1 appeared, 0 gone, 1 changed\n");
}

const std::string shared_tmpfs = R"(
.       parent:/
  tmp   tmpfs@t
  tmp2  tmpfs@t
  tmp3  tmpfs@t#sub
)";

TEST_CASE("mounts of one tmpfs show one device") {
  CHECK(Case(shared_tmpfs, R"(
.       8:1   /     ext4
  tmp   0:50  /     tmpfs
  tmp2  0:50  /     tmpfs
  tmp3  0:50  /sub  tmpfs
)",
             "/ = 8:1 /")
            .changes.empty());
}

TEST_CASE("the fellows of a replaced tmpfs stay what they are") {
  const Case replaced(shared_tmpfs, R"(
.       8:1   /     ext4
  tmp   0:77  /     tmpfs
  tmp2  0:50  /     tmpfs
  tmp3  0:50  /sub  tmpfs
)",
                      "/ = 8:1 /");
  CHECK(replaced.text() ==
        "- /tmp  tmpfs\n"
        "+ /tmp  tmpfs\n"
        "2 changes: 1 appeared, 1 gone, 0 changed\n");
}

TEST_CASE("two filesystems must not be one") {
  const Case merged(". parent:/\n  a tmpfs\n  b tmpfs\n",
                    ". 8:1 / ext4\n  a 0:50 / tmpfs\n  b 0:50 / tmpfs\n", "/ = 8:1 /");
  CHECK(merged.text() ==
        "- /b  tmpfs\n"
        "+ /b  self:/a\n"
        "2 changes: 1 appeared, 1 gone, 0 changed\n");
}

TEST_CASE("a new filesystem is never one of the parent's") {
  const Case foreign(". parent:/\n  a tmpfs\n", ". 0:9 / tmpfs\n  a 0:9 / tmpfs\n", "/ = 0:9 /");
  CHECK(foreign.changes.size() == 2);
}

TEST_CASE("of two new filesystems in a stack the one that fits better is the desired one") {
  const Case beneath(". parent:/\n  tmp tmpfs size=64m,nodev\n", R"(
.      8:1  / ext4
  tmp  0:60 / tmpfs
    .  0:50 / tmpfs size=65536k,nodev
)",
                     "/ = 8:1 /");
  CHECK(beneath.text() ==
        "+ /tmp  tmpfs\n"
        "1 change: 1 appeared, 0 gone, 0 changed\n");
}

TEST_CASE("a stack of hundreds is aligned without a table of its square") {
  std::string wanted = ". parent:/\n";
  std::string found = ". 8:1 / ext4\n";
  for (int layer = 0; layer < 1500; ++layer) {
    const std::string indent(static_cast<std::size_t>(layer) + 1, ' ');
    wanted += indent + (layer == 0 ? "a" : ".") + " tmpfs\n";
    found += indent + (layer == 0 ? "a" : ".") + " 0:" + std::to_string(layer + 9) + " / tmpfs\n";
  }
  CHECK(Case(wanted, found, "/ = 8:1 /").changes.empty());
}

TEST_CASE("an empty table is all gone") {
  Plan plan = desired(web);
  CHECK(diff(plan, sources(plan, web_sources), {}).size() == 4);
}

}  // namespace
}  // namespace mntcr::test
