// Several files -> one document, as if it had been written in one (language.md, "Specs that extend
// others"): params first, because everything else may use them, then file by file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/spec/files.h"
#include "compiler/spec/keys.h"
#include "compiler/spec/placement.h"

namespace mntcr::spec {

/// The [params] of all files, the later value of each, and what [checkpoint] remembers of --set.
/// Complains about a remembered param that no file declares.
std::vector<syntax::Entry> merge_params(const SpecFiles& files, Diagnostics& diagnostics);

/// See the top of the file. Its keys are those of the top level that say something about mounts:
/// [[change]] and its like have had their effect. Also fills Context::shown.
syntax::Node merge_documents(Context& context, const SpecFiles& files);

}  // namespace mntcr::spec
