#include "runtime/base/filesystems.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "runtime/base/filesystem_flags.h"
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
    if (param.kind == ParamKind::flag) {
      const bool known = param.fallback.empty() || param.fallback == param.key;
      CHECK((known || param.fallback == machines_fallback));
    } else if (!param.fallback.empty() && param.fallback != machines_fallback) {
      CHECK_FALSE(param_value_error(param, {param.key, param.fallback, true}).has_value());
      CHECK(normalise_param(param, param.fallback) == param.fallback);
    }
  }
}

TEST_CASE("sets, plain numbers and permission bits of bpf") {
  CHECK(normal("bpf", "delegate_cmds", "prog_load:map_create:prog_load") == "map_create:prog_load");
  CHECK(normal("bpf", "delegate_cmds", "map_create:any") == "any");
  for (const char* bad : {"delegate_cmds=", "delegate_cmds=a:", "delegate_cmds=a b"})
    CHECK_FALSE(accepts("bpf", bad));
  CHECK(normal("bpf", "mode", "1700") == "700");
  CHECK(normal("ramfs", "mode", "1700") == "1700");
  CHECK(accepts("devpts", "max=010"));
  CHECK(normal("devpts", "max", "010") == "10");
  for (const char* bad : {"max=1k", "max=-1", "max=4294967296"})
    CHECK_FALSE(accepts("devpts", bad));
}

TEST_CASE("singletons have no parameters, and opposite flags decide the same") {
  for (const Filesystem& filesystem : filesystems()) {
    const auto has_param = [&](const FilesystemParam& param) {
      return param.filesystem == filesystem.type;
    };
    if (filesystem.singleton) CHECK(std::ranges::none_of(filesystem_params(), has_param));
  }
  CHECK(is_singleton("sysfs"));
  CHECK_FALSE(is_singleton("tmpfs"));
  CHECK_FALSE(is_singleton("ext4"));
  const auto& wide = *find_filesystem_param("tmpfs", "inode64");
  const auto& narrow = *find_filesystem_param("tmpfs", "inode32");
  CHECK(decide_the_same(wide, narrow));
  CHECK(decide_the_same(narrow, wide));
  CHECK_FALSE(decide_the_same(wide, *find_filesystem_param("tmpfs", "noswap")));
}

TEST_CASE("every flag of a filesystem is found, and printed back from its bits") {
  for (const FilesystemFlag& flag : filesystem_flags()) {
    INFO(flag.word);
    REQUIRE(find_filesystem_flag(flag.word) == &flag);
    CHECK((flag.demand.value & ~flag.demand.mask) == 0);
    CHECK((flag.demand.mask & ~fs_flag::all) == 0);
    CHECK(filesystem_flag_words(flag.demand.value, flag.demand.mask) == std::vector{flag.word});
    CHECK(
        (flag.word.find('=') != std::string_view::npos || find_mount_option(flag.word) == nullptr));
  }
  CHECK(find_filesystem_flag("ro") == nullptr);
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
