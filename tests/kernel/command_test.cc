// The commands as a user runs them, on the layout that every container begins with: a root, /proc,
// a tmpfs and a read-only bind.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "compiler/planner/emit.h"
#include "compiler/planner/planner.h"
#include "tests/kernel/support/commands.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"
#include "tests/unit/planner/layouts.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

/// A folder with web.toml, a spec whose root has the host's /usr.
std::string make_web() {
  const std::string folder = fresh_dir();
  const std::string root = folder + "/root";
  for (const char* name : {"/proc", "/tmp", "/usr", "/data"}) make_dir(root + name);
  for (const char* name : {"bin", "lib", "lib64", "sbin"}) {
    if (fs::exists(std::string("/usr/") + name))
      make_symlink(std::string("usr/") + name, root + "/" + name);
  }
  make_file(folder + "/web.toml", fmt::format(R"(spec = 1
name = "web"
[params]
data = "/usr"
[root]
source = "parent:{}"
[[mount]]
target = "/proc"
type = "proc"
[[mount]]
target = "/tmp"
type = "tmpfs"
options = ["size=64m"]
[[mount]]
target = "/usr"
source = "parent:/usr"
[[mount]]
target = "/data"
source = "parent:${{data}}"
options = ["ro"]
)",
                                              root));
  return folder;
}

}  // namespace

TEST_CASE("compile, show, apply -- CMD: the command's exit code is passed on") {
  const std::string web = make_web();
  CHECK(shell(web, "$MNTCR compile web.toml -o plan.bin").code == 0);
  const Ran shown = shell(web, "$MNTCR show plan.bin");
  CHECK(shown.code == 0);
  CHECK(shown.out.starts_with("plan of web: 5 mounts, "));
  CHECK(shell(web, "$MNTCR show web.toml").out == shown.out);
  CHECK(shell(web, "$MNTCR show --tree plan.bin").out.find("└─ /usr") != std::string::npos);

  CHECK(shell(web, "$MNTCR apply plan.bin -- /bin/sh -c \"exit 7\"").code == 7);
  CHECK(shell(web, "$MNTCR apply plan.bin -- true").code == 0);
  CHECK(shell(web, "$MNTCR apply plan.bin -- /no/such/command").code == 127);
  CHECK(shell(web, "$MNTCR apply plan.bin -- /tmp").code == 126);
  CHECK(shell(web, "$MNTCR apply nothing.bin -- true").code == 125);
  CHECK(shell(web, "$MNTCR apply plan.bin --what -- true").code == 125);
  const Ran mounts = shell(web, "$MNTCR apply plan.bin -- grep -c . /proc/self/mountinfo");
  CHECK(mounts.out == "5\n");
  CHECK(mounts.err.empty());
}

TEST_CASE("the command inherits stdin, stdout, stderr and no other file, umask or limit") {
  const std::string web = make_web();
  const Ran files = shell(web,
                          "umask 027; exec 9</etc/hostname; $MNTCR apply web.toml -- sh -c \"ls "
                          "/proc/self/fd; umask; ulimit -Sn\"");
  const Ran plain = shell(web, "umask 027; sh -c \"umask; ulimit -Sn\"");
  CHECK(files.out == "0\n1\n2\n3\n" + plain.out);  // 3 is the folder that ls reads
}

TEST_CASE("apply --pin, then four changes behind its back: diff names exactly these four") {
  private_run();
  const std::string web = make_web();
  REQUIRE(shell(web, "$MNTCR compile web.toml").code == 0);
  const Ran pinned = shell(web, "$MNTCR apply plan.bin --pin web");
  CHECK(pinned.code == 0);
  CHECK(pinned.out == "/run/mntcr/web/main\n");
  CHECK(shell(web, "$MNTCR list").out.starts_with("web\tmain\t"));
  CHECK(shell(web, "$MNTCR apply plan.bin --pin web").code == 2);

  const Ran same = shell(web, "$MNTCR diff web web.toml");
  CHECK(same.code == 0);
  CHECK(shell(web, "$MNTCR diff /run/mntcr/web/main plan.bin").out == same.out);

  REQUIRE(
      shell(web,
            "nsenter --mount=/run/mntcr/web/main sh -c \"mount -t tmpfs -o size=1m extra /tmp && "
            "umount /proc && mount -o remount,bind,rw /data && mount -t tmpfs over /usr\"")
          .code == 0);
  const Ran text = shell(web, "$MNTCR diff web web.toml");
  CHECK(text.code == 1);
  CHECK(text.out.find("4 changes: 2 appeared, 1 gone, 1 changed") != std::string::npos);
  for (const char* line : {"+ /usr  tmpfs", "- /proc", "+ /tmp  tmpfs", "~ /data"}) {
    INFO(text.out);
    CHECK(text.out.find(line) != std::string::npos);
  }
  const Ran json = shell(web, "$MNTCR diff web web.toml -f json");
  CHECK(json.code == 1);
  CHECK(json.out.find("\"added\": 2,\n  \"removed\": 1,\n  \"changed\": 1,") != std::string::npos);
  const Ran toml = shell(
      web, "mkdir -p deltas; $MNTCR diff web web.toml -o deltas/delta.toml; cat deltas/delta.toml");
  CHECK(toml.out.find("extends = [\"../web.toml\"]") != std::string::npos);
  CHECK(toml.out.find("[[remove]]\ntarget = \"/proc\"") != std::string::npos);
  CHECK(toml.out.find("[[change]]\ntarget = \"/data\"") != std::string::npos);

  CHECK(shell(web, "$MNTCR delete web").code == 0);
  CHECK(shell(web, "$MNTCR delete web").code == 2);
  CHECK(shell(web, "$MNTCR diff web web.toml").code == 2);
  CHECK(shell(web, "$MNTCR list").out.empty());
}

TEST_CASE("a mount over the root of a pin is told, or the pin is not read") {
  private_run();
  const std::string web = make_web();
  REQUIRE(shell(web, "$MNTCR apply web.toml --pin web").code == 0);
  REQUIRE(shell(web, "nsenter --mount=/run/mntcr/web/main mount -t tmpfs over /").code == 0);
  const Ran ran = shell(web, "$MNTCR diff web web.toml");
  INFO(ran.out << ran.err);
  if (reads_by_statmount()) {
    CHECK(ran.code == 1);
    CHECK(ran.out.find("1 change: 1 appeared") != std::string::npos);
    CHECK(ran.out.find("+ /  tmpfs") != std::string::npos);
  } else {
    leave_out("what differs below a mount over the root");
    CHECK(ran.code == 2);
    CHECK(ran.err.find("covers the namespace's root") != std::string::npos);
  }
  CHECK(shell(web, "$MNTCR delete web").code == 0);
}

TEST_CASE("a plan is the same from any directory and needs nothing but itself") {
  const std::string web = make_web();
  const std::string other = fresh_dir();
  REQUIRE(shell(web, "$MNTCR compile web.toml -o one.bin").code == 0);
  REQUIRE(shell(other, "$MNTCR compile " + web + "/web.toml -o two.bin").code == 0);
  CHECK(shell(web, "cmp one.bin " + other + "/two.bin").code == 0);
  REQUIRE(shell(web, "rm web.toml").code == 0);
  CHECK(shell(other, "$MNTCR apply two.bin -- true").code == 0);
}

TEST_CASE("a failing compile leaves the old plan, a failing apply the machine; both say where") {
  const std::string web = make_web();
  REQUIRE(shell(web, "$MNTCR compile web.toml").code == 0);
  const Ran broken =
      shell(web, "cp plan.bin before; echo colour = 1 >>web.toml; $MNTCR compile web.toml");
  CHECK(broken.code == 1);
  CHECK(broken.err.find("web.toml:") != std::string::npos);
  CHECK(shell(web, "cmp plan.bin before").code == 0);
  const Ran missing = shell(
      web,
      "$MNTCR apply plan.bin; rmdir root/proc; $MNTCR delete web; $MNTCR apply plan.bin -- true");
  CHECK(missing.code == 125);
  CHECK(missing.err.find("error[E0602]") != std::string::npos);
  CHECK(missing.err.find("web.toml:8:10") != std::string::npos);
}

TEST_CASE("messages for machines are a JSON object a line") {
  const std::string web = make_web();
  const Ran ran =
      shell(web, "echo colour = 1 >>web.toml; $MNTCR --message-format=json check web.toml");
  CHECK(ran.code == 1);
  CHECK(ran.err.starts_with("{\"severity\":\"error\",\"code\":\"E"));
  CHECK(ran.out.empty());
}

TEST_CASE("--set, --dry-run and reading the spec from stdin") {
  const std::string web = make_web();
  CHECK(shell(web, "$MNTCR show --tree web.toml --set data=/etc").out.find("parent:/etc") !=
        std::string::npos);
  CHECK(shell(web, "$MNTCR apply --dry-run web.toml").code == 0);
  CHECK(shell(web, "$MNTCR apply --dry-run web.toml --set data=/nowhere").code == 2);
  CHECK(shell(web, "$MNTCR compile - -o - <web.toml | $MNTCR show /dev/stdin")
            .out.starts_with("plan of web"));
}

TEST_CASE("a delta of a spec from stdin has nothing to extend; text and JSON need nothing") {
  const std::string web = make_web();
  const Process process([] {});
  const std::string where = std::to_string(process.pid());
  const Ran spec = shell(web, "$MNTCR diff -f toml " + where + " - <web.toml");
  CHECK(spec.code == 2);
  CHECK(spec.out.empty());
  CHECK(spec.err.find("error[E0619]") != std::string::npos);
  REQUIRE(shell(web, "$MNTCR compile - -o plan.bin <web.toml").code == 0);
  const Ran plan = shell(web, "$MNTCR diff " + where + " plan.bin -o delta.toml");
  CHECK(plan.code == 2);
  CHECK(plan.err.find("error[E0619]") != std::string::npos);
  CHECK_FALSE(fs::exists(web + "/delta.toml"));
  CHECK(shell(web, "$MNTCR diff -f json " + where + " plan.bin").code == 1);
  CHECK(shell(web, "$MNTCR diff " + where + " - <web.toml").code == 1);
}

TEST_CASE("a delta is written from a working directory that is gone") {
  const std::string web = make_web();
  const Process process([] {});
  const std::string gone = "mkdir gone; cd gone; rmdir ../gone; ";
  const std::string diff = "$MNTCR diff -f toml " + std::to_string(process.pid()) + " ";
  const Ran absolute = shell(web, gone + diff + web + "/web.toml");
  INFO(absolute.err);
  CHECK(absolute.code == 1);
  CHECK(absolute.out.find("extends = [\"" + web + "/web.toml\"]") != std::string::npos);
  const Ran written = shell(web, gone + diff + web + "/web.toml -o " + web + "/delta.toml");
  CHECK(written.code == 1);
  CHECK(shell(web, "cat delta.toml").out.find("extends = [\"web.toml\"]") != std::string::npos);
}

TEST_CASE("flatten: a capture stays as it is, a base and its delta are what was captured") {
  private_run();
  const std::string web = make_web();
  REQUIRE(shell(web, "$MNTCR apply web.toml --pin web").code == 0);
  REQUIRE(shell(web, "$MNTCR capture web -o base.toml").code == 0);
  const Ran flat = shell(web, "$MNTCR flatten base.toml");
  CHECK(flat.code == 0);
  CHECK(flat.err.empty());
  CHECK(flat.out == shell(web, "cat base.toml").out);
  REQUIRE(shell(web, "$MNTCR compile base.toml -o base.bin").code == 0);
  CHECK(shell(web, "$MNTCR flatten base.bin").out == flat.out);

  REQUIRE(
      shell(web,
            "nsenter --mount=/run/mntcr/web/main sh -c \"umount /data && mkdir -m 0700 /tmp/a && "
            "mount -t tmpfs -o size=1m new /tmp/a && mount -o remount,bind,ro /usr\"")
          .code == 0);
  REQUIRE(shell(web, "$MNTCR diff web base.toml -o delta.toml").code == 1);
  const Ran summed = shell(web, "$MNTCR flatten delta.toml");
  CHECK(summed.code == 0);
  CHECK(summed.out != flat.out);
  CHECK(summed.out == shell(web, "$MNTCR capture web").out);

  // What the author left open stays open.
  REQUIRE(shell(web, "$MNTCR diff web web.toml -o delta.toml").code == 1);
  REQUIRE(shell(web, "$MNTCR flatten delta.toml -o summed.toml").code == 0);
  CHECK(shell(web, "$MNTCR diff web summed.toml").code == 0);
  CHECK(shell(web, "$MNTCR flatten nothing.toml").code == 2);
  CHECK(shell(web, "$MNTCR delete web").code == 0);
}

TEST_CASE("--parent looks bind sources up in another namespace") {
  const std::string web = make_web();
  const std::string source = fresh_dir();
  const Process parent([&] {
    mount_tmpfs(source);
    make_file(source + "/only-there");
  });
  const std::string pid = std::to_string(parent.pid());
  const Ran there = shell(
      web, "$MNTCR apply --parent " + pid + " web.toml --set data=" + source + " -- ls /data");
  CHECK(there.out == "only-there\n");
  CHECK(there.err.empty());
  CHECK(shell(web, "$MNTCR apply web.toml --set data=" + source + " -- ls /data").out.empty());
}

TEST_CASE("WHERE that is nothing is told") {
  const std::string web = make_web();
  for (const char* where :
       {"999999999", "0", "/etc/hostname", "/proc/self/ns/net", "nobody", "No-Name"}) {
    const Ran ran = shell(web, std::string("$MNTCR diff ") + where + " web.toml");
    INFO(where << ": " << ran.err);
    CHECK(ran.code == 2);
    CHECK(ran.err.find("error[E0701]") != std::string::npos);
  }
}

TEST_CASE("apply pins all namespaces, prints their paths, and runs the command in the one named") {
  private_run();
  const std::string folder = fresh_dir();
  Layout layout{.name = "many",
                .superblocks = {test::made("tmpfs"), test::parent_path("/usr")},
                .mounts = {}};
  test::add_mount(layout, no_index, 0, "");
  test::add_namespace(layout, "second");
  test::add_mount(layout, no_index, 1, "");
  const std::vector<std::byte> bytes = emit_plan(plan_layout(layout, SourceMap()));
  make_file(folder + "/plan.bin",
            std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const Ran pinned = shell(folder, "$MNTCR apply plan.bin");
  INFO(pinned.err);
  CHECK(pinned.code == 0);
  CHECK(pinned.out == "/run/mntcr/many/main\n/run/mntcr/many/second\n");
  const Ran listed = shell(folder, "$MNTCR list");
  CHECK(listed.out.find("/run/mntcr/many/second") != std::string::npos);
  CHECK(shell(folder, "$MNTCR delete many").code == 0);
  CHECK_FALSE(fs::exists("/run/mntcr/many"));
  // Only the second shows programs.
  CHECK(shell(folder, "$MNTCR apply plan.bin --namespace second -- /bin/true").code == 0);
  CHECK(shell(folder, "$MNTCR apply plan.bin -- /bin/true").code == 127);
  const Ran other = shell(folder, "$MNTCR apply plan.bin --namespace third -- /bin/true");
  CHECK(other.code == 125);
  CHECK(other.err.find("E0625") != std::string::npos);
  CHECK(shell(folder, "$MNTCR apply plan.bin --namespace second").code == 2);
}

}  // namespace mntcr
