// [checkpoint]: what a delta remembers of how it was taken. It has no effect on the mounts, save
// that `digest` stops a delta whose base is another by now, and that `set` gives params the values
// that they had.
#pragma once

#include "compiler/spec/files.h"
#include "compiler/spec/keys.h"

namespace mntcr::spec {

/// Checks the [checkpoint] of a file, where it has one.
void check_checkpoint(Context& context, const SpecFiles& files, const SpecFile& file);

/// The entries of its `set`; none when there are none, or faulty ones.
const std::vector<syntax::Entry>& checkpoint_settings(const SpecFile& file);

}  // namespace mntcr::spec
