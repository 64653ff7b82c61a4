// Syntax trees -> Spec: which keys there are, what they may hold, what ${params} stand for.
// Complains about everything it finds and never stops at the first fault.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/files.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::spec {

/// `--set key=value` of the command line.
struct ParamSetting {
  std::string key;
  std::string value;
};

/// Merges and decodes the files of a spec. Returns a Spec only when there were no errors.
std::optional<Spec> decode(const SpecFiles& files, const std::vector<ParamSetting>& settings,
                           Diagnostics& diagnostics);

}  // namespace mntcr::spec
