// plan.bin: what is written is read back, and nothing else is taken for a plan.
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "compiler/planner/emit.h"
#include "compiler/planner/planner.h"
#include "runtime/plan/format.h"
#include "runtime/plan/reader.h"
#include "runtime/plan/show.h"
#include "runtime/plan/verify.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

Plan sample_plan() {
  Layout layout{.name = "web",
                .superblocks = {parent_path("/srv/web"), made("proc"),
                                made("tmpfs", {"size=64m", "mode=1777"})},
                .mounts = {},
                .idmaps = {{{{0, 100000, 65536}}, {{0, 5, 1}, {1, 100000, 9}}}}};
  layout.superblocks[2].fsname = "shm";
  layout.superblocks[2].name = "scratch";
  add_mount(layout, no_index, 0, "").attrs = {mount_attr::rdonly, mount_attr::rdonly};
  add_mount(layout, 0, 1, "proc");
  add_mount(layout, 0, 2, "tmp").create = Create::dir;
  LayoutMount& part = add_mount(layout, 0, 2, "var/tmp", "sub");
  part.idmap = 0;
  part.name = "part";
  part.on = part.cover = true;
  part.self = "/tmp/sub";
  part.of = 2;
  layout.filesystem_names = {"scratch", "spare"};
  const DesiredNode folder{.superblock = 2,
                           .kind = NodeKind::directory,
                           .deleted = true,
                           .mode = 0700,
                           .path = std::string(deleted_folder),
                           .target = {},
                           .span = {0, 1, 2}};
  DesiredNode device = folder;
  device.kind = NodeKind::character;
  device.path = deleted_place("null");
  device.uid = 1000;
  device.gid = 4294967294;
  device.dev_major = 1;
  device.dev_minor = 3;
  DesiredNode link = folder;
  link.kind = NodeKind::symlink;
  link.deleted = false;
  link.path = "run/li\xffnk";
  link.target = "/proc/self/fd";
  DesiredNode run = folder;
  run.deleted = false;
  run.path = "run";
  layout.nodes = {folder, device, run, link};
  add_mount(layout, 0, 2, "null", device.path).deleted = true;
  SourceMap sources;
  sources.add("web.toml", "spec = 1\nname = \"web\"\n");
  Plan plan = plan_layout(layout, sources);
  plan.settings = {{"data", "/mnt/x"}};
  return plan;
}

std::optional<Plan> read_back(std::span<const std::byte> bytes, Diagnostics& diagnostics) {
  return read_plan(bytes, "plan.bin", diagnostics);
}

/// Puts the right digest and length into a plan whose body was altered.
void reseal(std::vector<std::byte>& bytes) {
  namespace format = plan_format;
  const auto digest = format::digest_of(std::span(bytes).subspan(format::header_size));
  std::memcpy(bytes.data() + format::digest_at, digest.data(), digest.size());
  const std::uint64_t length = bytes.size() - format::header_size;
  std::memcpy(bytes.data() + format::length_at, &length, sizeof length);
}

}  // namespace

TEST_CASE("a plan comes back as it was, and is written the same again") {
  const Plan plan = sample_plan();
  const std::vector<std::byte> bytes = emit_plan(plan);
  CHECK(looks_like_plan(bytes));
  Diagnostics diagnostics;
  const auto back = read_back(bytes, diagnostics);
  REQUIRE(back.has_value());
  CHECK(diagnostics.empty());
  CHECK(show_json(*back) == show_json(plan));
  const DesiredMount& part = back->mounts.at(3);
  CHECK(part.name == "part");
  CHECK((part.on && part.cover));
  CHECK(part.self == "/tmp/sub");
  CHECK(part.of == 2);
  CHECK(back->filesystem_names == std::vector<std::string>{"scratch", "spare"});
  REQUIRE(back->settings.size() == 1);
  CHECK(back->settings[0].name + '=' + back->settings[0].value == "data=/mnt/x");
  CHECK(show_text(*back) == show_text(plan));
  CHECK(show_tree(*back) == show_tree(plan));
  CHECK(emit_plan(*back) == bytes);
  REQUIRE(back->nodes.size() == 4);
  const DesiredNode& device = back->nodes[1];
  CHECK(node_words(device) == "char:1:3");
  CHECK((device.deleted && device.uid == 1000 && device.gid == 4294967294));
  CHECK(node_words(back->nodes[3]) == "symlink:/proc/self/fd");
  CHECK(back->nodes[3].path == "run/li\xffnk");
  CHECK(back->mounts[4].deleted);
  CHECK_FALSE(back->mounts[3].deleted);
  CHECK(back->sources.at(0).text == plan.sources.at(0).text);
}

TEST_CASE("random plans come back as they were") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::vector<std::byte> bytes =
        emit_plan(plan_layout(random_layout(random, 1 + seed % 30), SourceMap()));
    Diagnostics diagnostics;
    const auto back = read_back(bytes, diagnostics);
    REQUIRE(back.has_value());
    REQUIRE(emit_plan(*back) == bytes);
  }
}

TEST_CASE("a plan cut at any byte is refused with one clear error") {
  const std::vector<std::byte> bytes = emit_plan(sample_plan());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of just these bytes, so that a read beyond them is seen by the sanitizer.
    const std::vector<std::byte> cut(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Diagnostics diagnostics;
    REQUIRE_FALSE(read_back(cut, diagnostics).has_value());
    REQUIRE(diagnostics.items().size() == 1);
    const Code code = diagnostics.items()[0].code;
    REQUIRE((code == Code::E0501 || code == Code::E0503));
  }
}

TEST_CASE("a plan with any byte flipped is refused with one clear error") {
  std::vector<std::byte> bytes = emit_plan(sample_plan());
  for (std::byte& byte : bytes) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      byte ^= static_cast<std::byte>(flip);
      Diagnostics diagnostics;
      REQUIRE_FALSE(read_back(bytes, diagnostics).has_value());
      REQUIRE(diagnostics.items().size() == 1);
      byte ^= static_cast<std::byte>(flip);
    }
  }
}

TEST_CASE(
    "with the digest made right again a flip is refused or gives a plan that still verifies") {
  const std::vector<std::byte> bytes = emit_plan(sample_plan());
  std::size_t refused = 0;
  for (std::size_t at = plan_format::header_size; at < bytes.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x10U, 0x80U, 0xFFU}) {
      std::vector<std::byte> altered = bytes;
      altered[at] ^= static_cast<std::byte>(flip);
      reseal(altered);
      Diagnostics diagnostics;
      const auto plan = read_back(altered, diagnostics);
      REQUIRE(plan.has_value() == diagnostics.empty());
      if (plan) {
        REQUIRE_FALSE(plan_fault(*plan).has_value());
        REQUIRE_FALSE(show_text(*plan).empty());
        REQUIRE_FALSE(show_json(*plan).empty());
      } else {
        ++refused;
      }
    }
  }
  CHECK(refused > bytes.size());
}

TEST_CASE("a plan of another format names both") {
  std::vector<std::byte> bytes = emit_plan(sample_plan());
  bytes[plan_format::version_at] = std::byte{9};
  Diagnostics diagnostics;
  CHECK_FALSE(read_back(bytes, diagnostics).has_value());
  REQUIRE(diagnostics.items().size() == 1);
  CHECK(diagnostics.items()[0].code == Code::E0502);
  CHECK(diagnostics.items()[0].message ==
        "plan.bin: the plan has format 9, this mntcr reads format 3");
}
