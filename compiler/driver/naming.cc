#include "compiler/driver/naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/plan/plan.h"

namespace mntcr::driver {
namespace {

class Namer {
 public:
  Namer(std::span<const NamelessNamespace> met, std::span<const std::string> expected)
      : met_(met), expected_(expected), numbered_(met.size(), false) {
    naming_.names.resize(met.size());
    for (std::size_t index = 0; index < met.size(); ++index) naming_.order.push_back(index);
  }

  Naming run() {
    if (met_.empty()) return {};
    give(0, main_namespace);
    std::ranges::sort(naming_.order.begin() + 1, naming_.order.end(), {}, [&](std::size_t index) {
      return std::tuple(met_[index].id, met_[index].inode, index);
    });
    for (const std::size_t index : naming_.order) {
      const bool has_pin = !met_[index].pin.empty() && naming_.names[index].empty();
      if (has_pin && !taken_.contains(met_[index].pin)) give(index, met_[index].pin);
    }
    for (const std::size_t index : naming_.order) {
      if (naming_.names[index].empty()) name_by_order(index);
    }
    std::ranges::sort(naming_.order.begin() + 1, naming_.order.end(), {}, [&](std::size_t index) {
      const bool numbered = numbered_[index];
      return std::tuple(numbered, numbered ? "" : naming_.names[index], met_[index].id,
                        met_[index].inode, index);
    });
    return std::move(naming_);
  }

 private:
  void give(std::size_t index, const std::string& name) {
    naming_.names[index] = name;
    taken_.insert(name);
  }

  void name_by_order(std::size_t index) {
    const auto free = std::ranges::find_if(
        expected_, [&](const std::string& name) { return !taken_.contains(name); });
    numbered_[index] = free == expected_.end();
    give(index, numbered_[index] ? next_number() : *free);
    const int process = met_[index].process;
    naming_.notes.push_back(
        fmt::format("{} is {} `{}`",
                    process == 0 ? std::string("a namespace that no process is in")
                                 : fmt::format("the namespace of process {}", process),
                    numbered_[index] ? "called" : "taken for", naming_.names[index]));
  }

  std::string next_number() {
    std::string name;
    do {
      name = fmt::format("ns-{}", ++number_);
    } while (taken_.contains(name));
    return name;
  }

  std::span<const NamelessNamespace> met_;
  std::span<const std::string> expected_;
  std::vector<bool> numbered_;
  int number_ = 1;
  std::set<std::string> taken_;
  Naming naming_;
};

}  // namespace

Naming name_namespaces(std::span<const NamelessNamespace> met,
                       std::span<const std::string> expected) {
  return Namer(met, expected).run();
}

}  // namespace mntcr::driver
