// The way from a file on disk to a Plan: the compiler's phases as one list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/decode.h"
#include "runtime/base/diagnostic.h"
#include "runtime/plan/plan.h"

namespace mntcr::driver {

/// What was loaded. `sources` holds the texts that the diagnostics point into, also when there is
/// no plan.
struct Loaded {
  std::optional<Plan> plan;
  SourceMap sources;
};

/// Compiles the text of a spec; `name` is how messages and the plan call it. A pure function of its
/// arguments.
std::optional<Plan> compile_text(std::string name, std::string text,
                                 const std::vector<spec::ParamSetting>& settings,
                                 SourceMap& sources, Diagnostics& diagnostics);

/// Reads and compiles the spec at `path`; "-" is stdin.
Loaded load_spec(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                 Diagnostics& diagnostics);

/// Reads the file at `path`, a plan or a spec, whichever it is.
Loaded load_any(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                Diagnostics& diagnostics);

}  // namespace mntcr::driver
