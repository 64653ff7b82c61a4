#include "runtime/base/filesystems.h"

#include <catch2/catch.hpp>
#include <string>

#include "runtime/base/mount_options.h"

using namespace mntcr;

namespace {

std::string normal(std::string_view type, std::string_view key, std::string_view value) {
  const FilesystemParam* param = find_filesystem_param(type, key);
  REQUIRE(param != nullptr);
  return normalise_param(*param, value);
}

bool accepts(std::string_view type, std::string_view word) {
  const ParamWord split = split_param(word);
  const FilesystemParam* param = find_filesystem_param(type, split.key);
  REQUIRE(param != nullptr);
  return !param_value_error(*param, split).has_value();
}

}  // namespace

TEST_CASE("ways to write one value have one normal form") {
  CHECK(normal("tmpfs", "size", "64m") == normal("tmpfs", "size", "65536k"));
  CHECK(normal("tmpfs", "size", "1G") == "1073741824");
  CHECK(normal("tmpfs", "size", "50%") == "50%");
  CHECK(normal("tmpfs", "mode", "0755") == "755");
  CHECK(normal("tmpfs", "nr_inodes", "1k") == "1024");
  CHECK(normal("proc", "hidepid", "invisible") == "2");
  CHECK(normal("proc", "hidepid", "2") == "2");
}

TEST_CASE("values are checked") {
  for (const char* good :
       {"size=64m", "size=50%", "size=0", "mode=1777", "uid=0", "huge=advise", "noswap"}) {
    CHECK(accepts("tmpfs", good));
  }
  for (const char* bad :
       {"size=", "size", "size=64q", "size=-1", "size=99999999999999999999", "size=16777216t",
        "mode=8", "mode=99999", "uid=4294967295", "uid=-1", "huge=yes", "noswap=1"}) {
    CHECK_FALSE(accepts("tmpfs", bad));
  }
  CHECK(accepts("proc", "subset=pid"));
  CHECK_FALSE(accepts("proc", "hidepid=3"));
}

TEST_CASE("every parameter's fallback is a value of it") {
  for (const FilesystemParam& param : filesystem_params()) {
    INFO(param.filesystem << " " << param.key);
    CHECK(find_filesystem(param.filesystem) != nullptr);
    if (!param.fallback.empty()) {
      if (param.fallback == machines_own) continue;
      CHECK_FALSE(param_value_error(param, {param.key, param.fallback, true}).has_value());
      CHECK(normalise_param(param, param.fallback) == param.fallback);
    }
  }
}

TEST_CASE("every flag word is found, and printed back from its bits") {
  for (const MountOption& option : mount_options()) {
    INFO(option.word);
    REQUIRE(find_mount_option(option.word) == &option);
    CHECK((option.demand.value & ~option.demand.mask) == 0);
    CHECK(attr_words(option.demand.value, option.demand.mask) == std::vector{option.word});
  }
  CHECK(find_mount_option("bind") == nullptr);
}

TEST_CASE("attr_words says each bit of the mask once and in the table's order") {
  CHECK(attr_words(mount_attr::rdonly | mount_attr::nodev, mount_attr::all) ==
        std::vector<std::string_view>{"ro", "suid", "nodev", "exec", "relatime", "diratime",
                                      "symfollow"});
  CHECK(attr_words(mount_attr::all, 0).empty());
}
