// Every filesystem that the kernel makes out of nothing, every parameter and every flag of theirs:
// applied, it is what was written; captured, it is the same text again, and the same filesystem.
#include <fmt/format.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "compiler/driver/pipeline.h"
#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/overlay.h"
#include "runtime/capture/capture.h"
#include "runtime/diff/diff.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

/// A container of a tmpfs and, at /x, a filesystem of `type` with `options`, a list of quoted
/// words.
std::string spec_of(std::string_view type, const std::string& options = {}) {
  return fmt::format(
      "spec = 1\nname = \"vocabulary\"\n[root]\ntype = \"tmpfs\"\n"
      "[[mount]]\ntarget = \"/x\"\ntype = \"{}\"\noptions = [{}]\n",
      type, options);
}

/// A capture of `ns` as a spec.
/// Whether the kernel lets this process make the filesystem, asked without mounting it: types that
/// it lacks, namespaces that a user does not own, and parameters that are too new.
bool makes(std::string_view type, std::string_view option = {}) {
  const auto context = linux_kernel().fsopen(std::string(type));
  if (!context) return false;
  const ParamWord word = split_param(option);
  const std::string key(word.key);
  Result<void> done;
  if (word.has_value) {
    done = linux_kernel().fsconfig_string(context->get(), key, std::string(word.value));
  } else if (!option.empty()) {
    done = linux_kernel().fsconfig_flag(context->get(), key);
  }
  return done.has_value() && linux_kernel().fsconfig_create(context->get()).has_value();
}

/// Whether a bpf filesystem has what it is given: older kernels pass over what they do not know.
bool bpf_prints(const std::string& option) {
  const std::string dir = fresh_dir();
  mount_new("bpf", dir, "bpf", 0, option);
  std::ifstream in("/proc/thread-self/mountinfo");
  const std::string key = "," + std::string(split_param(option).key) + "=";
  bool printed = false;
  for (std::string line; std::getline(in, line);)
    printed |= line.find(dir) != std::string::npos && line.find(key) != std::string::npos;
  unmount(dir);
  return printed;
}

/// Applies `spec`, and what a capture of it says, and checks that it is the same each time.
/// Returns the first capture.
std::string round_trip(const std::string& spec) {
  const Built first = applied(spec);
  CHECK(differences(first.ns(), spec).empty());
  std::string text = captured("vocabulary", first.ns());
  const Built second = applied(text);
  CHECK(captured("vocabulary", second.ns()) == text);
  CHECK(differences(first.ns(), text).empty());
  CHECK(differences(second.ns(), spec).empty());
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every type of the table comes back from its capture") {
  for (const Filesystem& filesystem : filesystems()) {
    DYNAMIC_SECTION(filesystem.type) {
      if (!makes(filesystem.type)) {
        WARN("not here: " << filesystem.type);
        continue;
      }
      const std::string text = round_trip(spec_of(filesystem.type, "\"nosuid\", \"ro\""));
      INFO(text);
      if (!filesystem.singleton)
        CHECK(contains(text, fmt::format("type = \"{}\"", filesystem.type)));
    }
  }
}

TEST_CASE("every parameter is in force, printed and captured") {
  struct Parameter {
    const char* type;
    const char* option;
    const char* captured;  ///< empty for what is the default or has another word
  };
  const auto parameter = GENERATE(values<Parameter>({
      {"devpts", "mode=0620", "mode=620"},
      {"devpts", "mode=0600", ""},
      {"devpts", "ptmxmode=0666", "ptmxmode=666"},
      {"devpts", "ptmxmode=000", ""},
      {"devpts", "gid=5", "gid=5"},
      {"devpts", "gid=0", "gid=0"},
      {"devpts", "uid=7", "uid=7"},
      {"devpts", "max=10", "max=10"},
      {"devpts", "max=1048576", ""},
      {"ramfs", "mode=0700", "mode=700"},
      {"ramfs", "mode=0755", ""},
      {"hugetlbfs", "size=5m", "size=4096k"},
      {"hugetlbfs", "size=50%", "size="},
      {"hugetlbfs", "min_size=0", "min_size=0"},
      {"hugetlbfs", "pagesize=2M", "pagesize=2048k"},
      {"hugetlbfs", "nr_inodes=1k", "nr_inodes=1024"},
      {"hugetlbfs", "mode=01777", "mode=1777"},
      {"hugetlbfs", "uid=3", "uid=3"},
      {"hugetlbfs", "gid=4", "gid=4"},
      {"bpf", "mode=0700", "mode=700"},
      {"bpf", "mode=01750", "mode=750"},
      {"bpf", "mode=01777", ""},
      {"bpf", "uid=3", "uid=3"},
      {"bpf", "gid=4", "gid=4"},
      {"bpf", "delegate_cmds=prog_load:map_create", "delegate_cmds=map_create:prog_load"},
      {"bpf", "delegate_cmds=0x3", "delegate_cmds="},
      {"bpf", "delegate_maps=any", "delegate_maps=any"},
      {"bpf", "delegate_progs=socket_filter", "delegate_progs=socket_filter"},
      {"bpf", "delegate_attachs=any", "delegate_attachs=any"},
      {"tmpfs", "size=5000", "size=8k"},
      {"tmpfs", "nr_blocks=10", "size=40k"},
      {"tmpfs", "nr_inodes=100", "nr_inodes=100"},
      {"tmpfs", "mode=0755", "mode=755"},
      {"tmpfs", "uid=3", "uid=3"},
      {"tmpfs", "gid=4", "gid=4"},
      {"tmpfs", "huge=within_size", "huge=within_size"},
      {"tmpfs", "noswap", "noswap"},
      {"proc", "hidepid=invisible", "hidepid=2"},
      {"proc", "subset=pid", "subset=pid"},
      {"proc", "gid=3", "gid=3"},
  }));
  INFO(parameter.type << " " << parameter.option);
  const std::string word = parameter.captured;
  const bool passed_over = parameter.type == std::string("bpf") && !word.empty() && makes("bpf") &&
                           !bpf_prints(parameter.option);
  if (passed_over || !makes(parameter.type, parameter.option)) {
    WARN("not here: " << parameter.type << " " << parameter.option);
    return;
  }
  const std::string text =
      round_trip(spec_of(parameter.type, fmt::format("\"{}\"", parameter.option)));
  INFO(text);
  const std::string key(split_param(parameter.option).key);
  // The kernel prints the numbers of the initial user namespace, which are not these.
  if ((key == "uid" || key == "gid") && !in_initial_user_namespace()) return;
  if (word.empty()) CHECK_FALSE(contains(text, "\"" + key));
  if (!word.empty()) CHECK(contains(text, "\"" + word));
}

TEST_CASE("inode numbers of a tmpfs are as wide as was written") {
  const Built narrow = applied(spec_of("tmpfs", "\"inode32\""));
  const Built wide = applied(spec_of("tmpfs", "\"inode64\""));
  CHECK(differences(narrow.ns(), spec_of("tmpfs")).empty());
  CHECK(differences(wide.ns(), spec_of("tmpfs")).empty());
  CHECK(contains(differences(wide.ns(), spec_of("tmpfs", "\"inode32\"")), "inode32"));
  CHECK(contains(differences(narrow.ns(), spec_of("tmpfs", "\"inode64\"")), "inode64"));
}

TEST_CASE("flags of a filesystem are set, read back by both readers and captured") {
  for (const std::string type : {"tmpfs", "ramfs", "devpts", "hugetlbfs", "proc"}) {
    if (!makes(type)) {
      WARN("not here: " << type);
      continue;
    }
    for (const FilesystemFlag& flag : filesystem_flags()) {
      INFO(type << " " << flag.word);
      const std::string text = round_trip(spec_of(type, fmt::format("\"{}\"", flag.word)));
      INFO(text);
      CHECK(contains(text, fmt::format("\"{}\"", flag.word)) == (flag.demand.value != 0));
    }
    const std::string all = spec_of(type, R"("sync", "dirsync", "lazytime", "ro=fs", "rw")");
    round_trip(all);
    const Built built = applied(all);
    const auto proc = open_proc(linux_kernel());
    for (const Reader reader : readers()) {
      const auto table = capture(linux_kernel(), *proc, built.ns(), reader);
      REQUIRE(table);
      const LiveMount& mount = mount_at(*table, "/x");
      CHECK(filesystem_flags_of(mount) == fs_flag::all);
      for (const std::string& option : mount.fs_options)
        CHECK(option.find("sync") == std::string::npos);
    }
    CHECK(contains(differences(built.ns(), spec_of(type)), "ro=fs: no -> yes; sync: no -> yes"));
  }
}

TEST_CASE("a filesystem becomes read-only when the places on it are made") {
  const std::string spec = R"(spec = 1
name = "vocabulary"
[filesystem.shared]
type = "tmpfs"
options = ["ro", "size=1m"]
[root]
type = "tmpfs"
options = ["ro=fs", "rw"]
[[mount]]
target = "/a/b/c"
type = "tmpfs"
options = ["ro=fs"]
[[mount]]
target = "/a/b/c/d/e"
source = "fs:shared/part"
[[mount]]
target = "/a/b/c/f"
source = "fs:shared"
[[mount]]
target = "/a/b/c/f/part/deep"
type = "ramfs"
options = ["ro=fs"]
[[mount]]
target = "/a/b/c/f/part/deep/er"
source = "self:/a"
)";
  const std::string text = round_trip(spec);
  INFO(text);
  const Built built = applied(spec);
  for (const LiveMount& mount : read_namespace(built.ns()).mounts) {
    INFO(mount.mountpoint);
    CHECK(mount.sb_rdonly);
  }
  inside(built.ns(), [] {
    CHECK(fs::exists("/a/b/c/f/part/deep/er"));
    CHECK(::mkdir("/new", 0755) == -1);
    CHECK(errno == EROFS);
  });
}

TEST_CASE("mounts of a filesystem that is the kernel's only one show one superblock") {
  const std::string spec = R"(spec = 1
name = "vocabulary"
[filesystem.named]
type = "mqueue"
[root]
type = "tmpfs"
[[mount]]
target = "/a"
type = "mqueue"
[[mount]]
target = "/b"
type = "mqueue"
fsname = "queues"
options = ["ro", "noexec"]
[[mount]]
target = "/c"
source = "fs:named"
[[mount]]
target = "/d"
source = "self:/a"
)";
  if (!makes("mqueue")) {
    WARN("not here: mqueue");
    return;
  }
  round_trip(spec);
  const Built built = applied(spec);
  const MountTable table = read_namespace(built.ns());
  CHECK(mount_at(table, "/b").source == "queues");
  for (const char* place : {"/b", "/c", "/d"})
    CHECK(mount_at(table, place).dev_minor == mount_at(table, "/a").dev_minor);
}

TEST_CASE(
    "no mountpoint is made on the kernel's only filesystem of a type unless it is asked for") {
  if (!makes("cgroup2")) {
    WARN("not here: cgroup2");
    return;
  }
  const std::string spec =
      spec_of("cgroup2") + "[[mount]]\ntarget = \"/x/mntcr-no-such-group\"\ntype = \"tmpfs\"\n";
  const Applied result = apply_plan(linux_kernel(), compile(spec));
  CHECK_FALSE(result.built.has_value());
  CHECK(contains(result.messages, "E0602"));
  const Built plain = applied(spec_of("cgroup2"));
  inside(plain.ns(), [] { CHECK_FALSE(fs::exists("/x/mntcr-no-such-group")); });
}

TEST_CASE("a type that the kernel does not have is refused by name") {
  std::string missing;
  for (const Filesystem& filesystem : filesystems()) {
    if (filesystem.type == overlay_type) continue;  // that takes layers
    const auto context = linux_kernel().fsopen(std::string(filesystem.type));
    if (!context && context.error().number == ENODEV) missing = filesystem.type;
  }
  if (missing.empty()) return;
  const Applied result = apply_plan(linux_kernel(), compile(spec_of(missing)));
  CHECK_FALSE(result.built.has_value());
  INFO(result.messages);
  CHECK(contains(result.messages, "E0605"));
  CHECK(contains(result.messages, fmt::format("this kernel has no {}", missing)));
}

}  // namespace mntcr
