// A filesystem whose server never answers: whoever looks into it waits for ever. Capture, diff and
// the proof of apply do not look. Each runs with a time limit; a process that waits for FUSE can be
// killed.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <optional>

#include "tests/kernel/support/commands.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;

/// Mounts that nobody serves, until it is destroyed.
class DeadFuse {
 public:
  /// Nothing where this machine has no FUSE.
  static std::optional<int> open() {
    const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    return device >= 0 ? std::optional(device) : std::nullopt;
  }

  DeadFuse(int device, std::string path) : device_(device), path_(std::move(path)) {
    const std::string options = fmt::format("fd={},rootmode=40000,user_id=0,group_id=0", device_);
    mounted_ = ::mount("dead", path_.c_str(), "fuse", 0, options.c_str()) == 0;
  }
  DeadFuse(const DeadFuse&) = delete;
  DeadFuse& operator=(const DeadFuse&) = delete;
  ~DeadFuse() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    ::close(device_);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  int device_;
  std::string path_;
  bool mounted_ = false;
};

/// Runs a command that has to come back.
Ran timely(const std::string& dir, const std::string& line) {
  const Ran ran = shell(dir, "timeout -s KILL 10 " + line);
  INFO(line << "\n" << ran.out << ran.err);
  CHECK(ran.code != 137);
  return ran;
}

std::string spec_of(const std::string& dir) {
  std::string spec = "spec = 1\nname = \"f\"\n[root]\nsource = \"parent:/\"\n";
  const auto mount = [&](const std::string& target, const std::string& source) {
    spec += fmt::format("[[mount]]\ntarget = \"{0}/{1}\"\nsource = \"parent:{0}/{2}\"\n", dir,
                        target, source);
  };
  spec += fmt::format("[[mount]]\ntarget = \"{0}\"\nsource = \"parent:{0}\"\n", scratch());
  mount("whole", "fuse");
  mount("part", "fuse/dir");
  mount("linked", "link");
  mount("through", "loop/fuse/dir/x");
  mount("covered", "cover/x");
  mount("local", "local");
  return spec;
}

TEST_CASE("a FUSE server that never answers stops neither capture nor diff nor the proof") {
  const auto device = DeadFuse::open();
  const auto second = DeadFuse::open();
  if (!device || !second) return leave_out("dead FUSE mounts: there is no /dev/fuse");
  const std::string dir = fresh_dir();
  for (const char* name :
       {"fuse", "cover/x", "whole", "part", "linked", "through", "covered", "local", "work"})
    make_dir(dir + "/" + name);
  make_symlink("fuse/dir", dir + "/link");
  make_symlink(".", dir + "/loop");
  const DeadFuse fuse(*device, dir + "/fuse");
  const DeadFuse cover(*second, dir + "/cover");
  if (!fuse.mounted() || !cover.mounted()) return leave_out("dead FUSE mounts");

  const Process container([&] {
    mount_bind(dir + "/fuse", dir + "/whole");
    mount_bind(dir + "/local", dir + "/local");
    mount_bind(dir + "/fuse", dir + "/local");  // covers
  });
  const std::string spec = spec_of(dir);
  make_file(dir + "/work/f.toml", spec);
  const std::string pid = std::to_string(container.pid());
  for (const char* form : {"text", "json", "toml"}) {
    const Ran ran = timely(dir + "/work", fmt::format("$MNTCR diff {} f.toml -f {}", pid, form));
    INFO(form << "\n" << ran.out << ran.err);
    CHECK(ran.code == 1);
    if (std::string(form) != "text") continue;
    CHECK(ran.out.find(" " + dir + "/whole  ") == std::string::npos);
    CHECK(ran.out.find("- " + dir + "/part") != std::string::npos);
    CHECK(ran.out.find("- " + dir + "/linked") != std::string::npos);
    CHECK(ran.out.find("- " + dir + "/covered") != std::string::npos);
    CHECK(ran.out.find("+ " + dir + "/local  self:" + dir + "/whole") != std::string::npos);
  }
  const Ran captured = timely(dir + "/work", "$MNTCR capture " + pid);
  INFO(captured.err);
  CHECK(captured.code == 0);
  CHECK(captured.out.find("parent:" + dir + "/fuse\"") != std::string::npos);
  make_file(dir + "/work/applied.toml",
            fmt::format("spec = 1\nname = \"f\"\n[root]\nsource = \"parent:/\"\n[[mount]]\n"
                        "target = \"/mnt\"\nsource = \"parent:{}/fuse\"\n",
                        dir));
  const Ran applied = timely(dir + "/work", "$MNTCR apply applied.toml -- true");
  INFO(applied.err);
  CHECK(applied.code == 0);
}

}  // namespace
}  // namespace mntcr
