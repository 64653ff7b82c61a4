#include "runtime/diff/namespaces.h"

#include <algorithm>

namespace mntcr {

std::vector<std::uint32_t> pair_namespaces(const Plan& plan, const MountTable& live) {
  std::vector<std::uint32_t> pairs;
  for (const DesiredNamespace& wanted : plan.namespaces) {
    const auto found = std::ranges::find(live.namespaces, wanted.name);
    pairs.push_back(found == live.namespaces.end()
                        ? no_index
                        : static_cast<std::uint32_t>(found - live.namespaces.begin()));
  }
  return pairs;
}

OddNamespaces odd_namespaces(const Plan& plan, const MountTable& live) {
  OddNamespaces odd;
  std::vector<bool> known(live.namespaces.size(), false);
  const std::vector<std::uint32_t> pairs = pair_namespaces(plan, live);
  for (std::uint32_t wanted = 0; wanted < pairs.size(); ++wanted) {
    if (pairs[wanted] == no_index) {
      odd.gone.push_back(wanted);
    } else {
      known[pairs[wanted]] = true;
    }
  }
  for (std::uint32_t ns = 0; ns < known.size(); ++ns) {
    if (!known[ns]) odd.appeared.push_back(ns);
  }
  return odd;
}

bool is_in_main(const MountTable& live, const LiveMount& mount) {
  return live.namespaces[mount.ns] == main_namespace;
}

}  // namespace mntcr
