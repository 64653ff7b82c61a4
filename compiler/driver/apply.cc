// mntcr apply PLAN|SPEC [--pin NAME] [--dry-run] [--parent WHERE] [--namespace NAME] [-- CMD…].
#include "runtime/apply/apply.h"

#include <fmt/format.h>

#include <algorithm>
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

/// The number of the namespace that the command shall run in. Nothing when the plan has none of
/// that name.
std::optional<std::size_t> find_namespace(const Options& options, const Plan& plan,
                                          Diagnostics& diagnostics) {
  if (options.run_in.empty()) return 0;
  const auto found = std::ranges::find(plan.namespaces, options.run_in, &DesiredNamespace::name);
  if (found != plan.namespaces.end())
    return static_cast<std::size_t>(found - plan.namespaces.begin());
  std::string names;
  for (const DesiredNamespace& ns : plan.namespaces)
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", path::printable(ns.name));
  diagnostics
      .add(Code::E0625, {},
           fmt::format("--namespace: `{}` is no namespace of {}", path::printable(options.run_in),
                       path::printable(plan.name)))
      .note("its namespaces are " + names);
  return std::nullopt;
}

/// Pins all namespaces, and prints where they are when there is nothing else to be done.
bool pin_all(Kernel& kernel, const Options& options, const Plan& plan, const std::string& name,
             const Built& built, Diagnostics& diagnostics) {
  if (!pin(kernel, name, named_namespaces(plan, built.namespaces()), diagnostics)) return false;
  if (!options.argv.empty()) return true;
  for (const DesiredNamespace& ns : plan.namespaces) fmt::print("{}\n", pin_path(name, ns.name));
  return true;
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
  if (!name.empty() && !pin_all(kernel, options, plan, name, *built, diagnostics))
    return std::nullopt;
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
  const auto run_in = loaded.plan ? find_namespace(options, *loaded.plan, diagnostics)
                                  : std::optional<std::size_t>();
  // A plan from a file was proven when it was written.
  if (run_in && (loaded.from_plan || prove(*loaded.plan, "plan.flawed", diagnostics))) {
    const std::optional<Built> built = build(kernel, options, *loaded.plan, diagnostics);
    if (built) code = exit_ok;
    if (built && !options.dry_run && !options.argv.empty()) {
      print_messages(options, diagnostics, loaded.sources);
      diagnostics = {};
      code = run_command(kernel, options, built->ns(*run_in), diagnostics);
    }
  }
  print_messages(options, diagnostics, loaded.sources);
  return code;
}

}  // namespace mntcr::driver
