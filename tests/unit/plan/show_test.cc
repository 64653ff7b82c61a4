// What a person reads of a plan.
#include "runtime/plan/show.h"

#include <catch2/catch.hpp>

#include "compiler/planner/planner.h"
#include "tests/unit/planner/layouts.h"

using namespace mntcr;
using namespace mntcr::test;

namespace {

Plan sample() {
  Layout layout{.name = "web",
                .superblocks = {parent_path("/srv/web"), made("proc"), made("tmpfs", {"size=64m"})},
                .mounts = {},
                .idmaps = {{{{0, 100000, 65536}}, {{0, 5, 1}, {1, 100000, 9}}}}};
  add_mount(layout, no_index, 0, "").attrs = {mount_attr::nosuid, mount_attr::nosuid};
  add_mount(layout, 0, 1, "proc");
  add_mount(layout, 0, 2, "tmp");
  add_mount(layout, 2, 0, "data", "part").attrs = {mount_attr::rdonly, mount_attr::rdonly};
  layout.mounts.back().idmap = 0;
  add_mount(layout, 2, 1, "");
  SourceMap sources;
  sources.add("web.toml", "spec = 1\n");
  return plan_layout(layout, sources);
}

}  // namespace

TEST_CASE("the tree shows where, what and how, and what covers what") {
  CHECK(show_tree(sample()) ==
        "/                    parent:/srv/web            nosuid\n"
        "├─ /proc             proc\n"
        "└─ /tmp              tmpfs                      size=64m\n"
        "   ├─ /tmp (on top)  proc\n"
        "   └─ /tmp/data      parent:/srv/web at `part`  ro  idmap uid 0:100000:65536 gid "
        "0:5:1,1:100000:9\n");
}

TEST_CASE("flags of a filesystem are shown beside the mount's and the parameters") {
  Plan plan = sample();
  plan.superblocks[2].flags = {fs_flag::rdonly, fs_flag::rdonly | fs_flag::sync};
  CHECK(show_tree(plan).find("tmpfs                      ro=fs,async,size=64m") !=
        std::string::npos);
  CHECK(show_json(plan).find(R"("flags": [
        "ro=fs",
        "async"
      ])") != std::string::npos);
}

TEST_CASE(
    "the steps name registers, mounts and the spec's lines, under the titles of their phases") {
  const std::string text = show_text(sample());
  CHECK(text.starts_with("plan of web: 5 mounts, "));
  for (const char* words : {"\nenter: ", "\nsources: ", "\ntrees: ", "\nroot: ",
                            "s0 = parent:/srv/web", "s2 = tmpfs", "s0 at `part`", "/tmp/data",
                            "ro idmap uid 0:100000:65536 gid 0:5:1,1:100000:9", "web.toml:1"}) {
    INFO(words);
    CHECK(text.find(words) != std::string::npos);
  }
  CHECK(text.find("\nsharing") == std::string::npos);
}

TEST_CASE("inodes are shown with their kind, mode and owner") {
  Layout layout{.name = "web", .superblocks = {parent_path("/srv"), made("tmpfs")}, .mounts = {}};
  DesiredNode node{.superblock = 1,
                   .kind = NodeKind::directory,
                   .deleted = true,
                   .mode = 0700,
                   .uid = 7,
                   .path = std::string(deleted_folder),
                   .target = {},
                   .span = {}};
  layout.nodes.push_back(node);
  node.path = deleted_place("old job");
  layout.nodes.push_back(node);
  node.deleted = false;
  node.kind = NodeKind::symlink;
  node.path = "fd";
  node.target = "/proc/self/fd";
  layout.nodes.push_back(node);
  add_mount(layout, no_index, 0, "");
  add_mount(layout, 0, 1, "x", deleted_place("old job")).deleted = true;
  const Plan plan = plan_layout(layout, SourceMap());
  const std::string text = show_text(plan);
  for (const char* words : {"make_node        `.mntcr-deleted/old job` in s1, dir 0700 7:0",
                            "make_node        `fd` in s1, symlink:/proc/self/fd 7:0",
                            "remove_node      `.mntcr-deleted/old job` in s1"}) {
    INFO(text);
    CHECK(text.find(words) != std::string::npos);
  }
  CHECK(show_tree(plan) ==
        "/      parent:/srv\n"
        "└─ /x  tmpfs deleted `old job`\n");
  const std::string json = show_json(plan);
  for (const char* words : {R"("deleted": "old job")", R"("target": "/proc/self/fd")",
                            R"("mode": 448)", R"("deleted": null)"}) {
    INFO(json);
    CHECK(json.find(words) != std::string::npos);
  }
}

TEST_CASE("namespaces and groups are shown: a tree for each, the words of propagation, the steps") {
  Layout layout{.name = "web", .superblocks = {made("tmpfs"), parent_path("/srv")}, .mounts = {}};
  const std::uint32_t parents = add_crossing(layout, "/srv");
  const std::uint32_t own = add_group(layout, "own", parents);
  add_mount(layout, no_index, 0, "");
  join(layout, add_mount(layout, 0, 1, "a"), own);
  add_namespace(layout, "second");
  add_mount(layout, no_index, 0, "").unbindable = true;
  add_mount(layout, 2, 1, "b").master = own;
  const Plan plan = plan_layout(layout, SourceMap());
  CHECK(
      show_tree(plan).starts_with("namespace main\n"
                                  "/      tmpfs\n"
                                  "└─ /a  parent:/srv  slave:parent shared:own\n"
                                  "\n"
                                  "namespace second\n"
                                  "/      tmpfs        unbindable\n"
                                  "└─ /b  parent:/srv  slave:own\n"
                                  "\n"
                                  "peer groups\n"));
  const std::string text = show_text(plan);
  for (const char* words : {"\nnamespaces: ", "\ntrees of main\n", "\ntrees of second\n",
                            "s0 = the group at `/srv`", " slave  ", " shared  ", " unbindable  "}) {
    INFO(words);
    CHECK(text.find(words) != std::string::npos);
  }
  CHECK(text.find("\nsharing") == std::string::npos);
  const std::string json = show_json(plan);
  for (const char* words :
       {R"("namespaces": [)", R"("parent": "/srv")", R"("propagation": "slave")",
        R"("namespace": 1)", R"("unbindable": true)", R"("master": 0)"}) {
    INFO(words);
    CHECK(json.find(words) != std::string::npos);
  }
}
