// The way from a file on disk to a Plan: the compiler's phases as one list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spec/decode.h"
#include "runtime/base/diagnostic.h"
#include "runtime/plan/plan.h"

namespace mntcr::driver {

/// What messages and plans call a spec that came by stdin.
inline constexpr std::string_view stdin_name = "<stdin>";

/// What was loaded. `sources` holds the texts that the diagnostics point into, also when there is
/// no plan.
struct Loaded {
  std::optional<Plan> plan;
  SourceMap sources;
  bool from_plan = false;  ///< the file was a plan, not a spec
};

/// Compiles a spec and what it extends. A pure function of its arguments and of what `input.read`
/// gives; `sources` must be empty.
std::optional<Plan> compile_spec(const spec::SpecInput& input,
                                 const std::vector<spec::ParamSetting>& settings,
                                 SourceMap& sources, Diagnostics& diagnostics);

/// The same for one text, which can extend nothing; `name` is how messages and the plan call it.
std::optional<Plan> compile_text(std::string name, std::string text,
                                 const std::vector<spec::ParamSetting>& settings,
                                 SourceMap& sources, Diagnostics& diagnostics);

/// Reads and compiles the spec at `path`; "-" is stdin. `search` are the folders of -I.
Loaded load_spec(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                 const std::vector<std::string>& search, Diagnostics& diagnostics);

/// Reads the file at `path`, a plan or a spec, whichever it is.
Loaded load_any(const std::string& path, const std::vector<spec::ParamSetting>& settings,
                const std::vector<std::string>& search, Diagnostics& diagnostics);

}  // namespace mntcr::driver
