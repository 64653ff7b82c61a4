// Sources of the parent that were deleted or replaced since they were mounted: the mount is the
// same one, and what it shows is told in words.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string two = R"(
.       parent:/srv/web
  data  parent:/srv/data  ro
)";

TEST_CASE("a source that was deleted is one change") {
  const Case deleted(two, R"(
.       8:1 /srv/web            ext4
  data  8:1 /srv/data//deleted  ext4  ro
)",
                     "/srv/web = 8:1 /srv/web\n/srv/data - 8:1 /srv/data");
  CHECK(deleted.text() ==
        "~ /data  source: parent:/srv/data -> what was there before it was deleted\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
  CHECK_THAT(deleted.json(), Catch::Contains("\"what\": \"source\"") &&
                                 Catch::Contains("what was there before it was deleted"));
  CHECK_THAT(deleted.toml(),
             Catch::Contains("source: was parent:/srv/data, is what was there before it was") &&
                 Catch::Contains("it was removed: no path leads to it, no spec brings it back") &&
                 Catch::Contains("source = \"device:8:1/srv/data//deleted\""));
}

TEST_CASE("a source that was replaced is one change, with what else differs") {
  const Case replaced(two, R"(
.       8:1 /srv/web            ext4
  data  8:1 /srv/data//deleted  ext4  nosuid
)",
                      "/srv/web = 8:1 /srv/web\n/srv/data = 8:1 /srv/data");
  CHECK(replaced.text() ==
        "~ /data  source: parent:/srv/data -> what was there before it was replaced; "
        "options: ro -> rw\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
}

TEST_CASE("what lies on a replaced source keeps its counterpart") {
  const Case replaced(". parent:/srv\n  a parent:/srv/a\n    b parent:/srv/b\n",
                      ". 8:1 /srv ext4\n  a 8:1 /srv/a//deleted ext4\n    b 8:1 /srv/b ext4\n",
                      "/srv = 8:1 /srv\n/srv/a = 8:1 /srv/a\n/srv/b = 8:1 /srv/b");
  CHECK(replaced.changes.size() == 1);
}

TEST_CASE("another deleted file is not the one that was there") {
  for (const char* shown : {"8:1 /srv/other//deleted", "8:2 /srv/data//deleted"}) {
    const Case other(two, ". 8:1 /srv/web ext4\n  data " + std::string(shown) + " ext4 ro\n",
                     "/srv/web = 8:1 /srv/web\n/srv/data = 8:1 /srv/data");
    CHECK(other.changes.size() == 2);
  }
}

const std::string stack = R"(
.       parent:/srv/web
  data  parent:/srv/a
    .   parent:/srv/b
)";
const std::string stack_sources =
    "/srv/web = 8:1 /srv/web\n/srv/a = 8:1 /srv/a\n/srv/b = 8:1 /srv/b";

TEST_CASE("a replaced source within a stack is one change") {
  const Case lower(stack, R"(
.       8:1 /srv/web         ext4
  data  8:1 /srv/a//deleted  ext4
    .   8:1 /srv/b           ext4
)",
                   stack_sources);
  CHECK(lower.text() ==
        "~ /data (layer 0)  source: parent:/srv/a -> what was there before it was replaced\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
  const Case both(stack, R"(
.       8:1 /srv/web         ext4
  data  8:1 /srv/a//deleted  ext4
    .   8:1 /srv/b//deleted  ext4
)",
                  stack_sources);
  CHECK(both.changes.size() == 2);
}

TEST_CASE("what still shows the source wins over what shows the deleted one") {
  const Case competing(stack, R"(
.         8:1 /srv/web         ext4
  data    8:1 /srv/a//deleted  ext4
    .     8:1 /srv/a           ext4
      .   8:1 /srv/b           ext4
)",
                       stack_sources);
  CHECK(competing.text() ==
        "+ /data  device:8:1/srv/a//deleted\n"
        "1 change: 1 appeared, 0 gone, 0 changed\n");
}

TEST_CASE("a root whose source was deleted") {
  const Case root(". parent:/srv/web\n", ". 8:1 /srv/web//deleted ext4\n",
                  "/srv/web - 8:1 /srv/web");
  CHECK(root.text() ==
        "~ /  source: parent:/srv/web -> what was there before it was deleted\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
}

}  // namespace
}  // namespace mntcr::test
