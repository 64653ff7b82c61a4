// Reading and writing the files named on the command line.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "runtime/base/result.h"

namespace mntcr::driver {

/// The content of the file at `path`; "-" is stdin.
Result<std::string> read_file(const std::string& path);

/// Replaces the file at `path` by `bytes`, whole or not at all: an old one stays when writing
/// fails. "-" is stdout; what is no regular file (a pipe, /dev/stdout) is written to directly.
Result<void> write_file(const std::string& path, std::span<const std::byte> bytes);
Result<void> write_file(const std::string& path, const std::string& text);

}  // namespace mntcr::driver
