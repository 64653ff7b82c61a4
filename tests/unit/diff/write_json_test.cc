// The changes for machines, as specs/diff.md describes them.
#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

TEST_CASE("JSON: no differences") {
  CHECK(Case(". parent:/", ". 8:1 / ext4", "/ = 8:1 /").json() == R"({
  "mntcr_diff": 2,
  "name": "web",
  "spec": "web.toml",
  "same": true,
  "added": 0,
  "removed": 0,
  "changed": 0,
  "namespaces": {
    "added": [],
    "removed": []
  },
  "changes": [],
  "escapes": []
}
)");
}

TEST_CASE("JSON: one change of each kind") {
  Plan plan = desired(". parent:/\n  data parent:/srv ro\n  proc proc\n");
  plan.sources.add("web.toml", "spec = 1\n\n[[mount]]\n");
  plan.mounts[1].span = {0, 10, 19};
  const Case each(std::move(plan),
                  live(". 8:1 / ext4\n  data 8:1 /srv ext4\n  mnt 0:60 / tmpfs nodev,size=4k\n"),
                  "/ = 8:1 /\n/srv = 8:1 /srv");
  CHECK(each.json() == R"({
  "mntcr_diff": 2,
  "name": "web",
  "spec": "web.toml",
  "same": false,
  "added": 1,
  "removed": 1,
  "changed": 1,
  "namespaces": {
    "added": [],
    "removed": []
  },
  "changes": [
    {
      "kind": "changed",
      "namespace": "main",
      "target": "/data",
      "type": "ext4",
      "source": "parent:/srv",
      "differences": [
        {
          "what": "options",
          "was": "ro",
          "is": "rw"
        }
      ],
      "declared": {
        "file": "web.toml",
        "line": 3,
        "column": 1
      }
    },
    {
      "kind": "added",
      "namespace": "main",
      "target": "/mnt",
      "type": "tmpfs",
      "source": "tmpfs",
      "device": "0:60",
      "root": "/",
      "fsname": "tmpfs",
      "options": [
        "rw",
        "suid",
        "nodev",
        "exec",
        "relatime",
        "diratime",
        "symfollow"
      ],
      "filesystem_options": [
        "size=4k"
      ],
      "filesystem_readonly": false,
      "filesystem_flags": [],
      "propagation": "private",
      "covers": []
    },
    {
      "kind": "removed",
      "namespace": "main",
      "target": "/proc",
      "type": "proc",
      "source": "proc"
    }
  ],
  "escapes": []
}
)");
}

TEST_CASE("JSON: bytes that are not UTF-8") {
  MountTable table = live(". 8:1 / ext4\n  x 0:50 / tmpfs\n");
  table.mounts[1].below_parent = "\xFF";
  table.mounts[1].mountpoint = "/\xFF";
  const Case odd(desired(". parent:/"), table, "/ = 8:1 /");
  CHECK(odd.json().find(R"("hex": "2fff")") != std::string::npos);
  CHECK(odd.text().find("+ /\\xFF  tmpfs") == 0);
  CHECK(odd.toml().find(R"(target = "/${byte:FF}")") != std::string::npos);
}

}  // namespace
}  // namespace mntcr::test
