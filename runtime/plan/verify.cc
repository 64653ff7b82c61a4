#include "runtime/plan/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"

namespace mntcr {
namespace {

using Fault = std::optional<std::string>;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool is_sound(const AttrDemand& demand) {
  return (demand.mask & ~mount_attr::all) == 0 && (demand.value & ~demand.mask) == 0;
}

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

Fault mount_fault(const Plan& plan, std::size_t index) {
  const DesiredMount& mount = plan.mounts[index];
  const bool is_root = index == 0;
  if (is_root ? mount.parent != no_index : mount.parent >= index)
    return "does not follow its parent";
  if (is_root && !(mount.target == "/" && mount.mountpoint.empty())) return "is no root";
  if (mount.superblock >= plan.superblocks.size()) return "shows no superblock of the plan";
  if (!path::is_normal_absolute(mount.target)) return "has a target that is not normal";
  if (!path::is_normal_relative(mount.mountpoint)) return "has a mountpoint that is not normal";
  if (!path::is_normal_relative(mount.root)) return "has a root that is not normal";
  if (!is_sound(mount.attrs)) return "has flags without meaning";
  if (!mount.name.empty() && !is_container_name(mount.name)) return "has a name that is none";
  if (!mount.self.empty() && !path::is_normal_absolute(mount.self))
    return "shows a path that is not normal";
  if (mount.of != no_index && mount.of >= plan.mounts.size())
    return "takes its filesystem from no mount of the plan";
  if (mount.idmap != no_index && mount.idmap >= plan.idmaps.size())
    return "has no idmap of the plan";
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

/// Follows the registers through the operations.
class OpVerifier {
 public:
  explicit OpVerifier(const Plan& plan)
      : plan_(plan),
        slots_(plan.slots, State::empty),
        of_parent_(plan.slots, false),
        superblocks_(plan.slots, no_index),
        layers_(plan.slots, 0) {}

  Fault next(const Op& op) {
    const Phase phase = describe(op.kind).phase;
    if (phase < phase_) return "comes in the wrong phase";
    if (complete()) return "comes after the last";
    if (Fault fault = frame_fault(op)) return fault;
    phase_ = phase;
    if (!is_sound(op.attrs)) return "has flags without meaning";
    if (op.mount != no_index && op.mount >= plan_.mounts.size())
      return "is for no mount of the plan";
    return operand_fault(op);
  }

  [[nodiscard]] bool complete() const { return framed_ == frame.size(); }

 private:
  enum class State : std::uint8_t {
    empty,
    open,
    overlay,  ///< holds no mount, but an overlay that gets its layers
    closed,
  };

  /// The steps that every plan begins and ends with, once each and in this order: the first put the
  /// parent out of reach, the last leave nothing of it behind.
  static constexpr std::array frame = {OpKind::unshare, OpKind::make_private, OpKind::stage,
                                       OpKind::pivot,   OpKind::drop_staging, OpKind::drop_parent};
  static constexpr std::size_t entering = 3;

  Fault frame_fault(const Op& op) {
    if (std::ranges::find(frame, op.kind) == frame.end()) {
      if (framed_ != entering) return "does not come between the parent's leaving and the end";
      return std::nullopt;
    }
    if (op.kind != frame[framed_]) return "enters or leaves in the wrong order";
    ++framed_;
    return std::nullopt;
  }

  Fault fill(Slot slot, bool of_parent, std::uint32_t superblock) {
    if (slot >= slots_.size() || slots_[slot] != State::empty) return "fills no empty register";
    slots_[slot] = State::open;
    of_parent_[slot] = of_parent;
    superblocks_[slot] = superblock;
    return std::nullopt;
  }

  [[nodiscard]] Fault used(Slot slot) const {
    if (slot >= slots_.size() || slots_[slot] != State::open) return "uses no open register";
    return std::nullopt;
  }

  Fault operand_fault(const Op& op) {
    switch (op.kind) {
      case OpKind::unshare:
      case OpKind::make_private:
      case OpKind::stage:
      case OpKind::drop_staging:
      case OpKind::drop_parent:
        return std::nullopt;
      case OpKind::open_source:
        if (op.b >= plan_.superblocks.size()) return "opens no superblock of the plan";
        if (plan_.superblocks[op.b].kind != DesiredSuperblock::Kind::parent)
          return "opens no source";
        return fill(op.dst, true, op.b);
      case OpKind::new_filesystem:
        if (op.b >= plan_.superblocks.size()) return "makes no superblock of the plan";
        if (plan_.superblocks[op.b].kind != DesiredSuperblock::Kind::made)
          return "makes no filesystem";
        if (plan_.superblocks[op.b].type == overlay_type) return "makes an overlay without layers";
        return fill(op.dst, is_parents(plan_.superblocks[op.b]), op.b);
      case OpKind::open_overlay:
      case OpKind::add_layer:
      case OpKind::new_overlay:
        return overlay_fault(op);
      case OpKind::attach_root:
        if (std::exchange(rooted_, true)) return "makes a second root";
        return used(op.a);
      case OpKind::pivot:
        if (!rooted_) return "comes before there is a root";
        return used(op.a);
      case OpKind::set_attributes:
        if (op.b != no_slot && op.b >= plan_.idmaps.size()) return "sets no idmap of the plan";
        return used(op.a);
      case OpKind::anchor:
        return used(op.a);
      case OpKind::make_read_only:
        return closing_fault(op);
      case OpKind::close:
        if (Fault fault = used(op.a)) return fault;
        slots_[op.a] = State::closed;
        return std::nullopt;
      case OpKind::make_node:
      case OpKind::remove_node:
        return node_operand_fault(op);
      case OpKind::make_layer:
      case OpKind::make_directory:
      case OpKind::make_mountpoint:
      case OpKind::clone:
      case OpKind::attach:
        return path_operand_fault(op);
    }
    return "is unknown";
  }

  [[nodiscard]] Fault closing_fault(const Op& op) const {
    if (Fault fault = used(op.a)) return fault;
    if (of_parent_[op.a]) return "changes a filesystem of the parent";
    if (op.b >= plan_.superblocks.size()) return "changes no superblock of the plan";
    return std::nullopt;
  }

  /// The steps of an overlay: its layers come as its superblock lists them, each from a register
  /// that shows the layer's superblock, and it is mounted when it has them all.
  Fault overlay_fault(const Op& op) {
    if (op.kind == OpKind::open_overlay) {
      if (op.b >= plan_.superblocks.size() || plan_.superblocks[op.b].layers.empty())
        return "opens no overlay of the plan";
      if (Fault fault = fill(op.dst, false, op.b)) return fault;
      slots_[op.dst] = State::overlay;
      return std::nullopt;
    }
    const Slot context = op.kind == OpKind::add_layer ? op.b : op.a;
    if (context >= slots_.size() || slots_[context] != State::overlay) return "is for no overlay";
    const std::uint32_t superblock = superblocks_[context];
    const auto& layers = plan_.superblocks[superblock].layers;
    if (op.kind == OpKind::new_overlay) {
      if (op.b != superblock) return "mounts another overlay than it says";
      if (layers_[context] != layers.size()) return "mounts an overlay that lacks layers";
      slots_[context] = State::closed;
      return fill(op.dst, writes_reach_parent(plan_.superblocks, superblock), superblock);
    }
    if (Fault fault = used(op.a)) return fault;
    if (layers_[context] == layers.size()) return "adds a layer too many";
    const DesiredLayer& layer = layers[layers_[context]++];
    if (superblocks_[op.a] != layer.superblock || op.text != layer.root)
      return "adds another layer than comes next";
    return std::nullopt;
  }

  /// A node is made on, and only one without a name removed from, the very mount that its
  /// filesystem came to be with.
  [[nodiscard]] Fault node_operand_fault(const Op& op) const {
    if (op.b >= plan_.nodes.size()) return "is about no node of the plan";
    if (Fault fault = used(op.a)) return fault;
    const DesiredNode& node = plan_.nodes[op.b];
    if (superblocks_[op.a] != node.superblock) return "is about a node of another filesystem";
    if (op.kind == OpKind::remove_node && !node.deleted) return "removes what has a name";
    return std::nullopt;
  }

  Fault path_operand_fault(const Op& op) {
    if (!path::is_normal_relative(op.text)) return "has a path that is not normal";
    if (Fault fault = used(op.a)) return fault;
    if (op.kind == OpKind::clone) {
      if (op.b != no_slot && op.b >= plan_.nodes.size()) return "shows no node of the plan";
      return fill(op.dst, of_parent_[op.a], no_index);
    }
    if (op.kind == OpKind::attach) return used(op.b);
    return making_fault(op);
  }

  /// On the parent's filesystems only mountpoints are made, only where the spec says so by
  /// `create`, and known as what has to be taken back when the plan fails.
  [[nodiscard]] Fault making_fault(const Op& op) const {
    const bool of_parent = of_parent_[op.a];
    if (op.kind == OpKind::make_directory || op.kind == OpKind::make_layer) {
      if (of_parent) return "makes a directory on a filesystem of the parent";
      return std::nullopt;
    }
    if (op.create == Create::never) return "makes what must not be made";
    if (op.host != of_parent) return "is wrong about whose filesystem it makes a mountpoint on";
    if (of_parent && op.create == Create::automatic)
      return "makes a mountpoint of the parent's unasked";
    return used(op.b);
  }

  const Plan& plan_;
  std::vector<State> slots_;
  std::vector<bool> of_parent_;  ///< of each register, whether it shows a filesystem of the parent
  /// Of each register, the superblock that it came to be with, no_index for clones.
  std::vector<std::uint32_t> superblocks_;
  std::vector<std::size_t> layers_;  ///< that an overlay's register has by now
  Phase phase_ = Phase::enter;
  std::size_t framed_ = 0;  ///< steps of the frame that came
  bool rooted_ = false;
};

Fault ops_fault(const Plan& plan) {
  if (plan.slots > plan.ops.size()) return "it has more registers than operations";
  OpVerifier verifier(plan);
  for (std::size_t index = 0; index < plan.ops.size(); ++index) {
    if (const Fault fault = verifier.next(plan.ops[index])) {
      return fmt::format("operation {} ({}) {}", index, describe(plan.ops[index].kind).name,
                         *fault);
    }
  }
  if (!verifier.complete()) return "its operations do not come to an end";
  return std::nullopt;
}

/// The inodes of a plan that have no name in the end, by their places before.
using Unnamed = std::set<std::pair<std::uint32_t, std::string_view>>;

/// A mount with `deleted` shows one inode of a filesystem that the plan makes, and nothing lies on
/// it: the kernel mounts nothing on what has no name.
Fault deleted_fault(const Plan& plan, std::size_t index, const Unnamed& unnamed) {
  const DesiredMount& mount = plan.mounts[index];
  if (index > 0 && plan.mounts[mount.parent].deleted) return "lies on what has no name";
  if (!mount.deleted) return std::nullopt;
  if (index == 0) return "is a root without a name";
  const bool held = unnamed.contains({mount.superblock, mount.root});
  if (deleted_label(mount.root).empty() || !held) return "shows no inode without a name";
  return std::nullopt;
}

Fault mounts_fault(const Plan& plan) {
  if (plan.mounts.empty()) return "it has no mounts";
  Unnamed unnamed;
  for (const DesiredNode& node : plan.nodes) {
    if (node.deleted) unnamed.emplace(node.superblock, node.path);
  }
  std::set<std::pair<std::uint32_t, std::string_view>> places;
  for (std::size_t index = 0; index < plan.mounts.size(); ++index) {
    const DesiredMount& mount = plan.mounts[index];
    Fault fault = mount_fault(plan, index);
    if (!fault) fault = deleted_fault(plan, index, unnamed);
    if (!fault && !places.emplace(mount.parent, mount.mountpoint).second)
      fault = "stands where another does";
    if (fault) return fmt::format("mount {} {}", index, *fault);
  }
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
  return ops_fault(plan);
}

}  // namespace mntcr
