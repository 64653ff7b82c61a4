// Whatever order the kernel lists mounts in, the table is the same.
#include "runtime/capture/table_builder.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

namespace mntcr {
namespace {

struct Row {
  std::uint64_t id;
  std::uint64_t parent;
  std::string mountpoint;
};

std::vector<MountRow> rows_of(const std::vector<Row>& rows) {
  std::vector<MountRow> result;
  for (const Row& row : rows) {
    MountRow& made = result.emplace_back();
    made.mount.id = row.id;
    made.mount.mountpoint = row.mountpoint;
    made.parent_id = row.parent;
  }
  return result;
}

/// Builds, and checks what holds for every table.
MountTable build(const std::vector<Row>& rows) {
  auto table = build_mount_table(rows_of(rows), true);
  if (!table) FAIL(table.error().message);
  REQUIRE(table->mounts.size() == rows.size());
  for (std::size_t i = 1; i < table->mounts.size(); ++i) {
    const LiveMount& mount = table->mounts[i];
    REQUIRE(mount.parent < i);
    const std::string& above = table->mounts[mount.parent].mountpoint;
    const std::string joined =
        mount.below_parent.empty() ? above : (above == "/" ? "" : above) + "/" + mount.below_parent;
    REQUIRE(mount.mountpoint == joined);
  }
  return std::move(*table);
}

std::vector<std::uint64_t> ids(const MountTable& table) {
  std::vector<std::uint64_t> result;
  for (const LiveMount& mount : table.mounts) result.push_back(mount.id);
  return result;
}

std::string error_of(const std::vector<Row>& rows) {
  const auto table = build_mount_table(rows_of(rows), true);
  return table ? "built" : table.error().message;
}

TEST_CASE("tree order: depth first, siblings by bytes, in whatever order they come") {
  std::vector<Row> rows{{10, 1, "/"},      {30, 10, "/b"},  {20, 10, "/a"},  {5, 30, "/b/z"},
                        {6, 30, "/b/a/c"}, {7, 20, "/a/x"}, {8, 10, "/a-b"}, {9, 10, "/a/y"}};
  const std::vector<std::uint64_t> expected{10, 20, 7, 8, 9, 30, 6, 5};
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same orders every time
  for (int round = 0; round < 50; ++round) {
    std::shuffle(rows.begin(), rows.end(), random);
    REQUIRE(ids(build(rows)) == expected);
  }
}

TEST_CASE("a stack is a chain") {
  const MountTable table =
      build({{1, 1, "/"}, {4, 3, "/a"}, {2, 1, "/a"}, {3, 2, "/a"}, {5, 4, "/a/b"}});
  CHECK(ids(table) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
  CHECK(table.mounts[1].below_parent == "a");
  CHECK(table.mounts[2].below_parent.empty());
  CHECK(table.mounts[3].below_parent.empty());
  CHECK(table.mounts[4].below_parent == "b");
}

TEST_CASE("a covered root") {
  const MountTable table = build({{1, 0, "/"}, {2, 1, "/"}, {3, 2, "/a"}, {4, 1, "/a"}});
  CHECK(ids(table) == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(table.mounts[1].below_parent.empty());
  CHECK(table.mounts[3].parent == 0);
}

TEST_CASE("names are compared by component") {
  CHECK_THAT(error_of({{1, 0, "/"}, {2, 1, "/scratch"}, {3, 2, "/scratch2"}}),
             Catch::Contains("does not lie below its parent"));
}

TEST_CASE("a deep chain is no trouble") {
  std::vector<Row> rows{{1, 0, "/"}};
  for (std::uint64_t id = 2; id < 50000; ++id) rows.push_back({id, id - 1, "/a"});
  CHECK(build(rows).mounts.back().id == 49999);
}

TEST_CASE("rows that are no namespace") {
  CHECK_THAT(error_of({}), Catch::Contains("no mount is the root"));
  CHECK_THAT(error_of({{1, 2, "/"}, {2, 1, "/"}}), Catch::Contains("no mount is the root"));
  CHECK_THAT(error_of({{1, 0, "/"}, {2, 3, "/a"}, {3, 2, "/a"}}),
             Catch::Contains("one another's parents"));
  CHECK_THAT(error_of({{1, 0, "/"}, {2, 9, "/a"}}), Catch::Contains("only a part"));
  CHECK_THAT(error_of({{1, 0, "/srv"}, {2, 1, "/srv/a"}}), Catch::Contains("only a part"));
  CHECK_THAT(error_of({{1, 0, "/"}, {1, 0, "/"}}), Catch::Contains("two mounts have the id 1"));
  CHECK_THAT(error_of({{1, 0, "/"}, {2, 1, ""}}), Catch::Contains("does not lie below"));
}

}  // namespace
}  // namespace mntcr
