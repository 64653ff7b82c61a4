#include "runtime/plan/format.h"

#include <sha2.h>

namespace mntcr::plan_format {

Digest digest_of(std::span<const std::byte> body) {
  SHA2_CTX context{};
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
  Digest digest{};
  SHA256Final(digest.data(), &context);
  return digest;
}

}  // namespace mntcr::plan_format
