#include "compiler/driver/pipeline.h"

#include <fmt/format.h>

#include <filesystem>
#include <span>
#include <system_error>

#include "compiler/driver/files.h"
#include "compiler/layout/layout.h"
#include "compiler/planner/planner.h"
#include "runtime/base/path.h"
#include "runtime/plan/reader.h"

namespace mntcr::driver {
namespace {

std::optional<std::string> read_or_complain(const std::string& path, Diagnostics& diagnostics) {
  Result<std::string> text = read_file(path);
  if (text) return std::move(*text);
  diagnostics.add(Code::E0102, {},
                  fmt::format("cannot read {}: {}", path::printable(path), text.error().message));
  return std::nullopt;
}

/// A spec read from `path`. It is called by its file name, so that a plan does not depend on where
/// it was compiled.
spec::SpecInput input_of(const std::string& path, std::string text,
                         const std::vector<std::string>& search) {
  const std::filesystem::path file(path);
  const bool is_stdin = path == "-";
  std::error_code unknown;  // the working directory may be gone
  const auto absolute = std::filesystem::absolute(file, unknown);
  return {.name = is_stdin ? std::string(stdin_name) : file.filename().string(),
          .text = std::move(text),
          .folder = is_stdin ? "" : (unknown ? file : absolute).parent_path().string(),
          .search = search,
          .read = [](const std::string& base) { return read_file(base == "-" ? "./-" : base); }};
}

Loaded compile_loaded(const spec::SpecInput& input, const std::vector<spec::ParamSetting>& settings,
                      Diagnostics& diagnostics) {
  Loaded loaded;
  loaded.plan = compile_spec(input, settings, loaded.sources, diagnostics);
  return loaded;
}

}  // namespace

// Errors stop the way between phases, never inside one: every phase says all that it finds.
std::optional<Plan> compile_spec(const spec::SpecInput& input,
                                 const std::vector<spec::ParamSetting>& settings,
                                 SourceMap& sources, Diagnostics& diagnostics) {
  const auto files = spec::read_spec_files(input, sources, diagnostics);
  if (!files) return std::nullopt;
  const auto spec = spec::decode(*files, settings, diagnostics);
  if (!spec) return std::nullopt;
  const auto layout = lay_out(*spec, diagnostics);
  if (!layout) return std::nullopt;
  Plan plan = plan_layout(*layout, sources);
  for (const spec::ParamSetting& setting : settings)
    plan.settings.push_back({setting.key, setting.value});
  return plan;
}

std::optional<Plan> compile_text(std::string name, std::string text,
                                 const std::vector<spec::ParamSetting>& settings,
                                 SourceMap& sources, Diagnostics& diagnostics) {
  const spec::SpecInput input{
      .name = std::move(name), .text = std::move(text), .folder = {}, .search = {}, .read = {}};
  return compile_spec(input, settings, sources, diagnostics);
}

Loaded load_spec(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                 const std::vector<std::string>& search, Diagnostics& diagnostics) {
  std::optional<std::string> text = read_or_complain(path, diagnostics);
  if (!text) return {};
  return compile_loaded(input_of(path, std::move(*text), search), settings, diagnostics);
}

Loaded load_any(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                const std::vector<std::string>& search, Diagnostics& diagnostics) {
  std::optional<std::string> text = read_or_complain(path, diagnostics);
  if (!text) return {};
  const auto bytes = std::as_bytes(std::span(*text));
  if (!looks_like_plan(bytes)) {
    return compile_loaded(input_of(path, std::move(*text), search), settings, diagnostics);
  }
  Loaded loaded;
  loaded.from_plan = true;
  loaded.plan = read_plan(bytes, path, diagnostics);
  if (loaded.plan) loaded.sources = loaded.plan->sources;
  if (loaded.plan && !settings.empty()) {
    diagnostics
        .add(Code::E0505, {}, "--set has no effect on a plan: its parameters are replaced already")
        .help("compile the spec with --set");
    loaded.plan.reset();
  }
  return loaded;
}

}  // namespace mntcr::driver
