// mntcr capture WHERE... [-o FILE] [--name NAME] [--parent WHERE].
#include "runtime/capture/capture.h"

#include <filesystem>

#include "compiler/driver/commands.h"
#include "compiler/driver/live.h"
#include "compiler/driver/messages.h"
#include "runtime/base/name.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/linux_kernel.h"

namespace mntcr::driver {
namespace {

/// The spec's name: what was asked for, else that of the pin, else a plain word; never the PID, so
/// that the text is the same whoever runs in the namespace.
std::string name_of(const Options& options) {
  if (!options.pin.empty()) return options.pin;
  const std::string& where = options.where.front();
  const bool is_pid = where.find_first_not_of("0123456789") == std::string::npos;
  return !is_pid && is_container_name(where) ? where : "captured";
}

}  // namespace

int run_capture(const Options& options) {
  Diagnostics diagnostics;
  const std::unique_ptr<Kernel> kernel = make_linux_kernel();
  std::string text;
  bool good = is_container_name(name_of(options));
  if (!good) {
    diagnostics.add(Code::E0704, {}, "--name: this is no name for a container")
        .help("a name is of a-z, 0-9, _ and -, and begins with a letter or digit");
  }
  good = good && view_live(*kernel, options, {.depth = LiveDepth::inodes}, diagnostics,
                           [&](const LiveView& view) {
                             text = write_spec(name_of(options), view.live, view.parent);
                           });
  good = good && deliver(options, text, diagnostics);
  print_messages(options, diagnostics, {});
  return good ? exit_ok : exit_trouble;
}

}  // namespace mntcr::driver
