#include "compiler/driver/where.h"

#include <fmt/format.h>

#include <charconv>

#include "runtime/apply/pin.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"

namespace mntcr::driver {
namespace {

/// The PID that `where` is, 0 when it is none.
int as_pid(const std::string& where) {
  int pid = 0;
  const char* end = where.data() + where.size();
  const auto [stopped, error] = std::from_chars(where.data(), end, pid);
  return error == std::errc{} && stopped == end && pid > 0 ? pid : 0;
}

}  // namespace

Result<Fd> open_where(Kernel& kernel, const std::string& where) {
  if (const int pid = as_pid(where); pid != 0) {
    const Result<Fd> proc = open_proc(kernel);
    if (!proc) return Failure(proc.error());
    return open_namespace_of_pid(kernel, *proc, pid);
  }
  if (where.find('/') != std::string::npos) return open_namespace_file(kernel, where);
  if (!is_container_name(where)) {
    return fail(
        fmt::format("`{}` is no PID, no path and no name of a container", path::printable(where)));
  }
  if (!is_pinned(kernel, where))
    return fail(fmt::format("no container named `{}` is pinned", where));
  return open_namespace_file(kernel, pin_path(where));
}

}  // namespace mntcr::driver
