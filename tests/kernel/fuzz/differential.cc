#include "tests/kernel/fuzz/differential.h"

#include <fmt/format.h>

#include <utility>

namespace mntcr::fuzz {
namespace {

/// A sequence ends when there are more: propagation can double them with each operation.
constexpr std::size_t most_mounts = 400;

/// A world and its reader.
class Side {
 public:
  static Result<Side> begin(Machine& machine) {
    auto world = World::make(machine);
    if (!world) return Failure(world.error());
    return Side(machine, std::move(*world));
  }

  /// `state` is afterwards that of the world.
  Outcome perform(const Operation& operation) {
    Outcome outcome = world_.perform(operation);
    // The path of a mount's root tells when it is removed.
    if (operation.kind == Kind::remove_directory) observer_.forget();
    look();
    return outcome;
  }

  std::string look_inside() { return Observer::look_inside(world_, state_); }

  [[nodiscard]] bool goes_on() const {
    return state_.error == 0 && state_.rows.size() < most_mounts;
  }
  [[nodiscard]] const World& world() const { return world_; }
  [[nodiscard]] const State& state() const { return state_; }

 private:
  Side(Machine& machine, World world) : world_(std::move(world)), observer_(machine.kernel()) {
    look();
  }

  void look() { state_ = observer_.observe(world_); }

  World world_;
  Observer observer_;
  State state_;
};

std::string errno_name(const Outcome& outcome) {
  if (outcome.skipped) return "passed over";
  if (outcome.error == 0) return "done";
  return fmt::format("{} ({})", outcome.error, outcome.message);
}

/// Both machines in step.
class Pair {
 public:
  Pair(Side left, Side right) : left_(std::move(left)), right_(std::move(right)) {}

  [[nodiscard]] const Side& left() const { return left_; }

  /// Performs `operation`; what the machines do not agree about.
  std::optional<std::string> step(const Operation& operation, Coverage* coverage) {
    const State before = coverage != nullptr ? left_.state() : State{};
    const Outcome left = left_.perform(operation);
    const Outcome right = right_.perform(operation);
    if (coverage != nullptr) coverage->add(operation, left, before, left_.state());
    if (!(left == right))
      return fmt::format("left: {}\nright: {}\n", errno_name(left), errno_name(right));
    if (left_.state() == right_.state()) return std::nullopt;
    return differences(left_.state(), right_.state());
  }

  /// What the machines do not agree about beyond their states.
  std::optional<std::string> look_inside() {
    const std::string left = left_.look_inside();
    const std::string right = right_.look_inside();
    if (left == right) return std::nullopt;
    return fmt::format("left:\n{}right:\n{}", left, right);
  }

 private:
  Side left_;
  Side right_;
};

Disagreement cannot_begin(const Error& error) {
  return {.operations = {}, .what = "a machine cannot begin: " + error.message};
}

/// A pair begins, `work` gets it and says what the machines do not agree about.
template <class Work>
std::optional<Disagreement> with_pair(Machine& left, const MachineMaker& make_right, Work work) {
  const auto right = make_right();
  if (!right) return cannot_begin(right.error());
  auto left_side = Side::begin(left);
  if (!left_side) return cannot_begin(left_side.error());
  auto right_side = Side::begin(**right);
  if (!right_side) return cannot_begin(right_side.error());
  Pair pair(std::move(*left_side), std::move(*right_side));
  return work(pair);
}

}  // namespace

std::string Disagreement::to_text() const {
  std::string text;
  for (const Operation& operation : operations) text += to_line(operation) + "\n";
  return text + what;
}

std::optional<Disagreement> Differential::run(Generator& generator, Coverage& coverage) {
  coverage.add_sequence();
  return with_pair(left_, make_right_, [&](Pair& pair) -> std::optional<Disagreement> {
    std::vector<Operation> operations;
    while (operations.size() < generator.length() && pair.left().goes_on()) {
      operations.push_back(generator.next(pair.left().world(), pair.left().state()));
      if (auto what = pair.step(operations.back(), &coverage))
        return Disagreement{std::move(operations), std::move(*what)};
    }
    if (auto what = pair.look_inside())
      return Disagreement{std::move(operations), std::move(*what)};
    return std::nullopt;
  });
}

std::optional<Disagreement> Differential::replay(const std::vector<Operation>& operations) {
  return with_pair(left_, make_right_, [&](Pair& pair) -> std::optional<Disagreement> {
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (auto what = pair.step(operations[i], nullptr)) {
        const auto end = operations.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        return Disagreement{{operations.begin(), end}, std::move(*what)};
      }
    }
    if (auto what = pair.look_inside()) return Disagreement{operations, std::move(*what)};
    return std::nullopt;
  });
}

Disagreement Differential::shrink(Disagreement found) {
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = found.operations.size(); i > 0; --i) {
      if (i > found.operations.size()) continue;
      std::vector<Operation> fewer = found.operations;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i) - 1);
      if (auto still = replay(fewer)) {
        found = std::move(*still);
        shorter = true;
      }
    }
  }
  return found;
}

Result<Recording> record(Machine& machine, Generator& generator) {
  auto side = Side::begin(machine);
  if (!side) return Failure(side.error());
  Recording recording;
  while (recording.steps.size() < generator.length() && side->goes_on()) {
    Operation operation = generator.next(side->world(), side->state());
    Outcome outcome = side->perform(operation);
    recording.steps.push_back({std::move(operation), std::move(outcome), digest(side->state())});
  }
  recording.inside = side->look_inside();
  return recording;
}

bool deviates(Machine& machine, const Recording& recording) {
  auto side = Side::begin(machine);
  if (!side) return true;
  for (const Step& step : recording.steps) {
    if (!(side->perform(step.operation) == step.outcome)) return true;
    if (digest(side->state()) != step.state) return true;
  }
  return side->look_inside() != recording.inside;
}

}  // namespace mntcr::fuzz
