// What every mount shows: which filesystem, and which part of it. `self:` sources are followed to
// the filesystem that they end at, so that two mounts of one thing are known to be that.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/placement.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::layout {

/// The identity of a filesystem instance: mounts with equal ones show the same.
struct Identity {
  enum class Kind : std::uint8_t {
    parent,  ///< what the parent namespace shows at `path`
    named,   ///< [filesystem.NAME], by its index in Spec::filesystems
    made,    ///< a mount with `type`, by its index in Spec::mounts
  };
  Kind kind{};
  std::string path;
  bool follow = true;
  std::uint32_t index = 0;
  auto operator<=>(const Identity&) const = default;
};

/// A part of a filesystem: `root` is relative to the filesystem's path, "" is all of it.
struct Content {
  Identity filesystem;
  std::string root;
  bool deleted = false;  ///< an inode that has no name in the end; `root` is its place before
};

/// The contents of all mounts, by their index. One is missing only after an error: a ring of
/// `self:` sources, or a root that shows itself.
std::vector<std::optional<Content>> resolve_contents(const spec::Spec& spec,
                                                     const spec::Placement& placement,
                                                     Diagnostics& diagnostics);

/// The [filesystem.NAME] of a mount with the source fs:NAME, else nullptr.
const spec::FilesystemDecl* find_named(const spec::Spec& spec, const spec::MountDecl& mount);

/// What the [filesystem.NAME] of this index is, when it has no `of`.
Identity identity_of(const spec::Spec& spec, std::uint32_t index);

/// The filesystem that the spec makes behind `identity`; nullptr when it is the parent's.
const spec::FilesystemDecl* find_made(const spec::Spec& spec, const Identity& identity);

}  // namespace mntcr::layout
