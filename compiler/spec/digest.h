// What a checkpoint remembers of its base: SHA-256 over what the files of the base say, in the
// order of merging. Comments, the order of keys, where the files lie, the values of params and
// [checkpoint] do not count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/files.h"

namespace mntcr::spec {

/// The digest of what the file extends, as 64 hexadecimal digits.
std::string digest_of_bases(const SpecFiles& files, const SpecFile& file);

/// The digest that a spec shall write into [checkpoint] which extends the one whose texts are
/// `sources`: those of a SourceMap that compiling it left, or that its plan carries. Nothing when
/// they are not the texts of a spec.
std::optional<std::string> base_digest(const SourceMap& sources);

/// The `sequence` in the [checkpoint] of the same spec; 0 when it says none.
std::int64_t base_sequence(const SourceMap& sources);

}  // namespace mntcr::spec
