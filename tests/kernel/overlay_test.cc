// Overlays on the real kernel: layers are the planned directories and are printed by the planned
// paths, so a capture finds them again; what would corrupt a live overlay is refused.
#include "runtime/base/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/apply/apply.h"
#include "runtime/capture/capture.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/fault_kernel.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

/// Whether overlays can be made here; says so when not.
bool makes_overlays() {
  if (has(Feature::overlay_layers)) return true;
  leave_out("making overlays");
  return false;
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string make_root() {
  const std::string root = fresh_dir();
  for (const char* name : {"/tmp", "/data", "/more", "/srv"}) make_dir(root + name);
  return root;
}

std::string spec_of(const std::string& root, const std::string& mounts) {
  return fmt::format(
      "spec = 1\nname = \"web\"\n[root]\nsource = \"parent:{}\"\n[[mount]]\ntarget = \"/tmp\"\n"
      "type = \"tmpfs\"\n{}",
      root, mounts);
}

std::vector<LayerPath> layers_at(const Fd& ns, const std::string& target) {
  return overlay_layers(mount_at(read_namespace(ns), target).fs_options);
}

/// Applies a spec that must fail, and checks that nothing is left of it; its messages.
std::string refused(const std::string& spec) {
  const Plan plan = compile(spec);
  const MachineState before = machine_state();
  const Applied result = apply_plan(linux_kernel(), plan);
  REQUIRE_FALSE(result.built.has_value());
  CHECK(settles_to(before));
  return result.messages;
}

/// What [[mount]] says of an overlay at /data with these keys.
std::string data(const std::string& keys) {
  return "[[mount]]\ntarget = \"/data\"\ntype = \"overlay\"\n" + keys;
}

constexpr const char* over_tmp = R"(
lower = ["self:/tmp/lower"]
upper = "self:/tmp/upper"
work = "self:/tmp/work"
)";

/// Captured, compiled, applied and captured again, the text is the same.
void check_round_trip(const Fd& ns) {
  const std::string text = captured("web", ns);
  INFO(text);
  CHECK(text.find("device:") == std::string::npos);
  const Built again = applied(text);
  CHECK(captured("web", again.ns()) == text);
}

}  // namespace

TEST_CASE("overlay: layers in the container's own tmpfs are seen through, and copied up") {
  if (!makes_overlays()) return;
  const std::string patch = fresh_dir();
  make_file(patch + "/a", "patched");
  const std::string base = fresh_dir();
  make_file(base + "/a", "base");
  make_file(base + "/b", "base");
  const std::string spec = spec_of(
      make_root(), data(fmt::format("lower = [\"parent:{}\", \"parent:{}\", \"self:/tmp/own\"]\n"
                                    "upper = \"self:/tmp/upper\"\nwork = \"self:/tmp/work\"\n",
                                    patch, base)));
  const Built built = applied(spec);
  inside(built.ns(), [] {
    CHECK(content("/data/a") == "patched");
    CHECK(content("/data/b") == "base");
    std::ofstream("/data/b", std::ios::app) << " and more";
    CHECK(content("/tmp/upper/b") == "base and more");
    CHECK(fs::exists("/tmp/own"));
  });
  CHECK(content(base + "/b") == "base");
  CHECK(layers_at(built.ns(), "/data") == std::vector<LayerPath>{{LayerRole::lower, patch},
                                                                 {LayerRole::lower, base},
                                                                 {LayerRole::lower, "/tmp/own"},
                                                                 {LayerRole::upper, "/tmp/upper"},
                                                                 {LayerRole::work, "/tmp/work"}});
  CHECK(differences(built.ns(), spec).empty());
  check_round_trip(built.ns());
}

TEST_CASE("overlay: read-only without an upper layer, also over what it covers") {
  if (!makes_overlays()) return;
  const std::string root = make_root();
  make_file(root + "/data/mine", "root's");
  const std::string patch = fresh_dir();
  make_file(patch + "/theirs", "patch's");
  const std::string spec =
      spec_of(root, data(fmt::format("lower = [\"parent:{}\", \"self:/data\"]\n", patch)));
  const Built built = applied(spec);
  inside(built.ns(), [] {
    CHECK(content("/data/mine") == "root's");
    CHECK(content("/data/theirs") == "patch's");
    CHECK_FALSE(std::ofstream("/data/new").is_open());
  });
  CHECK(differences(built.ns(), spec).empty());
  check_round_trip(built.ns());
}

TEST_CASE("overlay: as the root, and all of it as a layer") {
  if (!makes_overlays()) return;
  const std::string root = make_root();
  const std::string patch = fresh_dir();
  make_file(patch + "/patched");
  const std::string spec = fmt::format(
      "spec = 1\nname = \"web\"\n[filesystem.rw]\ntype = \"tmpfs\"\n[root]\ntype = \"overlay\"\n"
      "lower = [\"parent:{}\", \"parent:{}\"]\nupper = \"fs:rw/upper\"\nwork = \"fs:rw/work\"\n"
      "[[mount]]\ntarget = \"/made\"\ntype = \"tmpfs\"\n"
      "[[mount]]\ntarget = \"/data\"\ntype = \"overlay\"\nlower = [\"self:/\", \"self:/made\"]\n",
      patch, root);
  const Built built = applied(spec);
  inside(built.ns(), [] {
    CHECK(fs::exists("/patched"));
    CHECK(fs::exists("/srv"));
    CHECK(fs::exists("/data/patched"));
  });
  CHECK_FALSE(fs::exists(patch + "/made"));
  CHECK(layers_at(built.ns(), "/data").front() == LayerPath{LayerRole::lower, "/"});
  CHECK(layers_at(built.ns(), "/").back() == LayerPath{LayerRole::work, "/fs:rw/work"});
  CHECK(differences(built.ns(), spec).empty());
  // Nothing shows the root's upper layer: capture says which, and guesses nothing.
  CHECK(captured("web", built.ns()).find("shows its upper layer /fs:rw/upper") !=
        std::string::npos);
}

TEST_CASE("overlay: one overlay at several mounts") {
  if (!makes_overlays()) return;
  const std::string base = fresh_dir();
  make_dir(base + "/part");
  make_file(base + "/part/x", "x");
  const std::string spec = spec_of(make_root(), fmt::format(R"(
[filesystem.over]
type = "overlay"
lower = ["parent:{}"]
upper = "self:/tmp/upper"
work = "self:/tmp/work"
options = ["volatile"]
fsname = "layers"
[[mount]]
target = "/data"
source = "fs:over"
[[mount]]
target = "/more"
source = "fs:over/part"
options = ["ro"]
)",
                                                            base));
  const Built built = applied(spec);
  inside(built.ns(), [] {
    CHECK(content("/more/x") == "x");
    std::ofstream("/data/part/y") << "y";
    CHECK(content("/more/y") == "y");
  });
  CHECK(differences(built.ns(), spec).empty());
  check_round_trip(built.ns());
}

TEST_CASE("overlay: odd names, in every role") {
  if (!makes_overlays()) return;
  const std::string base = fresh_dir() + "/a,b:c\\d e\nf=#$\xFF";
  make_dir(base);
  make_file(base + "/x", "x");
  const std::string spec = spec_of(make_root(), data(R"(
lower = ["self:/tmp/lower", "self:/srv/a,b:c\\d e\nf=#$$${byte:FF}"]
upper = "self:/tmp/u,p:p\\e r\n$$${byte:FF}"
work = "self:/tmp/w,o:r\\k "
)") + fmt::format("[[mount]]\ntarget = \"/srv\"\nsource = \"parent:{}\"\n",
                  fs::path(base).parent_path().string()));
  const Built built = applied(spec);
  inside(built.ns(), [] { CHECK(content("/data/x") == "x"); });
  CHECK(layers_at(built.ns(), "/data") ==
        std::vector<LayerPath>{{LayerRole::lower, "/tmp/lower"},
                               {LayerRole::lower, "/srv/a,b:c\\d e\nf=#$\xFF"},
                               {LayerRole::upper, "/tmp/u,p:p\\e r\n$\xFF"},
                               {LayerRole::work, "/tmp/w,o:r\\k "}});
  CHECK(differences(built.ns(), spec).empty());
  check_round_trip(built.ns());
}

TEST_CASE("overlay: two hundred layers keep their order, whatever the length of the line") {
  if (!makes_overlays()) return;
  const std::string base = fresh_dir();
  std::string lower;
  std::vector<LayerPath> expected;
  for (int number = 0; number < 200; ++number) {
    const std::string layer =
        fmt::format("{}/{}-{:03}", base, "a-name-that-fills-the-line", number);
    make_dir(layer);
    make_file(layer + "/who", std::to_string(number));
    make_file(fmt::format("{}/own-{}", layer, number));
    lower += fmt::format("{}\"parent:{}\"", lower.empty() ? "" : ", ", layer);
    expected.push_back({LayerRole::lower, layer});
  }
  const std::string spec = spec_of(make_root(), data("lower = [" + lower + "]\n"));
  const Built built = applied(spec);
  inside(built.ns(), [] {
    CHECK(content("/data/who") == "0");
    CHECK(fs::exists("/data/own-199"));
  });
  CHECK(layers_at(built.ns(), "/data") == expected);
  for (const Reader reader : readers()) {
    const Fd proc = std::move(*open_proc(linux_kernel()));
    const auto table = capture(linux_kernel(), proc, built.ns(), reader);
    REQUIRE(table);
    CHECK(overlay_layers(mount_at(*table, "/data").fs_options) == expected);
  }
  CHECK(differences(built.ns(), spec).empty());
  check_round_trip(built.ns());
}

TEST_CASE("overlay: the layer is the planned directory, not what its path leads to") {
  if (!makes_overlays()) return;
  // At /more of the container lies a bind; the same path in the parent is something else, and so
  // is what the container's root has there.
  const std::string root = make_root();
  make_file(root + "/more/x", "hidden");
  const std::string base = fresh_dir();
  make_file(base + "/x", "shown");
  const Built built = applied(spec_of(
      root, data("lower = [\"self:/more\", \"self:/tmp/other\"]\n") +
                fmt::format("[[mount]]\ntarget = \"/more\"\nsource = \"parent:{}\"\n", base)));
  inside(built.ns(), [] { CHECK(content("/data/x") == "shown"); });
  check_round_trip(built.ns());
}

TEST_CASE("overlay: parameters are printed, compared and written again") {
  if (!makes_overlays() || !in_initial_user_namespace()) return;  // others may not give them
  const std::string keys = std::string(over_tmp) +
                           "options = [\"nosuid\", \"index=on\", \"metacopy=on\", \"volatile\"]\n";
  const Built built = applied(spec_of(make_root(), data(keys)));
  const std::string text = captured("web", built.ns());
  INFO(text);
  for (const char* word : {"\"index=on\"", "\"metacopy=on\"", "\"volatile\""})
    CHECK(text.find(word) != std::string::npos);
  check_round_trip(built.ns());
}

TEST_CASE("overlay: what is about writing may be given to a read-only one") {
  if (!makes_overlays() || !in_initial_user_namespace()) return;
  for (const char* word : {"redirect_dir=follow", "redirect_dir=nofollow", "uuid=on", "volatile",
                           "index=on", "xino=on", "nfs_export=on", "metacopy=on", "verity=on"}) {
    INFO(word);
    const Built built = applied(spec_of(
        make_root(),
        data(fmt::format("lower = [\"self:/srv\", \"self:/tmp/a\"]\noptions = [\"{}\"]\n", word))));
    check_round_trip(built.ns());
  }
}

TEST_CASE("overlay: one made inside a container is captured and restored by its paths") {
  if (!makes_overlays()) return;
  const std::string root = make_root();
  const std::string base = fresh_dir();
  make_file(base + "/x", "x");
  const Built built = applied(
      spec_of(root, fmt::format("[[mount]]\ntarget = \"/srv\"\nsource = \"parent:{}\"\n", base)));
  inside(built.ns(), [] {
    make_dir("/tmp/upper");
    make_dir("/tmp/work");
    make_dir("/tmp/a:b");
    mount_new("overlay", "/data", "mine", 0,
              "lowerdir=/tmp/a\\:b:/srv,upperdir=/tmp/upper,workdir=/tmp/work");
  });
  const std::string text = captured("web", built.ns());
  INFO(text);
  CHECK(text.find("lower = [\"self:/tmp/a:b\", \"self:/srv\"]\nupper = \"self:/tmp/upper\"\n"
                  "work = \"self:/tmp/work\"\nfsname = \"mine\"") != std::string::npos);
  const Built again = applied(text);
  inside(again.ns(), [] { CHECK(content("/data/x") == "x"); });
  CHECK(captured("web", again.ns()) == text);
}

TEST_CASE("overlay: layers that are gone, relative or data-only are told, not guessed") {
  if (!makes_overlays()) return;
  const Built built = applied(spec_of(make_root(), ""));
  inside(built.ns(), [] {
    for (const char* name : {"/tmp/a", "/tmp/b"}) make_dir(name);
    mount_new("overlay", "/data", "o", 0, "lowerdir=/tmp/a:/tmp/b");
    unmount("/data");
    mount_new("overlay", "/data", "o", 0, "lowerdir=/tmp/a:/tmp/b");
    fs::rename("/tmp/b", "/tmp/c");
  });
  const std::string text = captured("web", built.ns());
  INFO(text);
  CHECK(text.find("neither the parent nor the container shows its lower layer /tmp/b") !=
        std::string::npos);
  CHECK(text.find("source = \"device:") != std::string::npos);
}

TEST_CASE("overlay: directories that a live overlay of the parent writes to are refused") {
  if (!makes_overlays()) return;
  const std::string over = fresh_dir();
  for (const char* name : {"/lower", "/upper", "/work", "/merged"}) make_dir(over + name);
  make_symlink(over, over + "-link");
  const auto spec = [&](const std::string& path) {
    return spec_of(make_root(), data(fmt::format("lower = [\"parent:{0}/lower\"]\n"
                                                 "upper = \"parent:{0}/upper\"\n"
                                                 "work = \"parent:{0}/work\"\n",
                                                 path)));
  };
  {
    CHECK(applied(spec(over)).ns());
  }
  mount_new("overlay", over + "/merged", "live", 0,
            fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", over));
  for (const std::string& path : {over, over + "-link"}) {
    const std::string messages = refused(spec(path));
    INFO(messages);
    CHECK(messages.find("E0613") != std::string::npos);
    CHECK(messages.find(over + "/merged") != std::string::npos);
  }
  unmount(over + "/merged");
  CHECK(applied(spec(over)).ns());
}

TEST_CASE("overlay: layers that cannot be taken are named") {
  if (!makes_overlays()) return;
  const std::string root = make_root();
  make_file(root + "/srv/file");
  make_symlink("file", root + "/srv/link");
  const std::string spot = fresh_dir();
  for (const char* name : {"/upper", "/m/work"}) make_dir(spot + name);
  mount_tmpfs(spot + "/m");
  make_dir(spot + "/m/work");
  const auto messages = [&](const std::string& keys) { return refused(spec_of(root, data(keys))); };
  CHECK(messages("lower = [\"parent:/no/such/layer\"]\n").find("E0601") != std::string::npos);
  CHECK(messages("lower = [\"self:/srv/none\"]\n").find("does not exist") != std::string::npos);
  CHECK(messages("lower = [\"self:/srv/file\"]\n").find("is no directory") != std::string::npos);
  CHECK(messages("lower = [\"self:/srv/link/x\"]\n").find("symlink") != std::string::npos);
  const std::string apart = messages(fmt::format(
      "lower = [\"self:/srv\"]\nupper = \"parent:{0}/upper\"\nwork = \"parent:{0}/m/work\"\n",
      spot));
  INFO(apart);
  CHECK(apart.find("E0615") != std::string::npos);
  CHECK(apart.find("something is mounted on the way") != std::string::npos);
  unmount(spot + "/m");
}

TEST_CASE("overlay: a mountpoint is made in the upper layer only where the spec may") {
  if (!makes_overlays()) return;
  const std::string over = fresh_dir();
  for (const char* name : {"/lower", "/upper", "/work"}) make_dir(over + name);
  const auto spec = [&](const std::string& create) {
    return spec_of(make_root(),
                   data(fmt::format("lower = [\"parent:{0}/lower\"]\nupper = \"parent:{0}/upper\"\n"
                                    "work = \"parent:{0}/work\"\n",
                                    over)) +
                       "[[mount]]\ntarget = \"/data/sub\"\ntype = \"tmpfs\"\n" + create);
  };
  // The kernel leaves what it keeps in the work directory, so the machine is not as it was.
  const Applied missing = apply_plan(linux_kernel(), compile(spec("")));
  CHECK_FALSE(missing.built.has_value());
  CHECK(missing.messages.find("E0602") != std::string::npos);
  CHECK_FALSE(fs::exists(over + "/upper/sub"));
  const Built built = applied(spec("create = \"dir\"\n"));
  CHECK(fs::exists(over + "/upper/sub"));
}

TEST_CASE("overlay: a difference in layers is told and written as a change") {
  if (!makes_overlays()) return;
  const std::string root = make_root();
  const std::string spec = spec_of(root, data(over_tmp));
  const Plan wanted = compile(spec);
  const Built built = applied(spec_of(root, data("lower = [\"self:/tmp/a\", \"self:/tmp/b\"]\n")));
  const Observed seen(built.ns());
  const std::vector<Change> changes = seen.changes(wanted);
  const ResolvedSources sources = seen.sources(wanted);
  const DiffReport report{wanted, seen.live, seen.parent, sources, changes, "base.toml"};
  CHECK(write_text(report) ==
        "~ /data  lower: /tmp/lower -> /tmp/a:/tmp/b; upper: /tmp/upper -> none; "
        "work: /tmp/work -> none\n1 change: 0 appeared, 0 gone, 1 changed\n");
  const std::string delta = write_toml(report);
  INFO(delta);
  CHECK(delta.find("lower = [\"self:/tmp/a\", \"self:/tmp/b\"]\nunset = [\"upper\", \"work\"]\n") !=
        std::string::npos);
}

TEST_CASE("overlay: on a kernel that takes all layers at once, where their paths are apart") {
  if (!linux_kernel().fsopen("overlay")) return leave_out("overlays");
  const std::string patch = fresh_dir();
  make_file(patch + "/a", "patched");
  const Plan plan = compile(spec_of(
      make_root(), data(fmt::format("lower = [\"parent:{}\", \"self:/tmp/o w:n\"]\n"
                                    "upper = \"self:/tmp/upper\"\nwork = \"self:/tmp/work\"\n",
                                    patch))));
  // Where the kernel takes them one by one it answers the last question for that as an older one.
  FaultKernel asked(linux_kernel());
  {
    REQUIRE(apply_plan(asked, plan).built);
  }
  const auto question = std::ranges::find_if(
      asked.log().rbegin(), asked.log().rend(),
      [](const std::string& line) { return line.find("no such layer") != std::string::npos; });
  FaultKernel kernel(linux_kernel());
  if (has(Feature::overlay_layers))
    kernel.fail_call(static_cast<std::size_t>(asked.log().rend() - question), EINVAL);
  const Applied result = apply_plan(kernel, plan);
  INFO(result.messages);
  REQUIRE(result.built);
  const Fd& ns = result.built->ns();
  inside(ns, [] {
    CHECK(content("/data/a") == "patched");
    std::ofstream("/data/a", std::ios::app) << " and more";
    CHECK(content("/tmp/upper/a") == "patched and more");
  });
  const auto options = mount_at(read_namespace(ns), "/data").fs_options;
  CAPTURE(options);
  CHECK(std::ranges::count(options, "lowerdir=" + patch + ":/tmp/o w\\:n") == 1);
  CHECK(layers_at(ns, "/data") == std::vector<LayerPath>{{LayerRole::lower, patch},
                                                         {LayerRole::lower, "/tmp/o w:n"},
                                                         {LayerRole::upper, "/tmp/upper"},
                                                         {LayerRole::work, "/tmp/work"}});
  CHECK(differences(ns, plan).empty());
  check_round_trip(ns);
}

TEST_CASE("overlay: on a kernel that takes all layers at once, paths in one another are refused") {
  const Plan plan =
      compile(spec_of(make_root(), data("lower = [\"self:/srv\", \"self:/srv/below\"]\n")));
  FaultKernel kernel(linux_kernel());
  FaultKernel asked(linux_kernel());
  probe_features(asked);
  if (has(Feature::overlay_layers)) kernel.fail_call(asked.calls(), EINVAL);
  const Applied result = apply_plan(kernel, plan);
  INFO(result.messages);
  CHECK_FALSE(result.built);
  CHECK(result.messages.find("E0614") != std::string::npos);
  CHECK(result.messages.find("/srv/below") != std::string::npos);
}

}  // namespace mntcr
