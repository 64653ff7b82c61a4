// Overlays in diff: their layers are compared by the paths that the kernel prints, and written
// again only where something shows them.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

constexpr const char* root = "8:1 /srv/web";

/// A container with an overlay at /data that the plan makes of `layers`, and one that is live with
/// these options; both read-only or not alike.
Case overlay_case(std::vector<DesiredLayer> layers, std::vector<std::string> params,
                  std::vector<std::string> options) {
  Plan wanted = desired(". parent:/srv/web\n  data overlay\n  tmp tmpfs\n");
  wanted.superblocks[1].layers = std::move(layers);
  wanted.superblocks[1].params = std::move(params);
  MountTable found = live(". 8:1 /srv/web ext4\n  data 0:50 / overlay\n  tmp 0:51 / tmpfs\n");
  LiveMount& overlay = found.mounts[1];
  overlay.fs_options = std::move(options);
  overlay.sb_rdonly = true;
  for (const LayerPath& layer : overlay_layers(overlay.fs_options)) {
    if (layer.role == LayerRole::upper) overlay.sb_rdonly = false;
    overlay.layers.push_back({layer.role, layer.path, true, true});
  }
  return {std::move(wanted), std::move(found), std::string("/srv/web = ") + root};
}

DesiredLayer lower(const std::string& shown) { return {LayerRole::lower, 0, "", shown, {}}; }

std::vector<DesiredLayer> writable() {
  return {lower("/a"),
          {LayerRole::upper, 0, "u", "/tmp/u", {}},
          {LayerRole::work, 0, "w", "/tmp/w", {}}};
}

/// What capture writes of a container with one overlay at /data.
std::string spec_with(const std::vector<LiveLayer>& layers) {
  MountTable table = live(". 8:1 /srv/web ext4\n  data 0:50 / overlay\n  tmp 0:51 / tmpfs\n");
  table.mounts[1].layers = layers;
  for (const LiveLayer& layer : layers) {
    table.mounts[1].fs_options.push_back(std::string(layer_parameter(layer.role)) + "=" +
                                         layer_word(layer.role, layer.path));
  }
  const std::string text = write_spec("web", table, live(". 8:1 / ext4"));
  const auto begin = text.find("target = \"/data\"");
  return text.substr(begin, text.find("[[mount]]", begin) - begin - 1);
}

}  // namespace

TEST_CASE("overlay: the same layers are no difference, in whichever form they are printed") {
  CHECK(overlay_case({lower("/a"), lower("/b:c")}, {}, {"lowerdir+=/a", "lowerdir+=/b:c"})
            .changes.empty());
  CHECK(overlay_case({lower("/a"), lower("/b:c")}, {}, {"lowerdir=/a:/b\\:c"}).changes.empty());
  CHECK(overlay_case(writable(), {}, {"lowerdir=/a", "upperdir=/tmp/u", "workdir=/tmp/w"})
            .changes.empty());
}

TEST_CASE("overlay: other layers, and another order, are told") {
  CHECK(overlay_case({lower("/a"), lower("/b")}, {}, {"lowerdir=/b:/a"}).text() ==
        "~ /data  lower: /a:/b -> /b:/a\n1 change: 0 appeared, 0 gone, 1 changed\n");
  CHECK(overlay_case(writable(), {}, {"lowerdir=/a", "upperdir=/tmp/v", "workdir=/tmp/w"}).text() ==
        "~ /data  upper: /tmp/u -> /tmp/v\n1 change: 0 appeared, 0 gone, 1 changed\n");
  CHECK(overlay_case({lower("/a")}, {}, {"lowerdir=/a::/d"}).text() ==
        "~ /data  data: none -> /d\n1 change: 0 appeared, 0 gone, 1 changed\n");
}

TEST_CASE("overlay: a parameter with a default of the machine's is compared where both say it") {
  const auto text = [](std::vector<std::string> params, std::vector<std::string> options) {
    options.insert(options.begin(), {"lowerdir=/a", "upperdir=/tmp/u", "workdir=/tmp/w"});
    return overlay_case(writable(), std::move(params), std::move(options)).text();
  };
  const std::string same = "no differences\n";
  CHECK(text({}, {"redirect_dir=on", "uuid=on", "index=on"}) == same);
  CHECK(text({"index=off"}, {}) == same);
  CHECK(text({"index=off"}, {"index=on"}) != same);
  CHECK(text({"uuid=auto"}, {"uuid=on"}) == same);
  CHECK(text({"uuid=off"}, {"uuid=on"}) != same);
  CHECK(text({"redirect_dir=off"}, {"redirect_dir=nofollow"}) == same);
  CHECK(text({"redirect_dir=on"}, {"redirect_dir=nofollow"}) != same);
  CHECK(text({"volatile"}, {"fsync=volatile"}) == same);
  CHECK(text({"volatile"}, {}) != same);
  CHECK(text({}, {"userxattr"}) != same);
}

TEST_CASE("overlay: without an upper layer what is about writing is not compared") {
  const auto text = [](std::vector<std::string> params, std::vector<std::string> options) {
    options.insert(options.begin(), "lowerdir=/a");
    return overlay_case({lower("/a")}, std::move(params), std::move(options)).text();
  };
  const std::string same = "no differences\n";
  CHECK(text({"redirect_dir=follow", "uuid=on", "volatile"}, {"redirect_dir=on", "uuid=null"}) ==
        same);
  CHECK(text({"metacopy=off"}, {"metacopy=on"}) != same);
  CHECK(text({}, {"userxattr"}) != same);
}

TEST_CASE("overlay: a delta changes the layers that differ") {
  const std::string delta =
      overlay_case(writable(), {}, {"lowerdir=/a:/b", "upperdir=/tmp/u", "workdir=/tmp/x"}).toml();
  INFO(delta);
  CHECK(delta.find("# lower: was /a\n# work: was /tmp/w\n[[change]]\ntarget = \"/data\"\n"
                   "lower = [\"self:/a\", \"self:/b\"]\nwork = \"self:/tmp/x\"\n") !=
        std::string::npos);
}

TEST_CASE("overlay: the container's layers come before the parent's") {
  CHECK(spec_with({{LayerRole::lower, "/a", true, true},
                   {LayerRole::lower, "/b", false, true},
                   {LayerRole::upper, "/tmp/u", true, false},
                   {LayerRole::work, "/tmp/w", true, false}}) ==
        "target = \"/data\"\ntype = \"overlay\"\nlower = [\"self:/a\", \"parent:/b\"]\n"
        "upper = \"self:/tmp/u\"\nwork = \"self:/tmp/w\"\n"
        "options = [\"rw\", \"suid\", \"dev\", \"exec\", \"relatime\", \"diratime\", "
        "\"symfollow\"]\n");
}

TEST_CASE("overlay: one whose layers cannot be told is not made again") {
  const std::string source = "source = \"device:0:50/\"";
  for (const LiveLayer& layer : std::vector<LiveLayer>{
           {LayerRole::lower, "/gone", false, false},
           {LayerRole::lower, "relative", true, true},
           {LayerRole::data, "/data-only", true, true},
           {LayerRole::lower, "/" + std::string(255, 'x'), true, true},
       }) {
    const std::string text = spec_with({{LayerRole::lower, "/a", true, true}, layer});
    INFO(text);
    CHECK(text.find(source) != std::string::npos);
    CHECK(text.find("lower = ") == std::string::npos);
  }
}

TEST_CASE("overlay: a flat spec has the layers where the plan has them") {
  Plan plan = desired(R"(
.     parent:/srv
  data  overlay@o  index=off
  tmp   tmpfs@t
)");
  plan.superblocks.push_back({DesiredSuperblock::Kind::parent, true, "/srv/patch"});
  plan.superblocks.push_back({DesiredSuperblock::Kind::made, true, {}, "tmpfs", {}, {}, "spare"});
  plan.superblocks[1].layers = {{LayerRole::lower, 3, "", "/srv/patch", {}},
                                {LayerRole::lower, 0, "data", "/data", {}},
                                {LayerRole::lower, 4, "base", "/fs:spare/base", {}},
                                {LayerRole::upper, 2, "upper", "/tmp/upper", {}},
                                {LayerRole::work, 2, "work", "/tmp/work", {}}};
  CHECK(write_flat(plan) == R"(spec = 1
name = "web"

[root]
source = "parent:/srv"

[[mount]]
target = "/data"
type = "overlay"
lower = ["parent:/srv/patch", "self:/data", "fs:spare/base"]
upper = "self:/tmp/upper"
work = "self:/tmp/work"
options = ["index=off"]

[[mount]]
target = "/tmp"
type = "tmpfs"

[filesystem.spare]
type = "tmpfs"
)");
}

TEST_CASE("overlay: a layer that only the overlay itself shows is no layer of the container's") {
  const std::string text = spec_with({{LayerRole::lower, "/data/sub", true, true}});
  INFO(text);
  // Without the overlay the root has /data/sub.
  CHECK(text.find("lower = [\"self:/data/sub\"]") != std::string::npos);
  MountTable table = live(". 0:50 / overlay\n  tmp 0:51 / tmpfs\n");
  table.mounts[0].fs_options = {"lowerdir=/srv"};
  table.mounts[0].layers = {{LayerRole::lower, "/srv", true, false}};
  CHECK(write_spec("web", table, live(". 8:1 / ext4")).find("device:0:50") != std::string::npos);
}
