// The namespaces of the container that WHERE names, held open.
//
// Of a process's container these are the namespaces that it and its descendants are in, those that
// are pinned together with its own, and those that a mount inside keeps alive; the last are known
// only when the mounts have been read. The parent namespace is never among them: whoever stands
// there left the container. A process that is itself in the parent namespace has no container
// around it, so its namespace is taken alone.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/driver/where.h"
#include "runtime/apply/pin.h"
#include "runtime/base/diagnostic.h"
#include "runtime/base/result.h"
#include "runtime/capture/container.h"
#include "runtime/capture/mount_table.h"
#include "runtime/capture/process_tree.h"
#include "runtime/kernel/kernel.h"

namespace mntcr::driver {

class OpenContainer {
 public:
  /// Opens what `words` name. `parent` is the parent namespace; `expected` are the names of
  /// namespaces that the spec has. Says in `diagnostics` what is not there; then the answer is
  /// nothing.
  static std::optional<OpenContainer> open(Kernel& kernel, const std::vector<WhereWord>& words,
                                           const Fd& parent, std::vector<std::string> expected,
                                           Diagnostics& diagnostics);

  /// The namespaces, `main` first; good until the next add_bound().
  [[nodiscard]] std::vector<NamedNamespace> named() const;

  /// Adds the namespaces that mounts of `live`, read from named(), keep alive. True when there were
  /// any that are not among named() yet: then the container has to be read again.
  bool add_bound(const MountTable& live);

  /// Says how namespaces were named and what could not be looked at.
  void report(Diagnostics& diagnostics) const;

 private:
  /// A namespace and what it is called.
  struct Held {
    std::string name;
    MetNamespace met;
  };

  explicit OpenContainer(Kernel& kernel) : kernel_(&kernel) {}
  Result<void> open_one(const std::string& where, const Fd& parent);
  Result<void> open_pinned(const std::string& container);
  Result<void> open_process(int pid, const Fd& parent);
  bool open_words(const std::vector<WhereWord>& words, Diagnostics& diagnostics);
  void read_pins();
  void add_pins_of_main();
  void add_tree(ProcessTree tree);
  [[nodiscard]] bool has(std::uint64_t inode) const;
  [[nodiscard]] std::string pin_name_of(std::uint64_t inode) const;
  void name_all();

  Kernel* kernel_;
  std::vector<Held> held_;
  bool grows_ = false;  ///< namespaces that are found later belong to it
  Fd proc_;             ///< where PIDs mean what they meant to the caller
  std::uint64_t parent_inode_ = 0;
  std::string home_;  ///< the pinned container that main is `main` of
  std::vector<PinnedContainer> pins_;
  std::vector<std::string> expected_;
  std::set<std::uint64_t> sought_;     ///< bound namespaces that were looked for
  std::vector<std::string> naming_;    ///< notes on names
  std::vector<std::string> left_out_;  ///< notes on what was not looked at
};

}  // namespace mntcr::driver
