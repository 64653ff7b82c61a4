// The state of all namespaces of a world, read from outside and written so that two states are
// equal exactly when they differ in nothing but numbers that the kernel is free to choose: ids of
// mounts, devices, peer groups.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/kernel/kernel.h"
#include "tests/kernel/fuzz/world.h"

namespace mntcr::fuzz {

/// A mount. Depth and mountpoint say where it stands, as rows are in the order of the tree:
/// parents first, children by mountpoint. Superblocks and groups are counted in order of
/// appearance over all namespaces.
struct Row {
  unsigned ns = 0;
  unsigned depth = 0;  ///< 0: on the hidden root; a stacked mount is one deeper than what it covers
  std::string mountpoint;
  std::size_t superblock = 0;
  std::string root;
  std::size_t group = 0;   ///< 0: not shared
  std::size_t master = 0;  ///< 0: not a slave
  bool unbindable = false;
  bool read_only = false;
  bool idmapped = false;
  bool operator==(const Row&) const = default;
};

/// By which a mount is followed from one state to the next on the same machine.
struct Identity {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::uint64_t group = 0;
  std::uint64_t master = 0;
};

struct State {
  std::vector<Row> rows;
  std::vector<Identity> identities;  ///< of the same mounts in the same order
  int error = 0;                     ///< errno where a namespace could not be read

  /// Up to the numbers.
  bool operator==(const State& other) const { return error == other.error && rows == other.rows; }
};

/// "ns0 1 /a sb2:/b shared:1 master:2 unbindable ro idmapped"
std::string to_line(const Row& row);

/// What only one of two states has, a line each: "- " of the left, "+ " of the right; some of it
/// where there is much.
std::string differences(const State& left, const State& right);

/// A number for the state, the same for equal ones.
std::uint64_t digest(const State& state);

/// Reads the states of one machine.
class Observer {
 public:
  explicit Observer(Kernel& kernel);

  /// The calling thread is in none of the namespaces.
  State observe(const World& world);

  /// What mountinfo tells of propagation and statmount does not: from where slaves receive whose
  /// master is not in sight. A line each; groups are named as in `state`, which is the world's.
  static std::string look_inside(World& world, const State& state);

  /// What was learnt of mounts is forgotten: roots were removed, or the mounts are gone.
  void forget() { constant_.clear(); }

 private:
  /// What stays with a mount: read once, as it is what costs most.
  struct Constant {
    std::string root;
    std::uint64_t superblock = 0;
  };
  struct Mount {
    MountStatus status;
    const Constant* constant = nullptr;
  };

  Result<std::vector<Mount>> read_namespace(std::uint64_t ns);
  Result<Mount> read_mount(std::uint64_t id, std::uint64_t ns);

  Kernel& kernel_;
  std::vector<std::uint64_t> ids_;
  std::unordered_map<std::uint64_t, Constant> constant_;
};

}  // namespace mntcr::fuzz
