#include "compiler/driver/prove.h"

#include <fmt/format.h>

#include "compiler/driver/files.h"
#include "compiler/planner/emit.h"
#include "compiler/proof/proof.h"
#include "runtime/base/path.h"

namespace mntcr::driver {

bool prove(const Plan& plan, const std::string& reproducer, Diagnostics& diagnostics) {
  const auto flaw = find_flaw(plan);
  if (!flaw) return true;
  Diagnostic& item =
      diagnostics.add(Code::E0507, {}, "the plan of this spec would not do what the spec says");
  item.note(*flaw);
  if (write_file(reproducer, emit_plan(plan))) {
    item.help(fmt::format("this is an error of mntcr's; please report it with the file {}",
                          path::printable(reproducer)));
  } else {
    item.help("this is an error of mntcr's; please report it with the spec");
  }
  return false;
}

}  // namespace mntcr::driver
