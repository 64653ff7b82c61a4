// [[change]], [[remove]], `layer` and `of`: what a file says about mounts of what it extends.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/spec/base_view.h"
#include "compiler/spec/files.h"

namespace mntcr::spec {

/// A namespace that one of the files declares.
struct MergedNamespace {
  std::string name;
  FileId file = 0;
};

/// The mounts of the files that are merged so far.
struct MergedMounts {
  /// What the `of` of a [filesystem.NAME] means.
  struct Shown {
    std::uint32_t id = 0;       ///< of the mount
    std::uint32_t content = 0;  ///< of the mount: copies show it, too
    Span span;
  };
  std::vector<MergedMount> mounts = {MergedMount{.node = {}, .files = {}, .root = true}};
  std::vector<MergedNamespace> namespaces = {{main_namespace, 0}};
  std::vector<MergedNamespace> removed;  ///< their entries declare nothing any more
  std::map<std::string, Shown, std::less<>> shown;
  std::uint32_t next_id = 1;
};

/// Changes and removes mounts as `file` says, and adds its own. All entries of a file find their
/// mounts before any of them has an effect, so their order has no meaning.
void apply_file(Context& context, const SpecFile& file, MergedMounts& merged);

}  // namespace mntcr::spec
