// Reading the container that WHERE names, from its parent namespace.
#pragma once

#include <functional>

#include "compiler/driver/options.h"
#include "runtime/base/diagnostic.h"
#include "runtime/capture/mount_table.h"
#include "runtime/capture/survey.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/kernel.h"

namespace mntcr::driver {

/// A container and its parent as they were read.
struct LiveView {
  Kernel& kernel;
  const Fd& proc;
  const MountTable& parent;
  const MountTable& live;
};

/// Reads the namespace options.where and its parent, and calls `work` on a thread that stands in
/// the parent namespace (options.parent, else the caller's). Says what cannot be read in
/// `diagnostics`; then `work` is not called and the answer is false.
bool view_live(Kernel& kernel, const Options& options, LiveDepth depth, Diagnostics& diagnostics,
               const std::function<void(const LiveView&)>& work);

/// Writes `text` to options.output, or to stdout; says why not in `diagnostics`.
bool deliver(const Options& options, const std::string& text, Diagnostics& diagnostics);

}  // namespace mntcr::driver
