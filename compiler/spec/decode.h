// Syntax tree -> Spec: which keys there are, what they may hold, what ${params} stand for.
// Complains about everything it finds and never stops at the first fault.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/spec.h"
#include "compiler/syntax/syntax_tree.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::spec {

/// `--set key=value` of the command line.
struct ParamSetting {
  std::string key;
  std::string value;
};

/// Decodes the document `root`. Returns a Spec only when there were no errors.
std::optional<Spec> decode(const syntax::Node& root, const std::vector<ParamSetting>& settings,
                           Diagnostics& diagnostics);

}  // namespace mntcr::spec
