// Layout -> Plan: the order in which the mounts are made. The algorithm and why every order it
// gives works are in specs/plan.md ("Synthesis").
#pragma once

#include "compiler/layout/layout.h"
#include "runtime/base/source_map.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Orders `layout`. Total: a Layout can always be planned. `sources` go into the plan, so that a
/// failure at run time can show the line of the spec.
Plan plan_layout(const Layout& layout, const SourceMap& sources);

}  // namespace mntcr
