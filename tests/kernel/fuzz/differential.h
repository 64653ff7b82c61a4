// The comparison of two machines: the same operations on both, and after each one the same errno
// and the same state. The first disagreement ends a sequence and is shortened to the operations
// that it needs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/kernel/fuzz/coverage.h"
#include "tests/kernel/fuzz/generator.h"
#include "tests/kernel/fuzz/machine.h"
#include "tests/kernel/fuzz/observe.h"
#include "tests/kernel/fuzz/operations.h"

namespace mntcr::fuzz {

/// A sequence on which two machines do not agree: about its last operation.
struct Disagreement {
  std::vector<Operation> operations;
  std::string what;  ///< the two errnos, or what only one state has

  /// The operations, a line each, and what differs.
  [[nodiscard]] std::string to_text() const;
};

using MachineMaker = std::function<Result<std::shared_ptr<Machine>>()>;

/// The left machine is the one that is right.
class Differential {
 public:
  /// `make_right` is asked for each sequence; it may be the same again.
  Differential(Machine& left, MachineMaker make_right)
      : left_(left), make_right_(std::move(make_right)) {}

  /// One sequence, drawn by what the left machine shows.
  std::optional<Disagreement> run(Generator& generator, Coverage& coverage);
  /// These operations, as far as the machines agree.
  std::optional<Disagreement> replay(const std::vector<Operation>& operations);
  /// The same disagreement or another one, with no operation that could be left out.
  Disagreement shrink(Disagreement found);

 private:
  Machine& left_;
  MachineMaker make_right_;
};

/// What a machine answered to an operation, without what would take room.
struct Step {
  Operation operation;
  Outcome outcome;
  std::uint64_t state = 0;  ///< digest
};

/// A sequence and all answers of one machine.
struct Recording {
  std::vector<Step> steps;
  std::string inside;  ///< Observer::look_inside at the end
};

/// One sequence on one machine. Fails when the machine cannot begin.
Result<Recording> record(Machine& machine, Generator& generator);

/// Whether the machine answers anything differently, or cannot begin.
bool deviates(Machine& machine, const Recording& recording);

}  // namespace mntcr::fuzz
