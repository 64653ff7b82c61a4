// What the kernel writes is decoded, and no byte of it is trusted.
#include "runtime/kernel/statmount_decode.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <random>

#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

/// A struct statmount and its strings, put together as the kernel does.
struct Bytes {
  abi::Statmount head{};
  std::string strings;

  Bytes() {
    head.mask = statmount_request(StatmountPart::everything);
    head.supported_mask = 0x7fff;
    head.mnt_id = 0x100000007;
    head.mnt_parent_id = 0x100000001;
    head.mnt_point = add("/mnt");
    head.mnt_root = add("/");
    head.fs_type = add("fuse");
    head.fs_subtype = add("sshfs");
    head.sb_source = add("host:/a b");
    head.opt_array = add("lowerdir=a,b");
    add("x=\n");
    head.opt_num = 2;
    head.opt_sec_array = add("seclabel");
    head.opt_sec_num = 1;
    head.mnt_uidmap = add("0 100000 65536");
    head.mnt_uidmap_num = 1;
    head.mnt_gidmap = add("0 5 1");
    add("7 9 2");
    head.mnt_gidmap_num = 2;
  }

  std::uint32_t add(std::string_view text) {
    const auto offset = static_cast<std::uint32_t>(strings.size());
    strings.append(text).push_back('\0');
    return offset;
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    abi::Statmount sized = head;
    if (sized.size == 0) sized.size = static_cast<std::uint32_t>(sizeof(head) + strings.size());
    std::vector<std::byte> result(sizeof(head));
    std::memcpy(result.data(), &sized, sizeof(sized));
    const auto text = std::as_bytes(std::span(strings));
    result.insert(result.end(), text.begin(), text.end());
    return result;
  }

  [[nodiscard]] Result<MountStatus> decoded() const {
    return decode_statmount(bytes(), StatmountPart::everything);
  }
};

TEST_CASE("strings and options come out raw") {
  const auto status = Bytes().decoded();
  REQUIRE(status);
  CHECK(status->id == 0x100000007);
  CHECK(status->parent_id == 0x100000001);
  CHECK(status->mountpoint == "/mnt");
  CHECK(status->root == "/");
  CHECK(status->fs_type == "fuse");
  CHECK(status->fs_subtype == "sshfs");
  CHECK(status->source == "host:/a b");
  CHECK(status->fs_options == std::vector<std::string>{"seclabel", "lowerdir=a,b", "x=\n"});
  CHECK(status->uid_map == std::vector<std::string>{"0 100000 65536"});
  CHECK(status->gid_map == std::vector<std::string>{"0 5 1", "7 9 2"});
}

TEST_CASE("a mount without an idmap has no ranges") {
  Bytes bytes;
  bytes.head.mask &= ~(abi::statmount_mnt_uidmap | abi::statmount_mnt_gidmap);
  const auto status = bytes.decoded();
  REQUIRE(status);
  CHECK(status->uid_map.empty());
  CHECK(status->gid_map.empty());
}

TEST_CASE("what the mask leaves out is empty, whatever its offset says") {
  Bytes bytes;
  bytes.head.mask &= ~(abi::statmount_sb_source | abi::statmount_opt_array);
  bytes.head.sb_source = 0xffffffff;
  bytes.head.opt_array = 0xfffffff0;
  const auto status = bytes.decoded();
  REQUIRE(status);
  CHECK(status->source.empty());
  CHECK(status->fs_options == std::vector<std::string>{"seclabel"});
}

TEST_CASE("a kernel that cannot tell all is refused") {
  Bytes bytes;
  SECTION("without a supported mask") { bytes.head.mask &= ~abi::statmount_supported_mask; }
  SECTION("with less in it") { bytes.head.supported_mask &= ~abi::statmount_opt_array; }
  SECTION("without idmaps") { bytes.head.supported_mask &= ~abi::statmount_mnt_uidmap; }
  const auto status = bytes.decoded();
  REQUIRE_FALSE(status);
  CHECK(status.error().number == EOPNOTSUPP);
  CHECK(decode_statmount(bytes.bytes(), StatmountPart::placement));
}

TEST_CASE("senseless bytes are refused") {
  Bytes bytes;
  SECTION("a string begins beyond the end") {
    bytes.head.mnt_root = static_cast<std::uint32_t>(bytes.strings.size());
  }
  SECTION("an offset wraps") { bytes.head.fs_type = 0xffffffff; }
  SECTION("a string has no end") {
    bytes.head.sb_source = bytes.add("last");
    bytes.strings.pop_back();
  }
  SECTION("more ranges than bytes") { bytes.head.mnt_gidmap_num = 0xffffffff; }
  SECTION("more options than bytes") { bytes.head.opt_num = 0xffffffff; }
  SECTION("the size is beyond the buffer") { bytes.head.size = 0xffffffff; }
  SECTION("the size is within the head") { bytes.head.size = 100; }
  SECTION("the basics are missing") { bytes.head.mask &= ~abi::statmount_mnt_basic; }
  const auto status = bytes.decoded();
  REQUIRE_FALSE(status);
  CHECK(status.error().number == EBADMSG);
}

TEST_CASE("a buffer cut at any length is refused") {
  const std::vector<std::byte> whole = Bytes().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(decode_statmount(cut, StatmountPart::everything));
  }
}

TEST_CASE("random bytes neither crash nor run away") {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same bytes every time
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::byte> bytes = Bytes().bytes();
    for (int change = 0; change < 4; ++change) {
      // The head's interesting part is its first 160 bytes.
      const std::size_t at = random() % std::min<std::size_t>(bytes.size(), 160);
      bytes[at] = static_cast<std::byte>(random());
    }
    const auto status = decode_statmount(bytes, StatmountPart::everything);
    if (status) CHECK(status->fs_options.size() <= bytes.size());
  }
}

}  // namespace
}  // namespace mntcr
