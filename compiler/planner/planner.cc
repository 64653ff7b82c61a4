#include "compiler/planner/planner.h"

#include <algorithm>

#include "compiler/planner/anchors.h"
#include "compiler/planner/sharing.h"
#include "compiler/planner/steps.h"
#include "compiler/planner/survey.h"
#include "compiler/planner/trees.h"

namespace mntcr {
namespace {

using Kind = DesiredSuperblock::Kind;

/// The desired state, as it stands in the Layout.
Plan describe_layout(const Layout& layout, const SourceMap& sources) {
  Plan plan;
  plan.name = layout.name;
  plan.sources = sources;
  plan.superblocks = layout.superblocks;
  plan.filesystem_names = layout.filesystem_names;
  plan.idmaps = layout.idmaps;
  plan.nodes = layout.nodes;
  plan.namespaces = layout.namespaces;
  plan.groups = layout.groups;
  plan.escape = layout.escape;
  plan.mounts.reserve(layout.mounts.size());
  for (const LayoutMount& mount : layout.mounts) {
    plan.mounts.push_back({mount.parent, mount.superblock, mount.target, mount.mountpoint,
                           mount.root, mount.attrs, mount.span, mount.name, mount.on, mount.cover,
                           mount.self, mount.of, mount.idmap, mount.deleted, mount.ns, mount.group,
                           mount.master, mount.unbindable, mount.implied});
  }
  return plan;
}

/// Writes the operations around the trees: what comes before any of them, and each namespace's
/// frame.
class Planner {
 public:
  Planner(const Layout& layout, Plan& plan)
      : layout_(layout),
        survey_(survey(layout)),
        steps_(plan),
        anchors_(layout, survey_.access, steps_),
        sharing_(layout, survey_, anchors_, steps_),
        trees_(layout, survey_, anchors_, sharing_, steps_) {
    for (std::uint32_t index = 0; index < layout.mounts.size(); ++index) {
      if (layout.mounts[index].parent == no_index) roots_.push_back(index);
    }
  }

  void run() {
    enter();
    sharing_.open_groups();
    open_sources();
    make_filesystems();
    set_anchors();
    make_nodes();
    make_overlays();
    make_namespaces();
    for (const std::uint32_t root : roots_) build_namespace(root);
  }

 private:
  [[nodiscard]] const Access& access(std::uint32_t superblock) const {
    return survey_.access[superblock];
  }
  [[nodiscard]] bool is_overlay(std::uint32_t superblock) const {
    return !layout_.superblocks[superblock].layers.empty();
  }

  void enter() {
    const Span root = layout_.mounts.front().span;
    steps_.emit(OpKind::unshare, root);
    steps_.emit(OpKind::make_private, root);
    steps_.emit(OpKind::stage, root);
  }

  /// All of them before the first tree, so that none is a copy of anything but anchors.
  void make_namespaces() {
    for (std::uint32_t index = 1; index < roots_.size(); ++index)
      steps_.emit(OpKind::new_namespace, span_of(index)).b = index;
  }

  [[nodiscard]] Span span_of(std::uint32_t ns) const {
    return ns < layout_.namespaces.size() ? layout_.namespaces[ns].span : Span{};
  }

  /// A tree and what makes it the namespace's root. What waits for its propagation until then gets
  /// its helper before, as long as there are anchors.
  void build_namespace(std::uint32_t root) {
    const LayoutMount& mount = layout_.mounts[root];
    if (roots_.size() > 1) steps_.emit(OpKind::enter_namespace, span_of(mount.ns)).b = mount.ns;
    const std::vector<std::uint32_t> left = trees_.build(root);
    for (const std::uint32_t index : left) sharing_.prepare(index);
    anchors_.leave();
    if (root == roots_.back()) trees_.finish();
    steps_.emit(OpKind::pivot, mount.span, root).a = trees_.slot(root);
    steps_.emit(OpKind::drop_staging, mount.span);
    steps_.emit(OpKind::drop_parent, mount.span);
    for (const std::uint32_t index : left) {
      sharing_.give(index, trees_.slot(index));
      if (index != root) steps_.emit(OpKind::close, mount.span, index).a = trees_.slot(index);
    }
  }

  /// All of them before anything else, so that the missing ones are known together.
  void open_sources() { open_all(Kind::parent, OpKind::open_source); }
  void make_filesystems() { open_all(Kind::made, OpKind::new_filesystem); }

  void open_all(Kind kind, OpKind opening) {
    for (std::uint32_t index = 0; index < layout_.superblocks.size(); ++index) {
      const DesiredSuperblock& superblock = layout_.superblocks[index];
      if (superblock.kind != kind || !access(index).used() || is_overlay(index)) continue;
      Op& op = steps_.emit(opening, superblock.span);
      op.dst = anchors_.open(index);
      op.b = index;
    }
  }

  void set_anchors() {
    for (std::uint32_t index = 0; index < layout_.superblocks.size(); ++index) {
      if (!is_overlay(index)) set_anchor(index);
    }
  }

  void set_anchor(std::uint32_t superblock) {
    if (!access(superblock).anchored || !access(superblock).used()) return;
    steps_.emit(OpKind::anchor, layout_.superblocks[superblock].span).a =
        anchors_.original(superblock);
  }

  /// Before anything is cloned or mounted: each mount then finds what it shows or lies on.
  void make_nodes() {
    for (std::uint32_t index = 0; index < layout_.nodes.size(); ++index) {
      const DesiredNode& node = layout_.nodes[index];
      Op& op = steps_.emit(OpKind::make_node, node.span);
      op.a = anchors_.original(node.superblock);
      op.b = index;
    }
  }

  /// Each after its layers, which have anchors.
  void make_overlays() {
    for (std::uint32_t index = 0; index < layout_.superblocks.size(); ++index) {
      if (!is_overlay(index) || !access(index).used()) continue;
      make_overlay(index);
      set_anchor(index);
    }
  }

  void make_overlay(std::uint32_t index) {
    const DesiredSuperblock& overlay = layout_.superblocks[index];
    const Slot context = steps_.new_slot();
    Op& opening = steps_.emit(OpKind::open_overlay, overlay.span);
    opening.dst = context;
    opening.b = index;
    for (const DesiredLayer& layer : overlay.layers) {
      const Slot anchor = anchors_.original(layer.superblock);
      if (!layer.root.empty() && !writes_reach_parent(layout_.superblocks, layer.superblock)) {
        Op& op = steps_.emit(OpKind::make_layer, layer.span);
        op.a = anchor;
        op.text = layer.root;
      }
      Op& op = steps_.emit(OpKind::add_layer, layer.span);
      op.a = anchor;
      op.b = context;
      op.text = layer.root;
    }
    Op& op = steps_.emit(OpKind::new_overlay, overlay.span);
    op.dst = anchors_.open(index);
    op.a = context;
    op.b = index;
  }

  const Layout& layout_;
  Survey survey_;
  std::vector<std::uint32_t> roots_;  ///< of the namespaces, in their order
  Steps steps_;
  Anchors anchors_;
  Sharing sharing_;
  Trees trees_;
};

}  // namespace

Plan plan_layout(const Layout& layout, const SourceMap& sources) {
  Plan plan = describe_layout(layout, sources);
  Planner(layout, plan).run();
  return plan;
}

}  // namespace mntcr
