// mntcr apply PLAN|SPEC [--pin NAME] [--dry-run] [--parent WHERE] [-- CMD…].
#include "runtime/apply/apply.h"

#include <fmt/format.h>

#include <cerrno>

#include "compiler/driver/commands.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/process.h"
#include "compiler/driver/prove.h"
#include "compiler/driver/where.h"
#include "runtime/apply/pin.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/kernel/linux_kernel.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr::driver {
namespace {

/// The name to pin under; empty for no pin. Without a command the namespace would be gone at once,
/// so it is pinned under the spec's name.
std::string pin_name(const Options& options, const Plan& plan) {
  if (options.dry_run) return {};
  if (!options.pin.empty() || !options.argv.empty()) return options.pin;
  return plan.name;
}

/// Whether the name can be had, told before anything is built.
bool is_free(Kernel& kernel, const std::string& name, Diagnostics& diagnostics) {
  if (name.empty()) return true;
  if (!is_container_name(name)) {
    diagnostics
        .add(Code::E0704, {}, fmt::format("`{}` is no name for a container", path::printable(name)))
        .help("a name is of a-z, 0-9, _ and -, and begins with a letter or digit");
    return false;
  }
  if (!is_pinned(kernel, name)) return true;
  diagnostics.add(Code::E0703, {}, fmt::format("a container named `{}` is pinned already", name))
      .help(fmt::format("take another name with --pin, or remove it: mntcr delete {}", name));
  return false;
}

/// The parent namespace that was asked for; an empty Fd is the caller's. Nothing on failure.
std::optional<Fd> open_parent(Kernel& kernel, const Options& options, Diagnostics& diagnostics) {
  if (options.parent.empty()) return Fd();
  Result<Fd> found = open_where(kernel, options.parent);
  if (found) return std::move(*found);
  diagnostics.add(Code::E0701, {}, "--parent: " + found.error().message);
  return std::nullopt;
}

/// Builds and, where asked for, pins. Empty on failure.
std::optional<Built> build(Kernel& kernel, const Options& options, const Plan& plan,
                           Diagnostics& diagnostics) {
  const std::string name = pin_name(options, plan);
  if (!is_free(kernel, name, diagnostics)) return std::nullopt;
  const std::optional<Fd> parent = open_parent(kernel, options, diagnostics);
  if (!parent) return std::nullopt;
  const BuildingProcess building;
  std::optional<Built> built =
      apply(kernel, plan, {.parent = parent->get(), .for_pinning = !name.empty()}, diagnostics);
  if (!built) return std::nullopt;
  if (!name.empty() && !pin(kernel, name, built->ns(), diagnostics)) return std::nullopt;
  if (!name.empty() && options.argv.empty()) fmt::print("{}\n", pin_path(name));
  if (!options.dry_run) built->keep();
  return built;
}

/// Runs the command in the namespace; returns only when that fails.
int run_command(Kernel& kernel, const Options& options, const Fd& ns, Diagnostics& diagnostics) {
  if (const auto entered = enter_mount_namespace(kernel, ns.get()); !entered) {
    diagnostics.add(Code::E0706, {}, "cannot enter the namespace: " + entered.error().message);
    return exit_no_command;
  }
  const Error error = become(options.argv);
  diagnostics.add(
      Code::E0706, {},
      fmt::format("cannot run {}: {}", path::printable(options.argv.front()), error.message));
  if (error.number == ENOENT) return exit_not_found;
  return error.number == 0 ? exit_no_command : exit_cannot_run;
}

}  // namespace

int run_apply(const Options& options) {
  const std::unique_ptr<Kernel> linux_kernel = make_linux_kernel();
  Kernel& kernel = *linux_kernel;
  Diagnostics diagnostics;
  const Loaded loaded = load_any(options.input, options.settings, options.search, diagnostics);
  int code = options.argv.empty() ? exit_trouble : exit_no_command;
  // A plan from a file was proven when it was written.
  if (loaded.plan && (loaded.from_plan || prove(*loaded.plan, "plan.flawed", diagnostics))) {
    const std::optional<Built> built = build(kernel, options, *loaded.plan, diagnostics);
    if (built) code = exit_ok;
    if (built && !options.dry_run && !options.argv.empty()) {
      print_messages(options, diagnostics, loaded.sources);
      diagnostics = {};
      code = run_command(kernel, options, built->ns(), diagnostics);
    }
  }
  print_messages(options, diagnostics, loaded.sources);
  return code;
}

}  // namespace mntcr::driver
