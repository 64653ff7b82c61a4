// Random sequences of operations, drawn one by one with an eye on the state: most speak of mounts
// that are there, or few would do anything. What is drawn is decided by the seed, the profile and
// the states alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/kernel/fuzz/observe.h"
#include "tests/kernel/fuzz/operations.h"
#include "tests/kernel/fuzz/world.h"

namespace mntcr::fuzz {

/// How often each kind is drawn. No profile reaches all rules: where much is unmounted few mounts
/// propagate, and groups with several masters need SET_GROUP again and again.
struct Profile {
  const char* name;
  std::array<unsigned, kind_count> weights;
  bool begins_shared;  ///< with a shared root and a few binds
};

const std::vector<Profile>& profiles();

/// One sequence.
class Generator {
 public:
  Generator(std::uint64_t seed, const Profile& profile);

  /// How many operations the sequence shall have: 10 to 60.
  [[nodiscard]] std::size_t length() const { return length_; }

  /// The next operation for `world`, whose state is `state`.
  Operation next(const World& world, const State& state);

 private:
  std::size_t below(std::size_t n);
  bool chance(unsigned percent);
  /// Of what is not empty.
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

  void draw_opening();
  Kind draw_kind(const World& world, const State& state);
  /// A number for a new namespace; 0 when there are enough.
  static unsigned free_namespace(const State& state);
  unsigned draw_namespace(const World& world);
  std::string random_path(std::size_t shortest);
  std::string mount_path(unsigned ns, const State& state);
  std::string any_path(unsigned ns, const State& state);
  void make_private_before(const Operation& op);

  // scenarios.cc: operations in a row.
  void plan_scenario(const World& world, const State& state);
  void plan(Operation operation);
  void plan_change(unsigned ns, const std::string& path, std::uint64_t propagation);
  void plan_removed_root(unsigned ns, const State& state);
  void plan_locked_read_only(unsigned ns, const State& state);
  void plan_locked_child(unsigned ns, const State& state);
  void plan_change_inside(unsigned ns, const State& state);
  void plan_covered_tree(unsigned ns, const State& state);
  void plan_covered_source(unsigned ns, const State& state);
  void plan_own_peer_beneath(unsigned ns, const State& state);
  void plan_unbindable_tree(unsigned ns, const State& state);
  void plan_dying_group(unsigned ns, const State& state);
  void plan_slave_below_master(unsigned ns, const State& state);
  void plan_gap(unsigned ns, const State& state);

  void draw_movable(Operation& op, const State& state);
  std::uint64_t draw_propagation();
  unsigned draw_number(const std::map<unsigned, Fd>& files);
  unsigned new_number() { return next_number_++; }

  Operation draw(Kind kind, const World& world, const State& state);
  void draw_with_tree(Operation& op, const World& world, const State& state);
  void draw_with_held(Operation& op, const World& world, const State& state);
  void draw_set_group(Operation& op, const World& world, const State& state);

  std::mt19937_64 random_;
  const Profile& profile_;
  std::size_t length_ = 0;
  unsigned next_number_ = 0;
  std::deque<Operation> planned_;    ///< to be done before anything else is drawn
  std::optional<Operation> before_;  ///< what the operation that is being drawn needs
  std::map<unsigned, unsigned> namespace_of_held_;
};

}  // namespace mntcr::fuzz
