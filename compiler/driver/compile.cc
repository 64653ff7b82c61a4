// mntcr compile SPEC [-o FILE] and mntcr check SPEC.
#include <fmt/format.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/prove.h"
#include "compiler/planner/emit.h"
#include "runtime/base/path.h"

namespace mntcr::driver {
namespace {

constexpr const char* default_output = "plan.bin";
constexpr const char* flawed_suffix = ".flawed";

/// A spec that cannot be read is trouble; one that is wrong is the answer to the question.
int exit_code(const Loaded& loaded) {
  if (loaded.plan) return exit_ok;
  return loaded.sources.texts().empty() ? exit_trouble : exit_found;
}

}  // namespace

int run_compile(const Options& options) {
  Diagnostics diagnostics;
  const Loaded loaded = load_spec(options.input, options.settings, options.search, diagnostics);
  int code = exit_code(loaded);
  const std::string output = options.output.value_or(default_output);
  if (loaded.plan && !prove(*loaded.plan, output + flawed_suffix, diagnostics)) {
    code = exit_trouble;
  } else if (loaded.plan && options.command == Command::compile) {
    if (const auto written = write_file(output, emit_plan(*loaded.plan)); !written) {
      diagnostics.add(
          Code::E0506, {},
          fmt::format("cannot write {}: {}", path::printable(output), written.error().message));
      code = exit_trouble;
    }
  }
  print_messages(options, diagnostics, loaded.sources);
  return code;
}

}  // namespace mntcr::driver
