// What is wrong with the operations: each register is followed from what it came to hold to its
// closing, so that whatever a plan does, it does to mounts of its own namespaces that are still
// private. A hostile plan could otherwise mount below the peer of a mount of the parent's, and the
// parent would get that mount, too.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/plan/verify_parts.h"

namespace mntcr {
namespace {

/// What a register holds.
struct Register {
  enum class State : std::uint8_t {
    empty,
    mount,
    overlay,  ///< no mount, but an overlay that gets its layers
    group,    ///< a mount of the parent's own, to take a group from and for nothing else
    closed,
  };
  enum class Place : std::uint8_t { detached, anchored, standing };
  /// `joined`: it has got somebody's group, which a helper leaves again as a slave.
  enum class Shared : std::uint8_t { none, unbindable, joined, slave, done };

  State state = State::empty;
  Place place = Place::detached;
  Shared shared = Shared::none;
  bool on_root = false;                 ///< it is the root or lies in a stack on it
  bool of_parent = false;               ///< it shows a filesystem of the parent
  std::uint32_t ns = 0;                 ///< where it stands
  std::uint32_t superblock = no_index;  ///< that it came to be with, no_index for clones
  std::size_t layers = 0;               ///< that an overlay has by now
};

using State = Register::State;
using Place = Register::Place;
using Shared = Register::Shared;

/// Follows the registers through the operations.
class OpVerifier {
 public:
  explicit OpVerifier(const Plan& plan) : plan_(plan), registers_(plan.slots) {}

  Fault next(const Op& op) {
    if (Fault fault = order_fault(op)) return fault;
    if (!is_sound(op.attrs)) return "has flags without meaning";
    if (op.mount != no_index && op.mount >= plan_.mounts.size())
      return "is for no mount of the plan";
    return operand_fault(op);
  }

  [[nodiscard]] bool complete() const {
    return framed_ == frame.size() && namespace_ + 1 == plan_.namespaces.size();
  }

 private:
  /// The steps that every namespace begins and ends with, once each and in this order: the first
  /// put the parent out of reach, the last leave nothing of it behind. Those after the first begin
  /// with what `stage` led to.
  static constexpr std::array frame = {OpKind::unshare, OpKind::make_private, OpKind::stage,
                                       OpKind::pivot,   OpKind::drop_staging, OpKind::drop_parent};
  static constexpr std::size_t entering = 3;

  Fault order_fault(const Op& op) {
    const Phase phase = describe(op.kind).phase;
    if (phase == Phase::enter || phase == Phase::root) return frame_fault(op);
    if (op.kind == OpKind::enter_namespace) return entering_fault(op);
    if (phase == Phase::sharing && framed_ == frame.size()) return std::nullopt;
    if (complete()) return "comes after the last";
    if (framed_ != entering) return "does not come between the parent's leaving and the end";
    const Phase step = phase == Phase::sharing ? Phase::trees : phase;
    if (step == Phase::trees && made_ != plan_.namespaces.size())
      return "comes before there are all namespaces";
    if (step == Phase::trees && made_ > 1 && !entered_) return "is done in none of the namespaces";
    if (step < phase_) return "comes in the wrong phase";
    phase_ = step;
    return std::nullopt;
  }

  Fault frame_fault(const Op& op) {
    if (framed_ == frame.size()) return "comes after the last";
    if (op.kind != frame.at(framed_)) return "enters or leaves in the wrong order";
    if (framed_ == entering && made_ != plan_.namespaces.size())
      return "comes before there are all namespaces";
    ++framed_;
    return std::nullopt;
  }

  /// One namespace after another, each when the one before is what it shall be.
  Fault entering_fault(const Op& op) {
    const std::uint32_t next = entered_ ? namespace_ + 1 : 0;
    if (made_ < 2 || made_ != plan_.namespaces.size() || op.b != next || next >= made_)
      return "enters another namespace than comes next";
    if (framed_ != (entered_ ? frame.size() : entering)) return "leaves a namespace half made";
    namespace_ = next;
    entered_ = true;
    framed_ = entering;
    rooted_ = false;
    phase_ = Phase::trees;
    return std::nullopt;
  }

  Fault fill(Slot slot, bool of_parent, std::uint32_t superblock) {
    if (slot >= registers_.size() || registers_[slot].state != State::empty)
      return "fills no empty register";
    registers_[slot].state = State::mount;
    registers_[slot].of_parent = of_parent;
    registers_[slot].superblock = superblock;
    return std::nullopt;
  }

  [[nodiscard]] Fault used(Slot slot) const {
    if (slot >= registers_.size() || registers_[slot].state != State::mount)
      return "uses no open register";
    return std::nullopt;
  }

  /// A mount that stands nowhere yet and that nobody shares.
  [[nodiscard]] Fault loose(Slot slot) const {
    if (Fault fault = used(slot)) return fault;
    if (registers_[slot].place != Place::detached) return "moves or changes what stands already";
    if (registers_[slot].shared != Shared::none) return "moves or changes what is shared";
    return std::nullopt;
  }

  Fault operand_fault(const Op& op) {
    switch (op.kind) {
      case OpKind::unshare:
      case OpKind::make_private:
      case OpKind::stage:
      case OpKind::drop_staging:
      case OpKind::drop_parent:
      case OpKind::enter_namespace:
        return std::nullopt;
      case OpKind::open_group:
        return group_fault(op);
      case OpKind::open_source:
      case OpKind::new_filesystem:
        return opening_fault(op);
      case OpKind::open_overlay:
      case OpKind::add_layer:
      case OpKind::new_overlay:
        return overlay_fault(op);
      case OpKind::new_namespace:
        if (op.b != made_ || made_ >= plan_.namespaces.size())
          return "makes no namespace that comes next";
        ++made_;
        return std::nullopt;
      case OpKind::anchor:
      case OpKind::attach_root:
      case OpKind::pivot:
      case OpKind::attach:
        return placing_fault(op);
      case OpKind::clone:
      case OpKind::reopen:
        return copying_fault(op);
      case OpKind::set_attributes:
        if (op.b != no_slot && op.b >= plan_.idmaps.size()) return "sets no idmap of the plan";
        return loose(op.a);
      case OpKind::set_propagation:
        return propagation_fault(op);
      case OpKind::set_group:
        return joining_fault(op);
      case OpKind::make_read_only:
        return closing_fault(op);
      case OpKind::close:
        return close_fault(op);
      case OpKind::make_node:
      case OpKind::remove_node:
        return node_operand_fault(op);
      case OpKind::make_layer:
      case OpKind::make_directory:
      case OpKind::make_mountpoint:
        return making_fault(op);
    }
    return "is unknown";
  }

  Fault opening_fault(const Op& op) {
    const bool source = op.kind == OpKind::open_source;
    if (op.b >= plan_.superblocks.size())
      return source ? "opens no superblock of the plan" : "makes no superblock of the plan";
    const DesiredSuperblock& superblock = plan_.superblocks[op.b];
    if ((superblock.kind == DesiredSuperblock::Kind::parent) != source)
      return source ? "opens no source" : "makes no filesystem";
    if (!superblock.layers.empty()) return "makes an overlay without layers";
    return fill(op.dst, source || is_parents(superblock), op.b);
  }

  Fault group_fault(const Op& op) {
    if (op.b >= plan_.groups.size() || !is_crossing(plan_.groups[op.b]))
      return "opens no group of the parent's";
    if (Fault fault = fill(op.dst, true, no_index)) return fault;
    registers_[op.dst].state = State::group;
    return std::nullopt;
  }

  /// What stands stays where it is, and nothing is mounted on what somebody shares: each attach
  /// makes one mount, in the plan's own namespace.
  Fault placing_fault(const Op& op) {
    if (op.kind == OpKind::attach_root && rooted_) return "makes a second root";
    if (op.kind == OpKind::pivot) {
      if (!rooted_) return "comes before there is a root";
      return op.a == root_ ? used(op.a) : "makes another mount the root";
    }
    if (Fault fault = loose(op.a)) return fault;
    if (op.kind == OpKind::attach) {
      if (!path::is_normal_relative(op.text)) return "has a path that is not normal";
      if (Fault fault = used(op.b)) return fault;
      const Register& below = registers_[op.b];
      if (below.place != Place::standing || below.ns != namespace_)
        return "mounts on what does not stand in this namespace";
      if (below.shared != Shared::none) return "mounts on what is shared";
    }
    if (op.kind == OpKind::attach_root) {
      rooted_ = true;
      root_ = top_ = op.a;
      registers_[op.a].on_root = true;
    } else if (op.kind == OpKind::attach && op.text.empty() && registers_[op.b].on_root) {
      top_ = op.a;
      registers_[op.a].on_root = true;
    }
    registers_[op.a].place = op.kind == OpKind::anchor ? Place::anchored : Place::standing;
    registers_[op.a].ns = namespace_;
    return std::nullopt;
  }

  /// Anchors never become anything but private, so neither are copies of them.
  Fault copying_fault(const Op& op) {
    if (!path::is_normal_relative(op.text)) return "has a path that is not normal";
    if (Fault fault = used(op.a)) return fault;
    const Register& from = registers_[op.a];
    const bool again = op.kind == OpKind::reopen;
    if (again ? namespace_ == 0 || from.ns != 0 : from.ns != namespace_)
      return "uses an anchor of another namespace";
    if (from.place != Place::anchored) return "copies what is no anchor";
    if (!again && op.b != no_slot && op.b >= plan_.nodes.size()) return "shows no node of the plan";
    if (Fault fault = fill(op.dst, from.of_parent, again ? from.superblock : no_index))
      return fault;
    if (again) registers_[op.dst].place = Place::anchored;
    registers_[op.dst].ns = namespace_;
    return std::nullopt;
  }

  /// A helper may become a slave and then shared; what stands gets its propagation once.
  Fault propagation_fault(const Op& op) {
    if (op.b >= propagation_count) return "sets no propagation";
    if (Fault fault = sharing_fault(op.a)) return fault;
    Register& mount = registers_[op.a];
    const bool helper = mount.place == Place::detached;
    switch (static_cast<Propagation>(op.b)) {
      case Propagation::shared:
        if (mount.shared != Shared::none && (!helper || mount.shared != Shared::slave))
          return "shares what is shared";
        mount.shared = Shared::done;
        break;
      case Propagation::slave:
        if (!helper || mount.shared != Shared::joined) return "makes no helper a slave";
        mount.shared = Shared::slave;
        break;
      case Propagation::unbindable:
        if (helper || mount.shared != Shared::none) return "makes what is shared unbindable";
        mount.shared = Shared::unbindable;
        break;
    }
    return std::nullopt;
  }

  Fault joining_fault(const Op& op) {
    const bool crossing = op.a < registers_.size() && registers_[op.a].state == State::group;
    if (!crossing) {
      if (Fault fault = used(op.a)) return fault;
      const Shared from = registers_[op.a].shared;
      if (from == Shared::none || from == Shared::unbindable) return "takes a group where none is";
    }
    if (Fault fault = sharing_fault(op.b)) return fault;
    Register& to = registers_[op.b];
    if (to.shared != Shared::none && to.shared != Shared::unbindable)
      return "shares what is shared";
    to.shared = to.place == Place::detached ? Shared::joined : Shared::done;
    return std::nullopt;
  }

  /// Whether the propagation of a mount may be changed here: that of a helper, or of one that
  /// stands in this namespace; of the root and of what covers it only when the namespace is done:
  /// the parent's copied mounts come to lie on these.
  [[nodiscard]] Fault sharing_fault(Slot slot) const {
    if (Fault fault = used(slot)) return fault;
    const Register& mount = registers_[slot];
    if (mount.place == Place::anchored) return "shares an anchor";
    if (mount.place == Place::detached) return std::nullopt;
    if (mount.ns != namespace_) return "shares a mount of another namespace";
    if ((slot == root_ || slot == top_) && framed_ != frame.size())
      return "shares the root before the end";
    return std::nullopt;
  }

  [[nodiscard]] Fault closing_fault(const Op& op) const {
    if (Fault fault = used(op.a)) return fault;
    if (registers_[op.a].of_parent) return "changes a filesystem of the parent";
    if (op.b >= plan_.superblocks.size()) return "changes no superblock of the plan";
    return std::nullopt;
  }

  Fault close_fault(const Op& op) {
    if (op.a >= registers_.size() || registers_[op.a].state == State::empty ||
        registers_[op.a].state == State::closed)
      return "uses no open register";
    registers_[op.a].state = State::closed;
    return std::nullopt;
  }

  /// The steps of an overlay: its layers come as its superblock lists them, each from a register
  /// that shows the layer's superblock, and it is mounted when it has them all.
  Fault overlay_fault(const Op& op) {
    if (op.kind == OpKind::open_overlay) {
      if (op.b >= plan_.superblocks.size() || plan_.superblocks[op.b].layers.empty())
        return "opens no overlay of the plan";
      if (Fault fault = fill(op.dst, false, op.b)) return fault;
      registers_[op.dst].state = State::overlay;
      return std::nullopt;
    }
    const Slot slot = op.kind == OpKind::add_layer ? op.b : op.a;
    if (slot >= registers_.size() || registers_[slot].state != State::overlay)
      return "is for no overlay";
    Register& context = registers_[slot];
    const auto& layers = plan_.superblocks[context.superblock].layers;
    if (op.kind == OpKind::new_overlay) {
      if (op.b != context.superblock) return "mounts another overlay than it says";
      if (context.layers != layers.size()) return "mounts an overlay that lacks layers";
      context.state = State::closed;
      return fill(op.dst, writes_reach_parent(plan_.superblocks, op.b), op.b);
    }
    if (Fault fault = used(op.a)) return fault;
    if (context.layers == layers.size()) return "adds a layer too many";
    const DesiredLayer& layer = layers[context.layers++];
    if (registers_[op.a].superblock != layer.superblock || op.text != layer.root)
      return "adds another layer than comes next";
    return std::nullopt;
  }

  /// A node is made on, and only one without a name removed from, the very mount that its
  /// filesystem came to be with.
  [[nodiscard]] Fault node_operand_fault(const Op& op) const {
    if (op.b >= plan_.nodes.size()) return "is about no node of the plan";
    if (Fault fault = used(op.a)) return fault;
    const DesiredNode& node = plan_.nodes[op.b];
    if (registers_[op.a].superblock != node.superblock)
      return "is about a node of another filesystem";
    if (op.kind == OpKind::remove_node && !node.deleted) return "removes what has a name";
    return std::nullopt;
  }

  /// On the parent's filesystems only mountpoints are made, only where the spec says so by
  /// `create`, and known as what has to be taken back when the plan fails.
  [[nodiscard]] Fault making_fault(const Op& op) const {
    if (!path::is_normal_relative(op.text)) return "has a path that is not normal";
    if (Fault fault = used(op.a)) return fault;
    const bool of_parent = registers_[op.a].of_parent;
    if (op.kind != OpKind::make_mountpoint) {
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
  std::vector<Register> registers_;
  Phase phase_ = Phase::enter;
  std::size_t framed_ = 0;       ///< steps of the namespace's frame that came
  std::uint32_t made_ = 1;       ///< namespaces
  std::uint32_t namespace_ = 0;  ///< in which the steps are done
  bool entered_ = false;         ///< it was entered, which a single one needs not be
  bool rooted_ = false;
  Slot root_ = no_slot;
  Slot top_ = no_slot;  ///< the topmost of the stack on the root
};

}  // namespace

Fault operations_fault(const Plan& plan) {
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

}  // namespace mntcr
