#include "compiler/driver/pipeline.h"

#include <fmt/format.h>

#include <filesystem>
#include <span>

#include "compiler/driver/files.h"
#include "compiler/layout/layout.h"
#include "compiler/planner/planner.h"
#include "compiler/syntax/syntax_tree.h"
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

/// Specs are called by their file name, so that a plan does not depend on where it was compiled.
std::string name_of(const std::string& path) {
  return path == "-" ? "<stdin>" : std::filesystem::path(path).filename().string();
}

Loaded compile_loaded(const std::string& path, std::string text,
                      const std::vector<spec::ParamSetting>& settings, Diagnostics& diagnostics) {
  Loaded loaded;
  loaded.plan = compile_text(name_of(path), std::move(text), settings, loaded.sources, diagnostics);
  return loaded;
}

}  // namespace

// Errors stop the way between phases, never inside one: every phase says all that it finds.
std::optional<Plan> compile_text(std::string name, std::string text,
                                 const std::vector<spec::ParamSetting>& settings,
                                 SourceMap& sources, Diagnostics& diagnostics) {
  const FileId file = sources.add(std::move(name), std::move(text));
  const auto tree = syntax::parse(sources, file, diagnostics);
  if (!tree) return std::nullopt;
  const auto spec = spec::decode(*tree, settings, diagnostics);
  if (!spec) return std::nullopt;
  const auto layout = lay_out(*spec, diagnostics);
  if (!layout) return std::nullopt;
  return plan_layout(*layout, sources);
}

Loaded load_spec(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                 Diagnostics& diagnostics) {
  std::optional<std::string> text = read_or_complain(path, diagnostics);
  if (!text) return {};
  return compile_loaded(path, std::move(*text), settings, diagnostics);
}

Loaded load_any(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                Diagnostics& diagnostics) {
  std::optional<std::string> text = read_or_complain(path, diagnostics);
  if (!text) return {};
  const auto bytes = std::as_bytes(std::span(*text));
  if (!looks_like_plan(bytes)) return compile_loaded(path, std::move(*text), settings, diagnostics);
  Loaded loaded;
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
