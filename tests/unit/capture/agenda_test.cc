// What the inspector takes up to look at, decided from a table alone.
#include <catch2/catch.hpp>

#include "runtime/capture/capture.h"
#include "runtime/capture/inspection.h"

namespace mntcr {
namespace {

/// "mount: path path, …" for the mounts through which something is looked at.
std::string underneath(const std::string& mountinfo) {
  const auto table = parse_mountinfo(mountinfo);
  REQUIRE(table.has_value());
  std::string text;
  for (const auto& [mount, paths] : Agenda(*table).underneath) {
    text += text.empty() ? "" : ", ";
    text += table->mounts[mount].mountpoint + ':';
    for (const std::string& path : paths) text += ' ' + path;
  }
  return text;
}

TEST_CASE("agenda: a path is looked at through the first mount whose root is widest") {
  CHECK(underneath("20 1 8:1 / / rw - ext4 d rw\n"
                   "21 20 0:30 /a/b /one rw - tmpfs t rw\n"
                   "22 20 0:30 /a /two rw - tmpfs t rw\n"
                   "23 20 0:30 /a /three rw - tmpfs t rw\n"
                   "24 20 0:30 /ab /four rw - tmpfs t rw\n"
                   "25 21 0:31 / /one/c/d rw - proc p rw\n") ==
        "/four: ab, /three: a a/b a/b/c a/b/c/d");
}

TEST_CASE("agenda: the root of a filesystem shows all of it, what was removed shows nothing") {
  CHECK(underneath("20 1 0:30 / / rw - tmpfs t rw\n"
                   "21 20 0:30 /x /x rw - tmpfs t rw\n"
                   "22 21 0:30 /y/z//deleted /x/y rw - tmpfs t rw\n"
                   "23 20 0:31 /m/n /k rw - tmpfs t rw\n") == "/: k x x/y, /k: m/n");
}

}  // namespace
}  // namespace mntcr
