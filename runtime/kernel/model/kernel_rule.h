// The rules of shared subtrees by name, from specs/kernel_rules.def, so that a test can break one
// of them at a time and see that a comparison with Linux notices.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mntcr {

/// A rule that the model of the kernel follows.
enum class KernelRule : std::uint8_t {
#define MNTCR_KERNEL_RULE(name, sentence) name,
#include "specs/kernel_rules.def"
#undef MNTCR_KERNEL_RULE
};

/// A row of the table.
struct KernelRuleInfo {
  KernelRule rule;
  std::string_view name;
  std::string_view sentence;
};

/// All rules, in the order of the enumeration.
std::span<const KernelRuleInfo> kernel_rules();

}  // namespace mntcr
