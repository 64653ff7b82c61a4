// The text of /proc/PID/mountinfo, read by a grammar.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/capture/table_builder.h"

namespace mntcr {

/// One row a line, with escapes undone. Fails with the first line that it cannot read.
Result<std::vector<MountRow>> parse_mountinfo_rows(std::string_view text);

}  // namespace mntcr
