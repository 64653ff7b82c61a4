// Writing diagnostics to stderr in the form that was asked for.
#pragma once

#include "compiler/driver/options.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::driver {

/// Sorts and prints `diagnostics`. Colour only on a terminal, and never with NO_COLOR.
void print_messages(const Options& options, Diagnostics& diagnostics, const SourceMap& sources);

}  // namespace mntcr::driver
