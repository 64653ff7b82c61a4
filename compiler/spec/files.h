// The files of a spec: the one that is compiled, and those that it `extends`, in the order in which
// they are merged. Files are read through a function that the caller gives, so that compiling stays
// a function of texts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/syntax/syntax_tree.h"
#include "runtime/base/diagnostic.h"
#include "runtime/base/result.h"

namespace mntcr::spec {

/// The text of the file at `path`. An error number of ENOENT or ENOTDIR lets the search go on.
using SpecReader = std::function<Result<std::string>(const std::string& path)>;

/// What is compiled.
struct SpecInput {
  std::string name;  ///< what messages and the plan call the file
  std::string text;
  std::string folder;  ///< where the file lies, for `extends`; "" the working directory
  std::vector<std::string> search;  ///< -I: where else files to extend are looked for, in order
  SpecReader read;                  ///< may be empty: then nothing can be extended
};

/// One file. `bases` are the files that it extends, directly or not, in the order of merging.
struct SpecFile {
  FileId file = 0;
  syntax::Node tree;
  std::vector<FileId> bases;
};

/// All files of a spec in the order of merging, each once; the last is the one that is compiled.
using SpecFiles = std::vector<SpecFile>;

/// Reads and parses a spec and what it extends, and adds the texts to `sources`, which must be
/// empty: the spec itself is file 0. Others are named by their path relative to the spec's folder,
/// or "<path>" when they were found by a search, so that names do not depend on where all this
/// lies. Returns files only when all could be read and parsed.
std::optional<SpecFiles> read_spec_files(const SpecInput& input, SourceMap& sources,
                                         Diagnostics& diagnostics);

/// The files of a spec again, from the texts that an earlier reading left in `sources`.
std::optional<SpecFiles> reread_spec_files(const SourceMap& sources, Diagnostics& diagnostics);

}  // namespace mntcr::spec
