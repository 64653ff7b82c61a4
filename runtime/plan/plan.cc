#include "runtime/plan/plan.h"

#include <algorithm>
#include <array>

namespace mntcr {
namespace {

constexpr auto table = std::to_array<OpInfo>({
#define MNTCR_OP(name, phase, doc) {OpKind::name, #name, Phase::phase, doc},
#include "specs/ops.def"
#undef MNTCR_OP
});

}  // namespace

const OpInfo& describe(OpKind kind) { return table.at(static_cast<std::size_t>(kind)); }

bool writes_reach_parent(const std::vector<DesiredSuperblock>& superblocks, std::uint32_t index) {
  while (true) {
    const DesiredSuperblock& superblock = superblocks[index];
    if (superblock.kind == DesiredSuperblock::Kind::parent) return true;
    if (superblock.type != overlay_type) return false;
    const auto upper = std::ranges::find(superblock.layers, LayerRole::upper, &DesiredLayer::role);
    if (upper == superblock.layers.end()) return true;
    index = upper->superblock;
  }
}

bool is_op(std::uint8_t number) { return number < table.size(); }

}  // namespace mntcr
