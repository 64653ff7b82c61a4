// The changes in the words that text and JSON share: what stands where, and where it came from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/diff/diff.h"

namespace mntcr {

/// One change in words. Strings are raw bytes.
struct DescribedChange {
  Change::Kind kind{};
  std::string ns;  ///< the namespace's name
  std::string target;
  std::uint32_t layer = no_index;    ///< of a desired mount that shares its target with others
  std::string type;                  ///< of the filesystem; of a removed bind not known
  std::string source;                ///< "parent:/srv", "fs:scratch", "proc"
  std::vector<std::string> options;  ///< added: the flags that are set
  std::vector<std::string>
      parameters;                     ///< added: the filesystem's, where it is the container's own
  std::string idmap;                  ///< added: "uid 0:100000:65536 …", empty when it has none
  std::string propagation;            ///< added: "private", "slave:srv shared:x" …
  std::vector<std::uint32_t> covers;  ///< added: the live mounts that it hides
  std::vector<Difference> differences;  ///< changed
  Span span;                            ///< removed, changed: the entry in the spec
};

/// All changes of `report`, in their order.
std::vector<DescribedChange> describe_changes(const DiffReport& report);

/// How many changes there are of each kind.
std::array<std::size_t, 3> count_kinds(const std::vector<Change>& changes);

}  // namespace mntcr
