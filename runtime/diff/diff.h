// Desired state x live mounts -> the changes that separate them.
//
// Mounts are paired by where they stand: namespaces by name, the root with the root, then children
// by their mountpoint below a paired parent. A stack (mounts on one another's root) is aligned by
// (superblock, root), so that one mount put into a stack is one addition.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/mount_table.h"
#include "runtime/diff/outside_groups.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// What differs about a mount that is in both.
struct Difference {
  std::string what;  ///< "options", "propagation", "source", "size" … the key of the language
  std::string was;   ///< desired
  std::string is;    ///< live
};

/// One mount's difference.
struct Change {
  enum class Kind : std::uint8_t { added, removed, changed };
  Kind kind{};
  std::uint32_t desired = no_index;     ///< index in Plan::mounts; no_index when added
  std::uint32_t live = no_index;        ///< index in MountTable::mounts; no_index when removed
  std::vector<Difference> differences;  ///< changed only
};

/// What the desired superblocks are on this machine: for those of the parent what their path leads
/// to (or why it leads nowhere); those that the plan makes are found while pairing.
struct ResolvedSources {
  std::map<std::uint32_t, Result<SourceIdentity>> by_superblock;
  /// Where one that is missing would be, by the folder that it was in.
  std::map<std::uint32_t, SourceIdentity> former;
  /// By desired group that crosses the border: the peer group of the parent's mount; 0 where the
  /// path leads to none.
  std::map<std::uint32_t, std::uint64_t> groups;
  /// Groups with members in the parent that the live mounts have to do with.
  OutsideGroups outside;
};

/// Resolves the parent superblocks and groups of `plan` in the namespace that `resolver` answers
/// for. `live`, what they will be compared with, makes it faster.
ResolvedSources resolve_sources(const Plan& plan, SourceResolver& resolver,
                                const MountTable* live = nullptr);

/// The changes, in tree order: a mount before those below it.
std::vector<Change> diff(const Plan& plan, const ResolvedSources& sources, const MountTable& live);

/// How and when a delta was taken: the [checkpoint] that it gets.
struct CheckpointRecord {
  std::string digest;  ///< of what it extends, see language.md; empty when that is not known
  std::int64_t sequence = 1;
  std::string time;  ///< a date and time as TOML writes it
  std::string host;
  std::string kernel;
  std::vector<PlanSetting> settings;  ///< the `--set` values used
};

/// What the writers need to name things.
struct DiffReport {
  const Plan& plan;
  const MountTable& live;
  const MountTable& parent;        ///< the parent namespace, to name bind sources by path
  const ResolvedSources& sources;  ///< what `changes` were found with
  std::vector<Change> changes;
  std::string extends;  ///< path of the spec, as the delta names it
  std::optional<CheckpointRecord> checkpoint = std::nullopt;  ///< for write_toml
  /// By live mount, where its source is known without a look at the mounts; else empty.
  std::vector<std::string> known_sources = {};
};

/// Whether there is anything to tell: a change, or sharing with the parent that the plan refuses.
bool is_different(const DiffReport& report);

/// For people: a line for each change, and below it what differs.
std::string write_text(const DiffReport& report);
/// For machines, as specs/diff.md describes it.
std::string write_json(const DiffReport& report);
/// The changes as a spec that extends the one compared with.
std::string write_toml(const DiffReport& report);
/// All mounts of `live` as a spec named `name`, without changes or a base. Stable: equal states
/// give equal texts, whatever the kernel's numbers.
std::string write_spec(const std::string& name, const MountTable& live, const MountTable& parent);
/// The desired state of `plan` as one spec that extends nothing: what a capture of the container
/// says, as far as it does not depend on the machine.
std::string write_flat(const Plan& plan);

}  // namespace mntcr
