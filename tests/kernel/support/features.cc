#include "tests/kernel/support/features.h"

#include <catch2/catch.hpp>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {
namespace {

const Features& features() {
  static const Features probed = probe_features(linux_kernel());
  return probed;
}

}  // namespace

bool has(Feature feature) { return features().has(feature); }

bool reads_by_statmount() { return features().missing_for_capture().empty(); }

bool can_idmap() {
  Kernel& kernel = linux_kernel();
  const auto proc = open_proc(kernel);
  if (!proc) return false;
  const auto userns =
      kernel.new_user_namespace(proc->get(), "0 100000 65536\n", "0 100000 65536\n");
  const auto context = kernel.fsopen("tmpfs");
  if (!userns || !context || !kernel.fsconfig_create(context->get())) return false;
  const auto mount = kernel.fsmount(context->get(), 0);
  const MountAttr attr{.attr_set = abi::mount_attr_idmap, .userns = userns->get()};
  return mount && kernel.mount_setattr(mount->get(), "", 0, attr).has_value();
}

std::vector<Reader> readers() {
  if (reads_by_statmount()) return {Reader::statmount, Reader::mountinfo};
  leave_out("reading by statmount");
  return {Reader::mountinfo};
}

void leave_out(const std::string& what) {
  std::string lacking;
  for (const FeatureInfo& info : feature_table()) {
    if (has(info.feature)) continue;
    if (!lacking.empty()) lacking += ", ";
    lacking += info.name;
  }
  WARN("left out: " << what << (lacking.empty() ? "" : "; this kernel has no " + lacking));
}

}  // namespace mntcr::sandbox
