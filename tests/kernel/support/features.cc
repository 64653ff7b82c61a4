#include "tests/kernel/support/features.h"

#include <catch2/catch.hpp>

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
  WARN("left out: " << what << "; this kernel has no " << lacking);
}

}  // namespace mntcr::sandbox
