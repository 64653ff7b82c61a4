// The subcommands, one file each. Every one returns the process's exit code.
#pragma once

#include "compiler/driver/options.h"

namespace mntcr::driver {

int run_compile(const Options& options);  ///< compile and check
int run_show(const Options& options);
int run_apply(const Options& options);
int run_diff(const Options& options);
int run_capture(const Options& options);
int run_flatten(const Options& options);
int run_list(const Options& options);
int run_delete(const Options& options);
int run_explain(const Options& options);
int run_features(const Options& options);

/// Parses the command line and runs its command.
int run(int argc, const char* const* argv);

}  // namespace mntcr::driver
