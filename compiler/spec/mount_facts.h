// What merging files finds out about a mount that its table does not say: which namespace it is of,
// and of a copy that a `clone` makes, what it is a copy of and where it lies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/spec/placement.h"

namespace mntcr::spec {

/// See the top of the file. Namespaces are called by their names, mounts by their index in
/// Spec::mounts.
struct MountFacts {
  std::string ns;
  bool root = false;                   ///< of its namespace
  bool copy = false;                   ///< a `clone` makes it
  Walk walk = Walk::all;               ///< how its `self:` paths are meant
  std::optional<MountIndex> on;        ///< what it lies on, where no word says that
  std::optional<MountIndex> original;  ///< another mount that it is a copy of, or with
  std::optional<MountIndex> shows;     ///< another mount that makes what it shows, if it is made
};

}  // namespace mntcr::spec
