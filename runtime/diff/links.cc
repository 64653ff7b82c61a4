#include "runtime/diff/links.h"

#include "runtime/base/path.h"
#include "runtime/diff/namespaces.h"

namespace mntcr {
namespace {

bool same_device(const LiveMount& a, const LiveMount& b) {
  return a.dev_major == b.dev_major && a.dev_minor == b.dev_minor;
}

bool is_kept(const KeptMounts& kept, std::uint32_t desired) {
  const std::uint32_t live = desired == no_index ? no_index : kept.live_of[desired];
  return live != no_index && kept.desired_of[live] == desired;
}

/// Where a `self:` path of a mount is walked: of a copy that is the namespace of its original.
MountTree::Met meet_self(const KeptMounts& kept, std::uint32_t live) {
  const std::uint32_t desired = kept.desired_of[live];
  const std::uint32_t original = kept.copies.original[desired];
  // The live namespace of the original is that of any mount there.
  std::uint32_t ns = kept.live.mounts[live].ns;
  if (original != no_index) {
    const std::uint32_t wanted = kept.plan.mounts[original].ns;
    const auto names = pair_namespaces(kept.plan, kept.live);
    if (names[wanted] != no_index) ns = names[wanted];
  }
  return kept.live_tree.meet(ns, kept.plan.mounts[desired].self, kept.unseen, live);
}

/// The live mount that a kept mount shows something of, and the place there.
MountTree::Met link_of(const KeptMounts& kept, std::uint32_t live) {
  const std::uint32_t index = kept.desired_of[live];
  const DesiredMount& desired = kept.plan.mounts[index];
  const std::uint32_t original = kept.copies.original[index];
  if (is_kept(kept, original)) return {kept.live_of[original], {}};
  if (!desired.self.empty()) return meet_self(kept, live);
  if (desired.of == no_index) return {};
  return {kept.live_of[desired.of], {}};
}

/// Whether the link of a kept mount leads to what it shows. A copy shows what its original does as
/// long as that is there.
bool holds(const KeptMounts& kept, std::uint32_t live) {
  const std::uint32_t index = kept.desired_of[live];
  const DesiredMount& desired = kept.plan.mounts[index];
  const LiveMount& mount = kept.live.mounts[live];
  const std::uint32_t original = kept.copies.original[index];
  if (is_kept(kept, original)) {
    const LiveMount& shown = kept.live.mounts[kept.live_of[original]];
    return kept.copies.implied[index] || (same_device(shown, mount) && shown.root == mount.root);
  }
  if (!desired.self.empty()) {
    const MountTree::Met met = meet_self(kept, live);
    if (met.mount == no_index) return false;
    const LiveMount& shown = kept.live.mounts[met.mount];
    return same_device(shown, mount) && path::join(shown.root, met.rest) == mount.root;
  }
  if (desired.of == no_index) return true;
  const std::uint32_t from = kept.live_of[desired.of];
  return from != no_index && kept.desired_of[from] != no_index &&
         same_device(kept.live.mounts[from], mount);
}

}  // namespace

std::vector<std::uint32_t> find_broken_links(const KeptMounts& kept) {
  std::vector<std::uint32_t> broken;
  for (std::uint32_t live = 0; live < kept.desired_of.size(); ++live) {
    if (kept.desired_of[live] != no_index && !holds(kept, live))
      broken.push_back(kept.desired_of[live]);
  }
  return broken;
}

std::vector<bool> find_independent(const KeptMounts& kept, const std::vector<bool>& given) {
  enum class State : std::uint8_t { fresh, dependent, independent };
  std::vector<State> states(given.size(), State::fresh);
  std::vector<bool> independent(given.size(), false);
  for (std::uint32_t start = 0; start < given.size(); ++start) {
    std::vector<std::uint32_t> chain;
    std::uint32_t at = start;
    State end = State::independent;
    while (at != no_index && states[at] == State::fresh) {
      chain.push_back(at);
      states[at] = State::dependent;  // a chain that comes back to itself depends on itself
      const bool foreign = given[at] || kept.desired_of[at] == no_index;
      at = foreign ? at : link_of(kept, at).mount;
    }
    if (at != no_index) end = states[at];
    for (const std::uint32_t member : chain) {
      states[member] = end;
      independent[member] = end == State::independent;
    }
  }
  return independent;
}

}  // namespace mntcr
