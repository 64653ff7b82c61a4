// One performer of operations for all machines, through the seam: what differs between Linux and
// the model can then only be the kernel.
#pragma once

#include <map>
#include <string>

#include "runtime/kernel/kernel.h"
#include "tests/kernel/fuzz/machine.h"
#include "tests/kernel/fuzz/operations.h"

namespace mntcr::fuzz {

/// What became of an operation.
struct Outcome {
  bool skipped = false;  ///< what it speaks of is not there; nothing was done
  int error = 0;         ///< errno; 0 when it succeeded
  std::string message;   ///< which call failed

  [[nodiscard]] bool done() const { return !skipped && error == 0; }
  /// Whatever the message.
  bool operator==(const Outcome& other) const {
    return skipped == other.skipped && error == other.error;
  }
};

/// A namespace of a world.
struct WorldNamespace {
  Fd file;
  std::uint64_t id = 0;
};

/// Namespaces, detached trees and held files by their numbers. Between operations the calling
/// thread is in the machine's base namespace, so that nothing of the world is in use.
class World {
 public:
  /// With namespace 0, a copy of the machine's base.
  static Result<World> make(Machine& machine);

  [[nodiscard]] Kernel& kernel() const { return machine_->kernel(); }

  Outcome perform(const Operation& operation);

  /// What a process in the namespace would read of its mounts.
  Result<std::string> mountinfo(unsigned ns);

  [[nodiscard]] const std::map<unsigned, WorldNamespace>& namespaces() const { return namespaces_; }
  [[nodiscard]] const std::map<unsigned, Fd>& trees() const { return trees_; }
  [[nodiscard]] const std::map<unsigned, Fd>& held() const { return held_; }

 private:
  explicit World(Machine& machine) : machine_(&machine) {}

  [[nodiscard]] bool has_objects(const Operation& op) const;
  Result<void> enter(unsigned ns);
  Result<void> leave();
  Result<void> run(const Operation& op);
  Result<void> run_with_tree(const Operation& op);
  Result<void> run_with_held(const Operation& op);

  Result<void> add_namespace(unsigned number, Result<Fd> file);
  Result<void> mount_new(const Operation& op);
  Result<void> bind(const Operation& op);
  Result<void> change(int dir, const std::string& path, const Operation& op);
  Result<void> set_attributes(const Operation& op, const MountAttr& attributes);
  [[nodiscard]] MountAttr idmap() const;
  Result<void> clone_namespace(const Operation& op);
  Result<void> set_group(const Operation& op);
  Result<void> keep(std::map<unsigned, Fd>& files, unsigned number, Result<Fd> file);
  Result<void> attach(unsigned tree, int to, const std::string& path, unsigned flags);
  Result<bool> is_lowest_root(unsigned ns);

  Machine* machine_;
  std::map<unsigned, WorldNamespace> namespaces_;
  std::map<unsigned, Fd> trees_;
  std::map<unsigned, Fd> held_;
};

}  // namespace mntcr::fuzz
