#include "compiler/driver/commands.h"

namespace mntcr::driver {

int run(int argc, const char* const* argv) {
  const ParsedCommandLine parsed = parse_command_line(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  switch (parsed.options->command) {
    case Command::compile:
    case Command::check:
      return run_compile(*parsed.options);
    case Command::show:
      return run_show(*parsed.options);
    case Command::apply:
      return run_apply(*parsed.options);
    case Command::diff:
      return run_diff(*parsed.options);
    case Command::capture:
      return run_capture(*parsed.options);
    case Command::flatten:
      return run_flatten(*parsed.options);
    case Command::list:
      return run_list(*parsed.options);
    case Command::remove:
      return run_delete(*parsed.options);
    case Command::explain:
      return run_explain(*parsed.options);
    case Command::features:
      return run_features(*parsed.options);
  }
  return exit_trouble;
}

}  // namespace mntcr::driver
