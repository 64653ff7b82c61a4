#include "runtime/kernel/model/kernel_rule.h"

#include <array>

namespace mntcr {
namespace {

constexpr auto table = std::to_array<KernelRuleInfo>({
#define MNTCR_KERNEL_RULE(name, sentence) {KernelRule::name, #name, sentence},
#include "specs/kernel_rules.def"
#undef MNTCR_KERNEL_RULE
});

}  // namespace

std::span<const KernelRuleInfo> kernel_rules() { return table; }

}  // namespace mntcr
