// mntcr flatten SPEC|PLAN [-o FILE].
#include "compiler/driver/commands.h"
#include "compiler/driver/live.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "runtime/diff/diff.h"

namespace mntcr::driver {

int run_flatten(const Options& options) {
  Diagnostics diagnostics;
  const Loaded loaded = load_any(options.input, options.settings, options.search, diagnostics);
  const bool good = loaded.plan && deliver(options, write_flat(*loaded.plan), diagnostics);
  print_messages(options, diagnostics, loaded.sources);
  return good ? exit_ok : exit_trouble;
}

}  // namespace mntcr::driver
