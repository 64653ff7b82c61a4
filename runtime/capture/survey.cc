#include "runtime/capture/survey.h"

#include "runtime/capture/inspector.h"
#include "runtime/capture/overlay_layers.h"

namespace mntcr {

Result<void> survey(Kernel& kernel, const Fd& proc, const Fd& ns, LiveDepth depth,
                    const MountTable& parent, MountTable& live) {
  if (depth == LiveDepth::inodes) {
    Result<void> inspected = inspect(kernel, proc, ns, live);
    if (!inspected) return inspected;
  }
  return find_layers(kernel, ns, parent, live);
}

}  // namespace mntcr
