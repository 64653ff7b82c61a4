// The kernel leaves the bit of an empty string out of the mask, and older kernels that of a string
// they do not know. Only STATMOUNT_SUPPORTED_MASK (6.15) tells the two apart, so a kernel without
// it is refused: mountinfo says more there. It also means that options always come as an array of
// raw strings (6.13), never as the escaped, comma-joined MNT_OPTS.
#include "runtime/kernel/statmount_decode.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

constexpr std::uint64_t basics_mask = abi::statmount_sb_basic | abi::statmount_mnt_basic;

constexpr std::uint64_t placement_mask = basics_mask | abi::statmount_mnt_point;

constexpr std::uint64_t everything_mask =
    placement_mask | abi::statmount_mnt_root | abi::statmount_fs_type | abi::statmount_fs_subtype |
    abi::statmount_sb_source | abi::statmount_opt_array | abi::statmount_opt_sec_array |
    abi::statmount_supported_mask | abi::statmount_mnt_uidmap | abi::statmount_mnt_gidmap;

/// The strings behind the head, read by offset.
class Strings {
 public:
  explicit Strings(std::string_view bytes) : bytes_(bytes) {}

  /// The NUL-terminated string at `offset`; nothing when it starts or ends outside.
  [[nodiscard]] std::optional<std::string_view> at(std::size_t offset) const {
    if (offset >= bytes_.size()) return std::nullopt;
    const std::size_t end = bytes_.find('\0', offset);
    if (end == std::string_view::npos) return std::nullopt;
    return bytes_.substr(offset, end - offset);
  }

 private:
  std::string_view bytes_;
};

/// Reads the strings that the mask announces; remembers whether one was out of bounds.
class Decoder {
 public:
  Decoder(const abi::Statmount& head, Strings strings) : head_(head), strings_(strings) {}

  [[nodiscard]] bool sound() const { return sound_; }

  void read(std::uint64_t bit, std::uint32_t offset, std::string& to) {
    if ((head_.mask & bit) == 0) return;
    const std::optional<std::string_view> text = strings_.at(offset);
    if (text) {
      to = *text;
    } else {
      sound_ = false;
    }
  }

  /// `count` strings one after another.
  void append(std::uint64_t bit, std::size_t offset, std::uint32_t count,
              std::vector<std::string>& to) {
    if ((head_.mask & bit) == 0) return;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::optional<std::string_view> text = strings_.at(offset);
      if (!text) {
        sound_ = false;
        return;
      }
      to.emplace_back(*text);
      offset += text->size() + 1;
    }
  }

 private:
  const abi::Statmount& head_;
  Strings strings_;
  bool sound_ = true;
};

Failure senseless() { return fail("statmount: the kernel's answer makes no sense", EBADMSG); }

bool tells_everything(const abi::Statmount& head) {
  return (head.mask & abi::statmount_supported_mask) != 0 &&
         (head.supported_mask & everything_mask) == everything_mask;
}

MountStatus numbers_of(const abi::Statmount& head) {
  MountStatus status;
  status.id = head.mnt_id;
  status.parent_id = head.mnt_parent_id;
  status.dev_major = head.sb_dev_major;
  status.dev_minor = head.sb_dev_minor;
  status.sb_magic = head.sb_magic;
  status.sb_flags = head.sb_flags;
  status.attrs = head.mnt_attr;
  status.propagation = head.mnt_propagation;
  status.peer_group = head.mnt_peer_group;
  status.master = head.mnt_master;
  return status;
}

}  // namespace

std::uint64_t statmount_request(StatmountPart part) {
  switch (part) {
    case StatmountPart::everything:
      return everything_mask;
    case StatmountPart::placement:
      return placement_mask;
    case StatmountPart::basics:
      return basics_mask;
  }
  return everything_mask;
}

Result<MountStatus> decode_statmount(std::span<const std::byte> bytes, StatmountPart part) {
  abi::Statmount head;
  if (bytes.size() < sizeof(head)) return senseless();
  std::memcpy(&head, bytes.data(), sizeof(head));
  if (head.size < sizeof(head) || head.size > bytes.size()) return senseless();
  if (part == StatmountPart::everything && !tells_everything(head)) {
    return fail("statmount: this kernel's does not tell all about a mount (Linux 6.15 does)",
                EOPNOTSUPP);
  }
  if ((head.mask & basics_mask) != basics_mask) return senseless();

  const auto* text = reinterpret_cast<const char*>(bytes.data());
  Decoder decoder(head, Strings(std::string_view(text, head.size).substr(sizeof(head))));
  MountStatus status = numbers_of(head);
  decoder.read(abi::statmount_mnt_point, head.mnt_point, status.mountpoint);
  decoder.read(abi::statmount_mnt_root, head.mnt_root, status.root);
  decoder.read(abi::statmount_fs_type, head.fs_type, status.fs_type);
  decoder.read(abi::statmount_fs_subtype, head.fs_subtype, status.fs_subtype);
  decoder.read(abi::statmount_sb_source, head.sb_source, status.source);
  decoder.append(abi::statmount_opt_sec_array, head.opt_sec_array, head.opt_sec_num,
                 status.fs_options);
  decoder.append(abi::statmount_opt_array, head.opt_array, head.opt_num, status.fs_options);
  decoder.append(abi::statmount_mnt_uidmap, head.mnt_uidmap, head.mnt_uidmap_num, status.uid_map);
  decoder.append(abi::statmount_mnt_gidmap, head.mnt_gidmap, head.mnt_gidmap_num, status.gid_map);
  if (!decoder.sound()) return senseless();
  return status;
}

}  // namespace mntcr
