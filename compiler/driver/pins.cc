// mntcr list and mntcr delete NAME.
#include <fmt/format.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/messages.h"
#include "runtime/apply/pin.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/kernel/linux_kernel.h"

namespace mntcr::driver {
namespace {

/// The namespace's id, "-" where the kernel tells none, "stale" for a file that no namespace is
/// bound to.
std::string id_words(const PinnedNamespace& pinned) {
  if (!pinned.alive) return "stale";
  return pinned.id == 0 ? "-" : std::to_string(pinned.id);
}

}  // namespace

int run_list(const Options& options) {
  const std::unique_ptr<Kernel> linux_kernel = make_linux_kernel();
  Kernel& kernel = *linux_kernel;
  const Result<std::vector<PinnedContainer>> pins = list_pins(kernel);
  if (!pins) {
    Diagnostics diagnostics;
    diagnostics.add(Code::E0702, {}, "cannot read the pins: " + pins.error().message);
    print_messages(options, diagnostics, {});
    return exit_trouble;
  }
  for (const PinnedContainer& container : *pins) {
    for (const PinnedNamespace& pinned : container.namespaces) {
      fmt::print("{}\t{}\t{}\t{}\n", container.name, path::printable(pinned.name), id_words(pinned),
                 path::printable(pinned.path));
    }
  }
  return exit_ok;
}

int run_delete(const Options& options) {
  const std::unique_ptr<Kernel> linux_kernel = make_linux_kernel();
  Kernel& kernel = *linux_kernel;
  Diagnostics diagnostics;
  bool removed = false;
  if (is_container_name(options.input)) {
    removed = remove_pin(kernel, options.input, diagnostics);
  } else {
    diagnostics.add(Code::E0701, {},
                    fmt::format("`{}` is no name of a container", path::printable(options.input)));
  }
  print_messages(options, diagnostics, {});
  return removed ? exit_ok : exit_trouble;
}

}  // namespace mntcr::driver
