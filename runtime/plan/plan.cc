#include "runtime/plan/plan.h"

#include <array>

#include "runtime/base/filesystems.h"

namespace mntcr {
namespace {

constexpr auto table = std::to_array<OpInfo>({
#define MNTCR_OP(name, phase, doc) {OpKind::name, #name, Phase::phase, doc},
#include "specs/ops.def"
#undef MNTCR_OP
});

}  // namespace

const OpInfo& describe(OpKind kind) { return table.at(static_cast<std::size_t>(kind)); }

bool is_parents(const DesiredSuperblock& superblock) {
  return superblock.kind == DesiredSuperblock::Kind::parent || is_singleton(superblock.type);
}

bool is_op(std::uint8_t number) { return number < table.size(); }

}  // namespace mntcr
