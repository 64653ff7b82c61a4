// The outside of plan.bin: a header of 64 bytes before the FlatBuffers body.
//
// Constraints: a plan is read by a privileged process, so a wrong or cut file must be told from a
// right one before anything in it is looked at; a flip of any byte must be noticed (FlatBuffers'
// verifier alone accepts a third of them); the file must be the same from wherever it was compiled.
// The digest guards against damage, not against attackers: what the body says is verified on its
// own in verify.cc.
//
//   0  magic     8   "mntcr" 1A 0D 0A: no text file begins so, and a text-mode copy breaks it
//   8  version   4   little endian, of this format; a reader takes its own only
//  12  header    4   64
//  16  length    8   bytes of the body
//  24  reserved  8   0
//  32  digest   32   SHA-256 of the body
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mntcr::plan_format {

inline constexpr std::size_t header_size = 64;
inline constexpr std::array<unsigned char, 8> magic = {'m', 'n', 't', 'c', 'r', 0x1A, '\r', '\n'};
inline constexpr std::uint32_t version = 3;

inline constexpr std::size_t version_at = 8;
inline constexpr std::size_t header_size_at = 12;
inline constexpr std::size_t length_at = 16;
inline constexpr std::size_t reserved_at = 24;
inline constexpr std::size_t digest_at = 32;

using Digest = std::array<unsigned char, 32>;

/// SHA-256.
Digest digest_of(std::span<const std::byte> body);

}  // namespace mntcr::plan_format
