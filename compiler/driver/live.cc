#include "compiler/driver/live.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>
#include <utility>

#include "compiler/driver/container.h"
#include "compiler/driver/files.h"
#include "compiler/driver/where.h"
#include "runtime/apply/new_namespace.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/container.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr::driver {
namespace {

using Work = std::function<void(const LiveView&)>;

Result<MountTable> read_container(Kernel& kernel, const Fd& proc, OpenContainer& container,
                                  LiveDepth depth, const MountTable& parent) {
  const auto complete = [&](const Fd& ns, MountTable& table) {
    return survey(kernel, proc, ns, depth, parent, table);
  };
  Result<MountTable> live = capture_container(kernel, proc, container.named(), complete);
  while (live && container.add_bound(*live))
    live = capture_container(kernel, proc, container.named(), complete);
  return live;
}

Result<void> read_here(Kernel& kernel, OpenContainer& container, LiveDepth depth,
                       const Work& work) {
  const Result<Fd> proc = open_proc(kernel);
  if (!proc) return Failure(proc.error());
  const Result<Fd> own = open_own_namespace(kernel, *proc);
  if (!own) return Failure(own.error());
  const Result<MountTable> parent = capture(kernel, *proc, *own);
  if (!parent) return in_context("the parent namespace", parent.error());
  const Result<MountTable> live = read_container(kernel, *proc, container, depth, *parent);
  if (!live) return Failure(live.error());
  work({kernel, *proc, *parent, *live});
  return {};
}

/// The parent namespace: that of --parent, else the caller's.
Result<Fd> open_parent(Kernel& kernel, const Options& options) {
  if (!options.parent.empty()) {
    Result<Fd> parent = open_where(kernel, options.parent);
    return parent ? std::move(parent) : Result<Fd>(in_context("--parent", parent.error()));
  }
  const Result<Fd> proc = open_proc(kernel);
  if (!proc) return Failure(proc.error());
  return open_own_namespace(kernel, *proc);
}

Result<void> read_in_parent(Kernel& kernel, const Options& options, const Fd& parent,
                            OpenContainer& container, LiveDepth depth, const Work& work) {
  if (options.parent.empty()) return read_here(kernel, container, depth, work);
  return run_in_thread([&]() -> Result<void> {
    Result<void> moved = enter_mount_namespace(kernel, parent.get());
    return moved ? read_here(kernel, container, depth, work) : moved;
  });
}

void cannot_read(const Error& error, Diagnostics& diagnostics) {
  diagnostics.add(Code::E0702, {}, "cannot read the live mounts: " + error.message);
}

}  // namespace

bool view_live(Kernel& kernel, const Options& options, const LiveDemand& demand,
               Diagnostics& diagnostics, const Work& work) {
  const auto words = parse_where(options.where, diagnostics);
  if (!words) return false;
  const Result<Fd> parent = open_parent(kernel, options);
  if (!parent) {
    cannot_read(parent.error(), diagnostics);
    return false;
  }
  std::optional<OpenContainer> container =
      OpenContainer::open(kernel, *words, *parent, demand.namespaces, diagnostics);
  if (!container) return false;
  const Result<void> read =
      read_in_parent(kernel, options, *parent, *container, demand.depth, work);
  if (!read) cannot_read(read.error(), diagnostics);
  container->report(diagnostics);
  return read.has_value();
}

bool deliver(const Options& options, const std::string& text, Diagnostics& diagnostics) {
  const std::string output = options.output.value_or("-");
  const Result<void> done = write_file(output, text);
  if (!done) {
    diagnostics.add(
        Code::E0506, {},
        fmt::format("cannot write {}: {}", path::printable(output), done.error().message));
  }
  return done.has_value();
}

}  // namespace mntcr::driver
