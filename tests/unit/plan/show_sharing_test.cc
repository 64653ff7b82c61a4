// What a person reads of namespaces, groups and the border.
#include <catch2/catch.hpp>
#include <string>

#include "runtime/plan/show.h"

using namespace mntcr;

namespace {

DesiredMount mount(std::uint32_t ns, std::uint32_t parent, std::uint32_t superblock,
                   std::string target) {
  DesiredMount result;
  result.ns = ns;
  result.parent = parent;
  result.superblock = superblock;
  result.mountpoint = target == "/" ? "" : target.substr(1);
  result.target = std::move(target);
  return result;
}

/// main and a clone of it; a group of the parent's with a slave, and an inner one below it.
Plan sample() {
  Plan plan;
  plan.name = "two";
  plan.superblocks = {{.kind = DesiredSuperblock::Kind::parent, .path = "/srv"},
                      {.kind = DesiredSuperblock::Kind::made, .type = "tmpfs"}};
  plan.namespaces.push_back({"worker", 0, {}});
  plan.groups = {{"spool", no_index, "/var/spool", true, {}}, {"logs", 0, "", false, {}}, {}};
  plan.mounts = {mount(0, no_index, 0, "/"), mount(0, 0, 0, "/log"), mount(0, 0, 1, "/tmp"),
                 mount(1, no_index, 0, "/"), mount(1, 3, 0, "/log"), mount(1, 3, 0, "/in")};
  plan.mounts[1].group = plan.mounts[4].group = 1;
  plan.mounts[1].master = plan.mounts[4].master = 0;
  plan.mounts[2].group = 2;
  plan.mounts[5].master = 0;
  plan.mounts[5].unbindable = true;
  plan.mounts[3].implied = plan.mounts[4].implied = Implied::clone;
  return plan;
}

}  // namespace

TEST_CASE("trees of namespaces with whom each mount shares, and the groups") {
  CHECK(show_tree(sample()) ==
        "namespace main\n"
        "/               parent:/srv\n"
        "├─ /log         parent:/srv  slave:spool shared:logs\n"
        "└─ /tmp         tmpfs        shared\n"
        "\n"
        "namespace worker, a clone of main\n"
        "/ (copy)        parent:/srv\n"
        "├─ /in          parent:/srv  slave:spool unbindable\n"
        "└─ /log (copy)  parent:/srv  slave:spool shared:logs\n"
        "\n"
        "peer groups\n"
        "  spool, the parent's: that of the mount at /var/spool\n"
        "    slaves   worker:/in\n"
        "  logs, a slave of spool\n"
        "    members  main:/log, worker:/log\n"
        "  #2\n"
        "    members  main:/tmp\n");
}

TEST_CASE("a group without a name that two mounts are members of is told from others") {
  Plan plan = sample();
  plan.groups[0].exact = false;
  plan.mounts[5] = mount(1, 3, 1, "/tmp");
  plan.mounts[5].group = 2;
  const std::string tree = show_tree(plan);
  INFO(tree);
  CHECK(tree.find("/tmp         tmpfs        shared:#2\n") != std::string::npos);
  CHECK(tree.find("that of the mount that holds /var/spool\n") != std::string::npos);
  CHECK(tree.find("members  main:/tmp, worker:/tmp\n") != std::string::npos);
}

TEST_CASE("the graph has trees, groups with their masters, sources and the border") {
  CHECK(show_dot(sample()) == R"(digraph "two" {
  rankdir=LR;
  node [shape=box, fontname=monospace];
  subgraph cluster_ns0 {
    label="main";
    m0 [label="/"];
    m1 [label="/log"];
    m2 [label="/tmp\ntmpfs"];
  }
  subgraph cluster_ns1 {
    label="worker, a clone of main";
    m3 [label="/", style=dashed];
    m4 [label="/log", style=dashed];
    m5 [label="/in\nunbindable"];
  }
  subgraph cluster_parent {
    label="the parent"; style=dashed;
    s0 [shape=cylinder, label="parent:/srv"];
    g0 [shape=ellipse, label="spool\nat /var/spool"];
  }
  g1 [shape=ellipse, label="logs"];
  g2 [shape=ellipse, label="#2"];
  g0 -> g1 [style=dashed];
  m0 -> s0 [style=dotted, label=""];
  m0 -> m1;
  m1 -> s0 [style=dotted, label=""];
  m1 -> g1 [dir=both, color=blue];
  m0 -> m2;
  m2 -> g2 [dir=both, color=blue];
  m3 -> s0 [style=dotted, label=""];
  m3 -> m4;
  m4 -> s0 [style=dotted, label=""];
  m4 -> g1 [dir=both, color=blue];
  m3 -> m5;
  m5 -> s0 [style=dotted, label=""];
  g0 -> m5 [style=dashed, color=blue];
}
)");
}

TEST_CASE("names in the graph are labels, whatever they hold") {
  Plan plan = sample();
  plan.mounts[2].target = "/a\"];x\\N\n\xff";
  plan.mounts[1].root = "part\"";
  plan.superblocks[0].path = "/\\";
  const std::string dot = show_dot(plan);
  INFO(dot);
  CHECK(dot.find(R"(m2 [label="/a\"];x\\N\\n\\xFF\ntmpfs"];)") != std::string::npos);
  CHECK(dot.find(R"(m1 -> s0 [style=dotted, label="part\""];)") != std::string::npos);
  CHECK(dot.find('\xff') == std::string::npos);
}

TEST_CASE("JSON has namespaces, groups and what each mount is of") {
  const std::string json = show_json(sample());
  INFO(json);
  for (const char* words : {R"("name": "worker",
      "clone": 0,)",
                            R"("name": "spool",
      "master": null,
      "parent": "/var/spool",
      "exact": true,)",
                            R"("namespace": 1,
      "group": 1,
      "master": 0,
      "unbindable": false,
      "implied": "clone",)",
                            R"("group": null,
      "master": 0,
      "unbindable": true,
      "implied": null,)"}) {
    INFO(words);
    CHECK(json.find(words) != std::string::npos);
  }
}
