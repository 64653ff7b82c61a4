#include "runtime/base/diagnostic.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

namespace mntcr {
namespace {

/// Edit distance in which a swap of two neighbouring letters is one step, as it is for a typist.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  const std::size_t width = to.size() + 1;
  std::vector<std::size_t> table((from.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return table[i * width + j];
  };
  for (std::size_t i = 0; i <= from.size(); ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      if (i == 0 || j == 0) {
        at(i, j) = i + j;
        continue;
      }
      const bool same = from[i - 1] == to[j - 1];
      at(i, j) =
          std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(from.size(), to.size());
}

}  // namespace

Diagnostic& Diagnostics::add(Code code, Span span, std::string message, std::string label) {
  Diagnostic& item = items_.emplace_back(Diagnostic{code, std::move(message), {}, {}, {}});
  if (span.known()) item.labels.push_back({span, std::move(label)});
  return item;
}

bool Diagnostics::has_errors() const {
  return std::ranges::any_of(
      items_, [](const Diagnostic& item) { return item.severity() == Severity::error; });
}

void Diagnostics::sort() {
  std::vector<std::size_t> order(items_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const Span left = items_[a].span();
    const Span right = items_[b].span();
    if (!left.known() && !right.known()) return a < b;
    return std::tie(left, items_[a].code, a) < std::tie(right, items_[b].code, b);
  });
  std::vector<Diagnostic> sorted;
  sorted.reserve(items_.size());
  for (const std::size_t index : order) {
    Diagnostic& item = items_[index];
    const auto same_place = std::find_if(sorted.rbegin(), sorted.rend(), [&](const auto& before) {
      return before.span() != item.span() || before.code != item.code;
    });
    const bool said =
        item.span().known() && std::find(sorted.rbegin(), same_place, item) != same_place;
    if (!said) sorted.push_back(std::move(item));
  }
  items_ = std::move(sorted);
}

std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t least = std::max<std::size_t>(word.size(), 3) / 3 + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace mntcr
