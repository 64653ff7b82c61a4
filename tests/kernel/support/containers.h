// Containers for tests: compiled from a spec's text, applied, read back; and the state of the
// machine, to see that a failure leaves it as it was.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/apply/apply.h"
#include "runtime/base/diagnostic.h"
#include "runtime/capture/container.h"
#include "runtime/capture/mount_table.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr::sandbox {

/// Compiles a spec, which must be right.
Plan compile(const std::string& text);

/// What apply said and gave.
struct Applied {
  std::optional<Built> built;
  Diagnostics diagnostics;
  std::string messages;  ///< rendered
};
Applied apply_plan(Kernel& kernel, const Plan& plan, const ApplyOptions& options = {});

/// Applies a spec, which must succeed, and keeps it.
Built applied(const std::string& text);

/// The mounts of `ns`.
MountTable read_namespace(const Fd& ns);

/// A container and its parent, read as `mntcr capture` reads them: with all that specs say.
struct Observed {
  /// `inodes`: also those that mounts need, which only specs have to say.
  explicit Observed(const Fd& ns, bool inodes = true);
  /// All namespaces of one container.
  explicit Observed(std::span<const NamedNamespace> namespaces, bool inodes = true);
  /// What separates the container from `plan`.
  [[nodiscard]] ResolvedSources sources(const Plan& plan) const;
  [[nodiscard]] std::vector<Change> changes(const Plan& plan) const;

  Fd proc;
  MountTable parent;
  MountTable live;
};

/// A capture of `ns` as a spec called `name`.
std::string captured(const std::string& name, const Fd& ns);
std::string captured(const std::string& name, std::span<const NamedNamespace> namespaces);

/// A small container called "base": a tmpfs as its root, /proc, and `data` of the parent at /data
/// where it is not empty.
std::string base_spec(const std::string& data = {});

/// Applies `spec`, runs `set_up` inside, and returns the capture of what it left behind: compiled
/// and applied, it has the same capture, and nothing differs from it.
std::string comes_back(const std::string& spec, const std::function<void()>& set_up);

/// What separates `ns` from the spec, as write_text says it; empty when nothing does.
std::string differences(const Fd& ns, const std::string& spec);
std::string differences(const Fd& ns, const Plan& plan);
std::string differences(std::span<const NamedNamespace> namespaces, const Plan& plan);

/// The mount at `mountpoint`, the topmost of a stack; fails when there is none.
const LiveMount& mount_at(const MountTable& table, const std::string& mountpoint);

/// Runs `work` on a thread inside `ns`; what it throws is thrown.
void inside(const Fd& ns, const std::function<void()>& work);

/// All that an apply could leave behind: mounts of the own namespace with their peer groups, mount
/// namespaces that this program made, open files of the process, and what lies below scratch() and
/// /run/mntcr.
struct MachineState {
  std::string mountinfo;
  std::size_t namespaces = 0;
  std::vector<std::string> files;  ///< open ones, by what they are
  std::vector<std::string> tree;
  bool operator==(const MachineState&) const = default;
};
MachineState machine_state();

/// Waits a little for the kernel to free namespaces that nothing holds any more.
bool settles_to(const MachineState& before);

/// Puts a private tmpfs over /run, where pins are made; once.
void private_run();

}  // namespace mntcr::sandbox
