// The bytes that statmount(2) writes, taken apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/kernel/kernel.h"

namespace mntcr {

/// The mask to ask statmount(2) for.
std::uint64_t statmount_request(StatmountPart part);

/// `bytes` is the whole buffer, a struct statmount and its strings. Trusts no offset and no count
/// in it. Fails with EOPNOTSUPP when the kernel says that it cannot tell all of `part`, with
/// EBADMSG when the bytes make no sense.
Result<MountStatus> decode_statmount(std::span<const std::byte> bytes, StatmountPart part);

}  // namespace mntcr
