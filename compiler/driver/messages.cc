#include "compiler/driver/messages.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace mntcr::driver {

void print_messages(const Options& options, Diagnostics& diagnostics, const SourceMap& sources) {
  diagnostics.sort();
  const char* no_colour = std::getenv("NO_COLOR");
  const bool colour = ::isatty(STDERR_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
  const std::string text = options.messages == MessageFormat::json
                               ? render_json(diagnostics, sources)
                               : render_text(diagnostics, sources, {.colour = colour});
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace mntcr::driver
