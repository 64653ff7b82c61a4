// WHERE on the command line: a PID, a mount-namespace file, the name of a pinned container, or
// several words NAME=WHERE, one for each namespace of a container.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/diagnostic.h"
#include "runtime/base/result.h"
#include "runtime/kernel/kernel.h"

namespace mntcr::driver {

/// A word of WHERE.
struct WhereWord {
  std::string name;  ///< what NAME=WHERE calls the namespace; empty without a name
  std::string where;
};

/// What the words say: one without a name, or one with a name for each namespace, `main` first and
/// the others by name. Says in `diagnostics` what is wrong with them; then the answer is nothing.
std::optional<std::vector<WhereWord>> parse_where(const std::vector<std::string>& words,
                                                  Diagnostics& diagnostics);

/// The PID that `where` is, 0 when it is none.
int as_pid(const std::string& where);

/// Opens the one namespace that `where` names. All digits are a PID; what holds a "/" is a file;
/// else it is a name, and of that container the namespace `main`.
Result<Fd> open_where(Kernel& kernel, const std::string& where);

}  // namespace mntcr::driver
