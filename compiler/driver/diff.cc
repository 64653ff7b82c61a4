// mntcr diff WHERE... SPEC|PLAN [-f text|json|toml] [-o FILE] [--parent WHERE].
#include "runtime/diff/diff.h"

#include <fmt/chrono.h>
#include <sys/utsname.h>

#include <chrono>
#include <ctime>
#include <filesystem>

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

/// The spec's path as the delta shall name it: relative to the delta's file, or to the working
/// directory. A plan is taken to lie beside the spec that it was made from.
std::string extends_path(const Options& options, const Loaded& loaded) {
  const bool to_file = options.output && *options.output != "-";
  const fs::path from = to_file ? fs::absolute(*options.output).parent_path() : fs::current_path();
  fs::path spec = fs::absolute(options.input).lexically_normal();
  if (loaded.from_plan) spec.replace_filename(loaded.sources.texts().front().name);
  return spec.lexically_relative(from.lexically_normal()).string();
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
  LiveDemand demand{as_spec ? LiveDepth::inodes : LiveDepth::mounts};
  for (const DesiredNamespace& desired : plan.namespaces) demand.namespaces.push_back(desired.name);
  const bool read = view_live(*kernel, options, demand, diagnostics, [&](const LiveView& view) {
    SourceResolver resolver(view.kernel, view.proc, view.parent);
    const DiffReport report{plan,
                            view.live,
                            view.parent,
                            diff(plan, resolve_sources(plan, resolver, &view.live), view.live),
                            extends_path(options, loaded),
                            checkpoint_record(loaded)};
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
