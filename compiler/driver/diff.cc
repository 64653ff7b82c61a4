// mntcr diff WHERE SPEC|PLAN [-f text|json|toml] [-o FILE] [--parent WHERE].
#include "runtime/diff/diff.h"

#include <filesystem>

#include "compiler/driver/commands.h"
#include "compiler/driver/live.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "runtime/kernel/linux_kernel.h"

namespace mntcr::driver {
namespace {

namespace fs = std::filesystem;

DiffForm form_of(const Options& options) {
  if (options.form) return *options.form;
  const fs::path ending = fs::path(options.output.value_or("")).extension();
  if (ending == ".toml") return DiffForm::toml;
  return ending == ".json" ? DiffForm::json : DiffForm::text;
}

/// The spec's path as the delta shall name it: relative to the delta's file, or to the working
/// directory.
std::string extends_path(const Options& options) {
  const bool to_file = options.output && *options.output != "-";
  const fs::path from = to_file ? fs::absolute(*options.output).parent_path() : fs::current_path();
  const fs::path spec = fs::absolute(options.input).lexically_normal();
  return spec.lexically_relative(from.lexically_normal()).string();
}

std::string written(const DiffReport& report, DiffForm form) {
  switch (form) {
    case DiffForm::text:
      return write_text(report);
    case DiffForm::json:
      return write_json(report);
    case DiffForm::toml:
      return write_toml(report);
  }
  return {};
}

int compare(const Options& options, const Plan& plan, Diagnostics& diagnostics) {
  const std::unique_ptr<Kernel> kernel = make_linux_kernel();
  std::string text;
  bool differs = false;
  const bool as_spec = form_of(options) == DiffForm::toml;
  const LiveDepth depth = as_spec ? LiveDepth::inodes : LiveDepth::mounts;
  const bool read = view_live(*kernel, options, depth, diagnostics, [&](const LiveView& view) {
    SourceResolver resolver(view.kernel, view.proc, view.parent);
    const std::vector<Change> changes = diff(plan, resolve_sources(plan, resolver), view.live);
    differs = !changes.empty();
    text =
        written({plan, view.live, view.parent, changes, extends_path(options)}, form_of(options));
  });
  if (!read || !deliver(options, text, diagnostics)) return exit_trouble;
  return differs ? exit_found : exit_ok;
}

}  // namespace

int run_diff(const Options& options) {
  Diagnostics diagnostics;
  const Loaded loaded = load_any(options.input, options.settings, options.search, diagnostics);
  const int code = loaded.plan ? compare(options, *loaded.plan, diagnostics) : exit_trouble;
  print_messages(options, diagnostics, loaded.sources);
  return code;
}

}  // namespace mntcr::driver
