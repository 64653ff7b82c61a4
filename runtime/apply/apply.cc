#include "runtime/apply/apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/apply/executor.h"
#include "runtime/apply/group_maker.h"
#include "runtime/apply/live_layers.h"
#include "runtime/apply/new_namespace.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/container.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/features.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

/// What is needed around the plan itself.
struct Ground {
  Fd proc;
  std::uint64_t id_above = 0;
};

Result<Ground> prepare(Kernel& kernel, const ApplyOptions& options) {
  Result<Fd> proc = open_proc(kernel);
  if (!proc) return Failure(proc.error());
  Ground ground{std::move(*proc)};
  if (!options.for_pinning) return ground;
  const Result<Fd> own = open_own_namespace(kernel, ground.proc);
  if (!own) return Failure(own.error());
  // Without NS_GET_MNTNS_ID ids are handed out in order, and any namespace will do.
  if (const auto id = kernel.ioctl_ns_get_mntns_id(own->get())) ground.id_above = *id;
  return ground;
}

/// Runs `work`, which returns a Result, on a thread that stands in the parent namespace. Root and
/// working directory are its own: the kernel lets go of shared ones only some time after a thread
/// was joined, and until then it refuses the caller's setns(2).
template <class Work>
auto in_parent(Kernel& kernel, const ApplyOptions& options, Work work) {
  return run_in_thread([&]() -> decltype(work()) {
    const Result<void> ready = options.parent >= 0 ? enter_mount_namespace(kernel, options.parent)
                                                   : kernel.unshare(abi::clone_fs);
    if (!ready) return in_context("entering the parent namespace", ready.error());
    return work();
  });
}

/// The mounts of the namespace that the thread is in.
Result<MountTable> capture_own(Kernel& kernel, const Fd& proc) {
  const Result<Fd> own = open_own_namespace(kernel, proc);
  if (!own) return Failure(own.error());
  return capture(kernel, proc, *own);
}

/// What separates the namespaces from the plan, for people; empty when nothing does.
Result<std::string> differences(Kernel& kernel, const Plan& plan, const Fd& proc,
                                const std::vector<Fd>& made) {
  const Result<MountTable> parent = capture_own(kernel, proc);
  if (!parent) return Failure(parent.error());
  const Result<MountTable> live = capture_container(kernel, proc, named_namespaces(plan, made));
  if (!live) return Failure(live.error());
  SourceResolver resolver(kernel, proc, *parent);
  const ResolvedSources sources = resolve_sources(plan, resolver, &*live);
  const DiffReport report{plan, *live, *parent, sources, diff(plan, sources, *live), {}};
  return is_different(report) ? write_text(report) : std::string{};
}

/// The proof: read from outside, the namespaces must be what was planned.
bool prove(Kernel& kernel, const Plan& plan, const ApplyOptions& options, const Fd& proc,
           const std::vector<Fd>& made, Diagnostics& diagnostics) {
  const Result<std::string> found =
      in_parent(kernel, options, [&] { return differences(kernel, plan, proc, made); });
  if (!found) {
    diagnostics.add(Code::E0606, {},
                    "the new namespace cannot be read back: " + found.error().message);
    return false;
  }
  if (found->empty()) return true;
  diagnostics.add(Code::E0606, {}, "the new namespace is not what was planned")
      .note("planned against found:\n" + *found);
  return false;
}

/// Says which overlays this kernel cannot make because it takes all layers at once.
void refuse_overlays(const Plan& plan, Diagnostics& diagnostics) {
  const FeatureInfo& info = describe(Feature::overlay_layers);
  for (const DesiredSuperblock& overlay : plan.superblocks) {
    const auto why = needs_single_layers(overlay);
    if (!why) continue;
    diagnostics
        .add(
            Code::E0614, overlay.span,
            fmt::format("this kernel has no {}, which is in Linux since {}", info.name, info.since))
        .note("it takes all layers at once, and " + *why)
        .help("mount the overlay in the parent, and show it with source = \"parent:/…\"");
  }
}

/// Says that this kernel cannot put a mount into another's peer group.
void refuse_groups(Diagnostics& diagnostics) {
  const FeatureInfo& info = describe(Feature::set_group);
  diagnostics
      .add(Code::E0605, {},
           fmt::format("this kernel has no {}, which is in Linux since {}", info.name, info.since))
      .note("the spec has peer groups of several mounts, or slaves")
      .help("without it mounts can only be `private`, `unbindable`, or `shared` each on its own");
}

/// Says at once what the kernel lacks, instead of failing at the first call.
bool is_supported(Kernel& kernel, const Plan& plan, Diagnostics& diagnostics) {
  const Features features = probe_features(kernel);
  if (!features.has(Feature::overlay_layers)) refuse_overlays(plan, diagnostics);
  if (!features.has(Feature::set_group) && joins_groups(plan)) refuse_groups(diagnostics);
  for (const Feature missing : features.missing_for_apply()) {
    const FeatureInfo& info = describe(missing);
    diagnostics
        .add(
            Code::E0605, {},
            fmt::format("this kernel has no {}, which is in Linux since {}", info.name, info.since))
        .help("on Debian 12: apt-get install linux-image-amd64, and boot it");
  }
  return !diagnostics.has_errors();
}

/// What has to be known of the parent before the first step.
struct ParentState {
  std::optional<MountTable> mounts;  ///< where the plan takes groups of the parent's
};

/// Looks at the parent as far as the plan has to do with what lives there, and says what forbids
/// it.
std::optional<ParentState> look_at_parent(Kernel& kernel, const Plan& plan,
                                          const ApplyOptions& options, const Fd& proc,
                                          Diagnostics& diagnostics) {
  ParentState state;
  if (writes_to_layers(plan)) {
    const Result<void> looked = in_parent(
        kernel, options, [&] { return refuse_live_layers(kernel, plan, proc, diagnostics); });
    if (!looked)
      diagnostics.add(Code::E0604, {}, "cannot look for live overlays: " + looked.error().message);
  }
  if (std::ranges::any_of(plan.groups, is_crossing)) {
    Result<MountTable> mounts =
        in_parent(kernel, options, [&] { return capture_own(kernel, proc); });
    if (mounts) {
      state.mounts = std::move(*mounts);
    } else {
      diagnostics.add(Code::E0604, {},
                      "cannot read the parent's mounts: " + mounts.error().message);
    }
  }
  if (diagnostics.has_errors()) return std::nullopt;
  return state;
}

}  // namespace

std::vector<NamedNamespace> named_namespaces(const Plan& plan, const std::vector<Fd>& namespaces) {
  std::vector<NamedNamespace> named;
  for (std::size_t index = 0; index < namespaces.size(); ++index)
    named.push_back({plan.namespaces[index].name, &namespaces[index]});
  return named;
}

std::optional<Built> apply(Kernel& kernel, const Plan& plan, const ApplyOptions& options,
                           Diagnostics& diagnostics) {
  if (!is_supported(kernel, plan, diagnostics)) return std::nullopt;
  const Result<Ground> ground = prepare(kernel, options);
  if (!ground) {
    diagnostics.add(Code::E0604, {}, "cannot prepare: " + ground.error().message);
    return std::nullopt;
  }
  const auto parent = look_at_parent(kernel, plan, options, ground->proc, diagnostics);
  if (!parent) return std::nullopt;
  const ExecutorSetting setting{ground->proc, ground->id_above,
                                parent->mounts ? &*parent->mounts : nullptr};
  HostMountpoints mountpoints(kernel);
  Executor executor(kernel, plan, setting, mountpoints);
  Result<std::vector<Fd>> made = in_parent(
      kernel, options, [&]() -> Result<std::vector<Fd>> { return executor.run(diagnostics); });
  if (!made)
    diagnostics.add(Code::E0604, {}, "cannot build the namespace: " + made.error().message);
  if (diagnostics.has_errors()) return std::nullopt;
  if (!prove(kernel, plan, options, ground->proc, *made, diagnostics)) return std::nullopt;
  return Built(std::move(*made), std::move(mountpoints));
}

}  // namespace mntcr
