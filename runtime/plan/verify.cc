#include "runtime/plan/verify.h"

#include <fmt/format.h>

#include <array>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/plan/verify_parts.h"

namespace mntcr {
namespace {

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool is_sound_of_filesystem(const AttrDemand& flags) {
  return (flags.mask & ~fs_flag::all) == 0 && (flags.value & ~flags.mask) == 0;
}

Fault made_superblock_fault(const DesiredSuperblock& superblock) {
  const Filesystem* filesystem = find_filesystem(superblock.type);
  if (filesystem == nullptr) return "makes a filesystem of an unknown type";
  if (has_nul(superblock.fsname)) return "has a NUL in its fsname";
  if (!is_sound_of_filesystem(superblock.flags)) return "has flags without meaning";
  if (filesystem->singleton && superblock.flags.mask != 0)
    return "has flags that would be the host's";
  for (const std::string& param : superblock.params) {
    const ParamWord word = split_param(param);
    const FilesystemParam* known = find_filesystem_param(superblock.type, word.key);
    if (known == nullptr || filesystem->singleton) return "has an unknown parameter";
    if (has_nul(param) || param_value_error(*known, word)) return "has a parameter without meaning";
  }
  return std::nullopt;
}

/// An overlay has layers, all of superblocks before its own, so that none can hold another in a
/// ring; upper and work are parts of one superblock beside each other.
Fault layers_fault(const Plan& plan, std::size_t index) {
  const DesiredSuperblock& superblock = plan.superblocks[index];
  const bool is_overlay =
      superblock.kind == DesiredSuperblock::Kind::made && superblock.type == overlay_type;
  if (is_overlay == superblock.layers.empty()) return "is no overlay or has no layers";
  std::array<const DesiredLayer*, 3> last{};
  LayerRole role = LayerRole::lower;
  for (const DesiredLayer& layer : superblock.layers) {
    if (layer.role < role || layer.role > LayerRole::work) return "has layers in no order";
    role = layer.role;
    if (layer.superblock >= index) return "has a layer that does not come before it";
    if (!path::is_normal_relative(layer.root)) return "has a layer whose root is not normal";
    if (!path::is_normal_absolute(layer.shown)) return "has a layer whose path is not normal";
    const DesiredLayer*& seen = last.at(static_cast<std::size_t>(role));
    if (seen != nullptr && role != LayerRole::lower) return "has two upper or work layers";
    seen = &layer;
  }
  const auto [lower, upper, work] = last;
  if (is_overlay && lower == nullptr) return "has no lower layer";
  if ((upper == nullptr) != (work == nullptr)) return "has an upper layer without a work layer";
  if (upper == nullptr) return std::nullopt;
  if (upper->superblock != work->superblock) return "has its upper and work layers apart";
  if (path::is_at_or_below(upper->root, work->root) ||
      path::is_at_or_below(work->root, upper->root))
    return "has an upper and a work layer that hold each other";
  return std::nullopt;
}

Fault superblock_fault(const DesiredSuperblock& superblock) {
  if (superblock.kind == DesiredSuperblock::Kind::made) return made_superblock_fault(superblock);
  if (!path::is_normal_absolute(superblock.path)) return "has a path that is not normal";
  return std::nullopt;
}

/// Nothing is made but on filesystems of the plan, and nothing there that a tree could not say.
Fault node_fault(const Plan& plan, const DesiredNode& node) {
  constexpr std::uint32_t permission_bits = 07777;
  if (node.superblock >= plan.superblocks.size()) return "lies on no superblock of the plan";
  const DesiredSuperblock& superblock = plan.superblocks[node.superblock];
  if (superblock.kind != DesiredSuperblock::Kind::made) return "lies on a filesystem of the parent";
  const Holds holds = what_holds(superblock.type);
  const bool fits = holds == Holds::everything ||
                    (holds == Holds::directories && node.kind == NodeKind::directory);
  if (!fits) return "is of a kind that its filesystem does not hold";
  if (node.path.empty() || !path::is_normal_relative(node.path))
    return "has a path that is not normal";
  if (node.deleted != is_deleted_place(node.path)) return "is wrong about whether it has a name";
  if (node.of != no_index && node.of >= plan.mounts.size())
    return "is said of no mount of the plan";
  if (node.mode > permission_bits) return "has a mode without meaning";
  const bool is_link = node.kind == NodeKind::symlink;
  if (is_link == node.target.empty() || has_nul(node.target)) return "leads nowhere";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> plan_fault(const Plan& plan) {
  if (!is_container_name(plan.name)) return "its name is none";
  for (std::size_t index = 0; index < plan.superblocks.size(); ++index) {
    Fault fault = superblock_fault(plan.superblocks[index]);
    if (!fault) fault = layers_fault(plan, index);
    if (fault) {
      return fmt::format("superblock {} {}", index, *fault);
    }
  }
  for (std::size_t index = 0; index < plan.idmaps.size(); ++index) {
    if (!idmap::is_sound(plan.idmaps[index]))
      return fmt::format("idmap {} has ranges without meaning", index);
  }
  for (std::size_t index = 0; index < plan.nodes.size(); ++index) {
    if (const Fault fault = node_fault(plan, plan.nodes[index]))
      return fmt::format("node {} {}", index, *fault);
  }
  if (Fault fault = mounts_fault(plan)) return fault;
  return operations_fault(plan);
}

}  // namespace mntcr
