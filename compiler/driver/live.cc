#include "compiler/driver/live.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/driver/files.h"
#include "compiler/driver/where.h"
#include "runtime/apply/new_namespace.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr::driver {
namespace {

using Work = std::function<void(const LiveView&)>;

Result<void> read_here(Kernel& kernel, const Fd& where, LiveDepth depth, const Work& work) {
  const Result<Fd> proc = open_proc(kernel);
  if (!proc) return Failure(proc.error());
  const Result<Fd> own = open_own_namespace(kernel, *proc);
  if (!own) return Failure(own.error());
  const Result<MountTable> parent = capture(kernel, *proc, *own);
  if (!parent) return in_context("the parent namespace", parent.error());
  Result<MountTable> live = capture(kernel, *proc, where);
  if (!live) return Failure(live.error());
  Result<void> surveyed = survey(kernel, *proc, where, depth, *parent, *live);
  if (!surveyed) return surveyed;
  work({kernel, *proc, *parent, *live});
  return {};
}

Result<void> read_in_parent(Kernel& kernel, const Options& options, const Fd& where,
                            LiveDepth depth, const Work& work) {
  if (options.parent.empty()) return read_here(kernel, where, depth, work);
  const Result<Fd> parent = open_where(kernel, options.parent);
  if (!parent) return in_context("--parent", parent.error());
  return run_in_thread([&]() -> Result<void> {
    Result<void> moved = enter_mount_namespace(kernel, parent->get());
    return moved ? read_here(kernel, where, depth, work) : moved;
  });
}

}  // namespace

bool view_live(Kernel& kernel, const Options& options, LiveDepth depth, Diagnostics& diagnostics,
               const Work& work) {
  const Result<Fd> where = open_where(kernel, options.where);
  if (!where) {
    diagnostics.add(Code::E0701, {}, where.error().message).help("mntcr list shows what is pinned");
    return false;
  }
  const Result<void> read = read_in_parent(kernel, options, *where, depth, work);
  if (!read) {
    diagnostics.add(Code::E0702, {}, "cannot read the live mounts: " + read.error().message);
  }
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
