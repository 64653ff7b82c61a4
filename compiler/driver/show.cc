// mntcr show SPEC|PLAN [--tree|--dot|--json].
#include "runtime/plan/show.h"

#include <fmt/format.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"

namespace mntcr::driver {
namespace {

std::string shown(const Plan& plan, ShowForm form) {
  switch (form) {
    case ShowForm::steps:
      return show_text(plan);
    case ShowForm::tree:
      return show_tree(plan);
    case ShowForm::dot:
      return show_dot(plan);
    case ShowForm::json:
      return show_json(plan);
  }
  return {};
}

}  // namespace

int run_show(const Options& options) {
  Diagnostics diagnostics;
  const Loaded loaded = load_any(options.input, options.settings, options.search, diagnostics);
  print_messages(options, diagnostics, loaded.sources);
  if (!loaded.plan) return exit_trouble;
  fmt::print("{}", shown(*loaded.plan, options.show));
  return exit_ok;
}

}  // namespace mntcr::driver
