// Inodes without a name: which live one is which label.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string root_source = "/srv/web = 8:1 /srv/web\n";

const std::string two_labels = R"(
.     parent:/srv/web
  a   tmpfs@t!one
  b   tmpfs@t!two
  c   tmpfs@t!one
)";

std::size_t changes(const std::string& wanted, const std::string& found) {
  return Case(wanted, found, root_source).changes.size();
}

}  // namespace

TEST_CASE("labels stand for names of whatever kind, one for one") {
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web                      ext4
  a   0:50  /.mntcr-deleted/one//deleted  tmpfs
  b   0:50  /.mntcr-deleted/two//deleted  tmpfs
  c   0:50  /.mntcr-deleted/one//deleted  tmpfs
)") == 0);
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web       ext4
  a   0:50  /x/y//deleted  tmpfs
  b   0:50  /z//deleted    tmpfs
  c   0:50  /x/y//deleted  tmpfs
)") == 0);
}

TEST_CASE("a mount that shows another inode is not the same") {
  // b shows what a does, or c what b does.
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web       ext4
  a   0:50  /x//deleted    tmpfs
  b   0:50  /x//deleted    tmpfs
  c   0:50  /z//deleted    tmpfs
)") > 0);
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web       ext4
  a   0:50  /x//deleted    tmpfs
  b   0:50  /z//deleted    tmpfs
  c   0:50  /z//deleted    tmpfs
)") > 0);
}

TEST_CASE("an inode with a name is none without, nor one of another filesystem") {
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web       ext4
  a   0:50  /x             tmpfs
  b   0:50  /z//deleted    tmpfs
  c   0:50  /x//deleted    tmpfs
)") > 0);
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web       ext4
  a   0:50  /x//deleted    tmpfs
  b   0:51  /z//deleted    tmpfs
  c   0:50  /x//deleted    tmpfs
)") > 0);
  CHECK(changes(R"(
.     parent:/srv/web
  a   tmpfs@t#one
)",
                R"(
.     8:1   /srv/web       ext4
  a   0:50  /one//deleted  tmpfs
)") > 0);
}

TEST_CASE("inodes that had one name after the other look alike") {
  CHECK(changes(two_labels, R"(
.     8:1   /srv/web       ext4
  a   0:50  /x//deleted    tmpfs
  b   0:50  /x//deleted    tmpfs
  c   0:50  /x//deleted    tmpfs
)") == 0);
}

TEST_CASE("one label on two filesystems is two inodes") {
  CHECK(changes(R"(
.     parent:/srv/web
  a   tmpfs@t!one
  b   tmpfs@u!one
)",
                R"(
.     8:1   /srv/web       ext4
  a   0:50  /x//deleted    tmpfs
  b   0:51  /y//deleted    tmpfs
)") == 0);
}

}  // namespace mntcr::test
