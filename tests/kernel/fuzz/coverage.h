// What the sequences have reached: a fuzzer whose operations are all refused agrees with anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/kernel/fuzz/observe.h"
#include "tests/kernel/fuzz/operations.h"
#include "tests/kernel/fuzz/world.h"

namespace mntcr::fuzz {

/// What an operation did beyond itself, as two states of one machine show it.
enum class Situation : std::uint8_t {
  propagated,        ///< what was attached came to other places, too
  propagated_slave,  ///< some copy receives only
  tucked,            ///< a copy went below a mount that was there
  unmounted_copies,  ///< mounts vanished in several places
  slid_down,         ///< a mount lost the mount that it stood on, and stays
  moved,             ///< a mount stands on another one, which was there before
  lost_master,       ///< a mount has another master group than before, or none
};

inline constexpr std::size_t situation_count = static_cast<std::size_t>(Situation::lost_master) + 1;

class Coverage {
 public:
  void add_sequence() { ++sequences_; }
  /// What another thread has counted.
  void add(const Coverage& other);
  void add(const Operation& operation, const Outcome& outcome, const State& before,
           const State& after);

  [[nodiscard]] std::size_t sequences() const { return sequences_; }
  [[nodiscard]] std::size_t operations() const { return operations_; }
  [[nodiscard]] std::size_t done(Kind kind) const {
    return counts_.at(static_cast<std::size_t>(kind)).done;
  }
  [[nodiscard]] std::size_t times(Situation situation) const {
    return situations_.at(static_cast<std::size_t>(situation));
  }
  /// Several lines.
  [[nodiscard]] std::string to_text() const;

 private:
  struct Count {
    std::size_t done = 0;
    std::size_t refused = 0;
  };

  void count(Situation situation, bool met) {
    if (met) ++situations_.at(static_cast<std::size_t>(situation));
  }
  void look(const State& before, const State& after);

  std::size_t sequences_ = 0;
  std::size_t operations_ = 0;
  std::size_t most_mounts_ = 0;
  std::array<Count, kind_count> counts_{};
  std::array<std::size_t, situation_count> situations_{};
};

/// The situation's name.
std::string name_of(Situation situation);

}  // namespace mntcr::fuzz
