// What the namespaces that a process and its descendants are in are called. A namespace has no name
// that the kernel knows: that of a pin is taken, then those that the spec compared with has, in the
// order in which the namespaces were made, which their ids tell; the rest is numbered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mntcr::driver {

/// A namespace to be named.
struct NamelessNamespace {
  std::uint64_t id = 0;  ///< 0 where the kernel does not tell
  std::uint64_t inode = 0;
  int process = 0;  ///< one that is in it, 0 for none
  std::string pin;  ///< what a pin calls it, empty for none
};

/// Who is called what.
struct Naming {
  /// Of each namespace its name, and the order in which they stand in a table: `main` first, then
  /// what has a name by name, then what is numbered.
  std::vector<std::string> names;
  std::vector<std::size_t> order;
  std::vector<std::string> notes;  ///< for people: what was named by nothing but its order
};

/// Names `met`, of which the first is `main`. `expected` are the names that the spec has, in its
/// order. No name is given twice.
Naming name_namespaces(std::span<const NamelessNamespace> met,
                       std::span<const std::string> expected);

}  // namespace mntcr::driver
