// Ranges of numbers: what the kernel takes, and when two maps are the same.
#include "runtime/base/idmap.h"

#include <catch2/catch.hpp>

namespace mntcr {
namespace {

IdRanges ranges(std::initializer_list<const char*> texts) {
  IdRanges result;
  for (const char* text : texts) result.push_back(idmap::parse_range(text, ':').value());
  return result;
}

TEST_CASE("a range is three numbers of 32 bits") {
  CHECK(idmap::parse_range("0:100000:65536", ':') == IdRange{0, 100000, 65536});
  CHECK(idmap::parse_range("4294967295 0 1", ' ') == IdRange{UINT32_MAX, 0, 1});
  for (const char* text : {"", "1", "1:2", "1:2:3:4", "1:2:", ":2:3", "a:2:3", "-1:2:3", "+1:2:3",
                           " 1:2:3", "1:2:3 ", "1:2:0x3", "4294967296:0:1", "1 2 3"}) {
    INFO(text);
    CHECK_FALSE(idmap::parse_range(text, ':').has_value());
  }
  CHECK(idmap::range_text({1, 2, 3}) == "1:2:3");
}

TEST_CASE("a range has numbers, and none is the last") {
  CHECK_FALSE(idmap::range_fault({0, 0, UINT32_MAX}).has_value());
  CHECK_FALSE(idmap::range_fault({UINT32_MAX - 1, 0, 1}).has_value());
  CHECK(idmap::range_fault({0, 0, 0}).has_value());
  CHECK(idmap::range_fault({1, 0, UINT32_MAX}).value().find("inside") != std::string::npos);
  CHECK(idmap::range_fault({0, UINT32_MAX, 1}).value().find("outside") != std::string::npos);
}

TEST_CASE("ranges of a list give each number once, on both sides") {
  CHECK_FALSE(idmap::find_overlap(ranges({"0:10:5", "5:0:5", "20:5:5"})).has_value());
  const auto inside = idmap::find_overlap(ranges({"9:50:1", "0:10:5", "4:100:5"}));
  REQUIRE(inside.has_value());
  CHECK(inside->first == 1);
  CHECK(inside->second == 2);
  CHECK_FALSE(inside->outside);
  const auto outside = idmap::find_overlap(ranges({"0:10:5", "100:14:1"}));
  REQUIRE(outside.has_value());
  CHECK(outside->outside);
}

TEST_CASE("a list has as many ranges as the kernel takes, in less than a page") {
  IdRanges many;
  for (std::uint32_t number = 0; number < 340; ++number) many.push_back({number, number, 1});
  CHECK_FALSE(idmap::list_fault(many).has_value());
  many.push_back({340, 340, 1});
  CHECK(idmap::list_fault(many).value().find("341 ranges") != std::string::npos);
  IdRanges large;
  for (std::uint32_t number = 0; number < 200; ++number)
    large.push_back({1000000000 + number, 2000000000 + number, 1});
  CHECK(idmap::list_fault(large).value().find("4800 bytes") != std::string::npos);
  CHECK(idmap::list_fault({}).has_value());
  CHECK(idmap::proc_text(ranges({"0:1:2", "3:4:5"})) == "0 1 2\n3 4 5\n");
}

TEST_CASE("a map is what it does, not how it is cut") {
  const IdMap whole{ranges({"0:100:10"}), ranges({"0:100:10"})};
  CHECK(idmap::same(whole, {ranges({"5:105:5", "0:100:5"}), ranges({"0:100:10"})}));
  CHECK_FALSE(idmap::same(whole, {ranges({"0:100:9"}), ranges({"0:100:10"})}));
  CHECK_FALSE(idmap::same(whole, {ranges({"0:100:5", "5:106:5"}), ranges({"0:100:10"})}));
  CHECK_FALSE(idmap::same(whole, {ranges({"0:100:10"}), ranges({"0:101:10"})}));
  CHECK(idmap::words(whole) == "uid 0:100:10 gid 0:100:10");
  CHECK(idmap::is_sound(whole));
  CHECK_FALSE(idmap::is_sound({ranges({"0:100:10"}), {}}));
}

TEST_CASE("what appears as a number is stored as another") {
  const IdRanges ranges = {{7, 200000, 10}, {0, 1000, 5}};
  CHECK(idmap::stored(ranges, 1004) == 4U);
  CHECK(idmap::stored(ranges, 200000) == 7U);
  CHECK(idmap::stored(ranges, 1005) == std::nullopt);
  CHECK(idmap::stored(ranges, 65534) == std::nullopt);
}

TEST_CASE("filesystems that store owners take idmaps") {
  CHECK(idmap::takes_idmap("tmpfs"));
  CHECK_FALSE(idmap::takes_idmap("proc"));
}

}  // namespace
}  // namespace mntcr
