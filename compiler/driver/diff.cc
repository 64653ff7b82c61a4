// mntcr diff WHERE SPEC|PLAN [-f text|json|toml] [-o FILE] [--parent WHERE].
#include "runtime/diff/diff.h"

#include <fmt/chrono.h>
#include <sys/utsname.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "compiler/driver/commands.h"
#include "compiler/driver/live.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "compiler/spec/digest.h"
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

/// The file that was compiled, or that the plan says it was made from.
std::string spec_name(const Options& options, const Loaded& loaded) {
  if (!loaded.from_plan || loaded.sources.texts().empty()) return options.input;
  return loaded.sources.texts().front().name;
}

/// Complains where a delta could extend nothing: what came by stdin is no file.
bool check_extends(const Options& options, const Loaded& loaded, Diagnostics& diagnostics) {
  const bool from_stdin = options.input == "-" || spec_name(options, loaded) == stdin_name;
  if (from_stdin) {
    diagnostics.add(Code::E0619, {}, "a delta extends the spec's file, and this spec came by stdin")
        .help("write the spec to a file and compare with that; or take -f text or -f json");
  }
  return !from_stdin;
}

/// The spec's path as the delta shall name it: relative to the delta's file, or to the working
/// directory; as it was given where that directory is gone. A plan is taken to lie beside the spec
/// that it was made from.
std::string extends_path(const Options& options, const Loaded& loaded) {
  std::error_code lost;
  const bool to_file = options.output && *options.output != "-";
  const fs::path from =
      to_file ? fs::absolute(*options.output, lost).parent_path() : fs::current_path(lost);
  fs::path spec = fs::absolute(options.input, lost);
  if (lost) spec = options.input;
  if (loaded.from_plan) spec.replace_filename(spec_name(options, loaded));
  spec = spec.lexically_normal();
  const fs::path relative = spec.lexically_relative(from.lexically_normal());
  return from.empty() || relative.empty() ? spec.string() : relative.string();
}

/// This moment in UTC, as TOML writes it.
std::string time_now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:%FT%TZ}", utc);
}

CheckpointRecord checkpoint_record(const Loaded& loaded) {
  CheckpointRecord record;
  record.digest = spec::base_digest(loaded.sources).value_or("");
  record.sequence = spec::base_sequence(loaded.sources) + 1;
  record.time = time_now();
  utsname system{};
  if (::uname(&system) == 0) {
    record.host = static_cast<const char*>(system.nodename);
    record.kernel = static_cast<const char*>(system.release);
  }
  record.settings = loaded.plan->settings;
  return record;
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

int compare(const Options& options, const Loaded& loaded, Diagnostics& diagnostics) {
  const Plan& plan = *loaded.plan;
  const std::unique_ptr<Kernel> kernel = make_linux_kernel();
  std::string text;
  bool differs = false;
  const bool as_spec = form_of(options) == DiffForm::toml;
  if (as_spec && !check_extends(options, loaded, diagnostics)) return exit_trouble;
  const LiveDepth depth = as_spec ? LiveDepth::inodes : LiveDepth::mounts;
  const bool read = view_live(*kernel, options, depth, diagnostics, [&](const LiveView& view) {
    SourceResolver resolver(view.kernel, view.proc, view.parent);
    DiffReport report{plan, view.live, view.parent,
                      diff(plan, resolve_sources(plan, resolver, &view.live), view.live),
                      extends_path(options, loaded)};
    if (as_spec) report.checkpoint = checkpoint_record(loaded);
    differs = !report.changes.empty();
    text = written(report, form_of(options));
  });
  if (!read || !deliver(options, text, diagnostics)) return exit_trouble;
  return differs ? exit_found : exit_ok;
}

}  // namespace

int run_diff(const Options& options) {
  Diagnostics diagnostics;
  const Loaded loaded = load_any(options.input, options.settings, options.search, diagnostics);
  const int code = loaded.plan ? compare(options, loaded, diagnostics) : exit_trouble;
  print_messages(options, diagnostics, loaded.sources);
  return code;
}

}  // namespace mntcr::driver
