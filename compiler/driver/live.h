// Reading the container that WHERE names, from its parent namespace.
#pragma once

#include <functional>
#include <string>
#include <vector>

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

/// What of a container is wanted.
struct LiveDemand {
  LiveDepth depth = LiveDepth::mounts;
  /// What the spec that it is compared with calls its namespaces.
  std::vector<std::string> namespaces = {};
};

/// Reads the container that options.where names and its parent namespace (options.parent, else the
/// caller's), and calls `work` on a thread that stands in that. Says in `diagnostics` what was left
/// out, and what cannot be read; then `work` is not called and the answer is false.
bool view_live(Kernel& kernel, const Options& options, const LiveDemand& demand,
               Diagnostics& diagnostics, const std::function<void(const LiveView&)>& work);

/// Writes `text` to options.output, or to stdout; says why not in `diagnostics`.
bool deliver(const Options& options, const std::string& text, Diagnostics& diagnostics);

}  // namespace mntcr::driver
