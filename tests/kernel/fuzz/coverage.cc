#include "tests/kernel/fuzz/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace mntcr::fuzz {
namespace {

constexpr std::array<const char*, situation_count> names = {
    "propagated", "propagated to a slave", "tucked", "unmounted elsewhere", "slid down", "moved",
    "lost master"};

using Identities = std::unordered_map<std::uint64_t, Identity>;

Identities by_id(const State& state) {
  Identities found;
  for (const Identity& identity : state.identities) found.emplace(identity.id, identity);
  return found;
}

/// The mounts that only `here` has, on parents that `there` has as well; whether one is a slave.
struct Tops {
  std::size_t count = 0;
  bool slave = false;
};

Tops tops_of(const Identities& here, const Identities& there) {
  Tops tops;
  for (const auto& [id, mount] : here) {
    if (there.contains(id) || !there.contains(mount.parent)) continue;
    ++tops.count;
    tops.slave = tops.slave || mount.master != 0;
  }
  return tops;
}

}  // namespace

std::string name_of(Situation situation) { return names.at(static_cast<std::size_t>(situation)); }

void Coverage::add(const Coverage& other) {
  sequences_ += other.sequences_;
  operations_ += other.operations_;
  most_mounts_ = std::max(most_mounts_, other.most_mounts_);
  for (std::size_t i = 0; i < kind_count; ++i) {
    counts_.at(i).done += other.counts_.at(i).done;
    counts_.at(i).refused += other.counts_.at(i).refused;
  }
  for (std::size_t i = 0; i < situation_count; ++i) situations_.at(i) += other.situations_.at(i);
}

void Coverage::add(const Operation& operation, const Outcome& outcome, const State& before,
                   const State& after) {
  if (outcome.skipped) return;
  ++operations_;
  Count& kind = counts_.at(static_cast<std::size_t>(operation.kind));
  ++(outcome.error == 0 ? kind.done : kind.refused);
  most_mounts_ = std::max(most_mounts_, after.rows.size());
  if (outcome.error == 0 && operation.kind != Kind::clone_namespace) look(before, after);
}

void Coverage::look(const State& before, const State& after) {
  const Identities was = by_id(before);
  const Identities is = by_id(after);
  const Tops added = tops_of(is, was);
  count(Situation::propagated, added.count > 1);
  count(Situation::propagated_slave, added.count > 1 && added.slave);
  count(Situation::unmounted_copies, tops_of(was, is).count > 1);
  bool tucked = false;
  bool slid = false;
  bool moved = false;
  bool lost = false;
  for (const Identity& mount : after.identities) {
    const auto old = was.find(mount.id);
    if (old == was.end()) continue;
    lost = lost || (old->second.master != 0 && old->second.master != mount.master);
    if (old->second.parent == mount.parent) continue;
    const bool onto_new = !was.contains(mount.parent);
    tucked = tucked || onto_new;
    slid = slid || !is.contains(old->second.parent);
    moved = moved || (!onto_new && is.contains(old->second.parent));
  }
  count(Situation::tucked, tucked);
  count(Situation::slid_down, slid);
  count(Situation::moved, moved);
  count(Situation::lost_master, lost);
}

std::string Coverage::to_text() const {
  std::string text = fmt::format("{} sequences, {} operations, at most {} mounts\n", sequences_,
                                 operations_, most_mounts_);
  for (std::size_t i = 0; i < kind_count; ++i) {
    text += fmt::format("  {:<18} {:>8} done {:>8} refused\n", fuzz::name_of(static_cast<Kind>(i)),
                        counts_.at(i).done, counts_.at(i).refused);
  }
  for (std::size_t i = 0; i < situation_count; ++i)
    text += fmt::format("  {:<24} {:>8} times\n", names.at(i), situations_.at(i));
  return text;
}

}  // namespace mntcr::fuzz
