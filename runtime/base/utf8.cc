#include "runtime/base/utf8.h"

#include <algorithm>

namespace mntcr::utf8 {
namespace {

/// A lead byte's sequence length and the range of its second byte, which excludes overlong forms,
/// surrogates and what lies beyond U+10FFFF.
struct Lead {
  std::size_t length;
  unsigned char second_low;
  unsigned char second_high;
};

Lead classify(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

std::size_t sequence_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const Lead lead = classify(static_cast<unsigned char>(bytes[0]));
  if (lead.length <= 1) return lead.length;
  if (bytes.size() < lead.length) return 0;
  const auto second = static_cast<unsigned char>(bytes[1]);
  if (second < lead.second_low || second > lead.second_high) return 0;
  const std::string_view rest = bytes.substr(2, lead.length - 2);
  const bool continued = std::ranges::all_of(
      rest, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; });
  return continued ? lead.length : 0;
}

bool is_valid(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string replace_invalid(std::string_view bytes) {
  std::string result;
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    result += length == 0 ? std::string_view("\xEF\xBF\xBD") : bytes.substr(0, length);
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

}  // namespace mntcr::utf8
