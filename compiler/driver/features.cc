// mntcr features.
#include "runtime/kernel/features.h"

#include <fmt/format.h>

#include "compiler/driver/commands.h"
#include "runtime/kernel/linux_kernel.h"

namespace mntcr::driver {

int run_features(const Options& /*options*/) {
  const std::unique_ptr<Kernel> linux_kernel = make_linux_kernel();
  Kernel& kernel = *linux_kernel;
  const Features features = probe_features(kernel);
  for (const FeatureInfo& info : feature_table()) {
    std::string use = info.for_apply ? "apply" : "";
    if (info.for_capture) use += use.empty() ? "capture" : ", capture";
    fmt::print("{:<28} {:<8} Linux {:<6} {}\n", info.name,
               features.has(info.feature) ? "yes" : "missing", info.since, use);
  }
  return features.missing_for_apply().empty() ? exit_ok : exit_found;
}

}  // namespace mntcr::driver
