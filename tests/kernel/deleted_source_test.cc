// Bind sources that were deleted, replaced or renamed after apply.
#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

TEST_CASE("diff tells sources that were deleted, replaced and renamed since they were mounted") {
  const std::string dir = fresh_dir();
  std::string spec =
      fmt::format("spec = 1\nname = \"d\"\n[root]\nsource = \"parent:{}/root\"\n", dir);
  for (const char* name : {"again", "gone", "kept", "old"}) {
    make_dir(dir + "/root/" + name);
    make_dir(dir + "/s/" + name);
    spec += fmt::format("[[mount]]\ntarget = \"/{0}\"\nsource = \"parent:{1}/s/{0}\"\n", name, dir);
  }
  make_file(dir + "/root/file");
  make_file(dir + "/s/file", "before");
  spec += fmt::format("[[mount]]\ntarget = \"/file\"\nsource = \"parent:{}/s/file\"\n", dir);
  const Built built = applied(spec);
  CHECK(differences(built.ns(), spec).empty());

  make_file(dir + "/s/file.new", "after");
  REQUIRE(::rename((dir + "/s/file.new").c_str(), (dir + "/s/file").c_str()) == 0);
  REQUIRE(::rmdir((dir + "/s/again").c_str()) == 0);
  make_dir(dir + "/s/again");
  REQUIRE(::rmdir((dir + "/s/gone").c_str()) == 0);
  REQUIRE(::rename((dir + "/s/old").c_str(), (dir + "/s/new").c_str()) == 0);
  CHECK(
      differences(built.ns(), spec) ==
      fmt::format("~ /again  source: parent:{0}/s/again -> what was there before it was replaced\n"
                  "~ /file  source: parent:{0}/s/file -> what was there before it was replaced\n"
                  "~ /gone  source: parent:{0}/s/gone -> what was there before it was deleted\n"
                  "~ /old  source: parent:{0}/s/old -> parent:{0}/s/new\n"
                  "4 changes: 0 appeared, 0 gone, 4 changed\n",
                  dir));
}

}  // namespace
}  // namespace mntcr
