#include "compiler/planner/planner.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/path.h"

namespace mntcr {
namespace {

using Kind = DesiredSuperblock::Kind;

/// How a superblock is reached while the trees are built.
struct Access {
  std::uint32_t mounts = 0;  ///< that show it
  std::uint32_t layers = 0;  ///< of overlays that are parts of it
  bool part = false;         ///< one of them shows only a part of it
  bool made_on = false;      ///< mountpoints are made on it
  bool holds = false;        ///< a tree is made on it
  bool read_only = false;    ///< one of its mounts is read-only
  bool idmapped = false;     ///< one of its mounts is: nobody's files could be made through it
  bool closing = false;      ///< it becomes read-only itself when all places on it are made
  bool anchored = false;     ///< its mounts are clones of an anchor, else its one mount is used up
  Slot slot = no_slot;       ///< of the anchor, or of the mount that will be used up

  [[nodiscard]] bool used() const { return mounts > 0 || layers > 0; }
};

/// Which mountpoints a plan may make: on filesystems of its own, or where the spec says so.
bool may_make(Create create, bool on_parents) {
  if (create == Create::automatic) return !on_parents;
  return create != Create::never;
}

/// Builds the operations, phase by phase.
class Planner {
 public:
  Planner(const Layout& layout, const SourceMap& sources) : layout_(layout) {
    plan_.name = layout.name;
    plan_.sources = sources;
    plan_.superblocks = layout.superblocks;
    plan_.filesystem_names = layout.filesystem_names;
    plan_.idmaps = layout.idmaps;
    plan_.namespaces = layout.namespaces;
    plan_.groups = layout.groups;
    plan_.escape = layout.escape;
    children_.resize(layout.mounts.size());
    slots_.resize(layout.mounts.size(), no_slot);
    plan_.nodes = layout.nodes;
    for (std::uint32_t index = 0; index < layout.nodes.size(); ++index)
      nodes_.emplace(std::pair(layout.nodes[index].superblock, layout.nodes[index].path), index);
  }

  Plan run() {
    describe_mounts();
    survey();
    enter();
    open_sources();
    make_filesystems();
    set_anchors();
    make_nodes();
    make_overlays();
    build_tree();
    leave_parent();
    return std::move(plan_);
  }

 private:
  Op& emit(OpKind kind, Span span, std::uint32_t mount = no_index) {
    Op& op = plan_.ops.emplace_back();
    op.kind = kind;
    op.span = span;
    op.mount = mount;
    return op;
  }

  Slot new_slot() { return plan_.slots++; }

  [[nodiscard]] Access& access_of(const LayoutMount& mount) { return access_[mount.superblock]; }
  /// Whether a directory made there would be made on a filesystem of the parent.
  [[nodiscard]] bool on_parents(const LayoutMount& mount) const {
    return writes_reach_parent(layout_.superblocks, mount.superblock);
  }
  [[nodiscard]] bool is_overlay(std::uint32_t superblock) const {
    return !layout_.superblocks[superblock].layers.empty();
  }

  /// The desired state, and who lies on whom.
  void describe_mounts() {
    plan_.mounts.reserve(layout_.mounts.size());
    for (std::uint32_t index = 0; index < layout_.mounts.size(); ++index) {
      const LayoutMount& mount = layout_.mounts[index];
      plan_.mounts.push_back(
          {mount.parent, mount.superblock, mount.target, mount.mountpoint, mount.root, mount.attrs,
           mount.span, mount.name, mount.on, mount.cover, mount.self, mount.of, mount.idmap,
           mount.deleted, mount.ns, mount.group, mount.master, mount.unbindable, mount.implied});
      if (mount.parent != no_index) children_[mount.parent].push_back(index);
    }
  }

  /// Which superblocks need an anchor: those that are cloned from more than once or in part, and
  /// those whose one mount is read-only or idmapped while mountpoints must be made on it.
  void survey() {
    access_.resize(layout_.superblocks.size());
    for (const LayoutMount& mount : layout_.mounts) {
      Access& access = access_of(mount);
      ++access.mounts;
      access.part |= !mount.root.empty();
      access.read_only |= (mount.attrs.value & mount_attr::rdonly) != 0;
      access.idmapped |= mount.idmap != no_index;
      if (mount.parent == no_index || mount.mountpoint.empty()) continue;
      const LayoutMount& parent = layout_.mounts[mount.parent];
      if (may_make(mount.create, on_parents(parent))) access_of(parent).made_on = true;
    }
    // Layers stand before what they are layers of.
    for (auto index = static_cast<std::uint32_t>(access_.size()); index-- > 0;) {
      if (!access_[index].used()) continue;
      for (const DesiredLayer& layer : layout_.superblocks[index].layers)
        ++access_[layer.superblock].layers;
    }
    for (const DesiredNode& node : layout_.nodes) access_[node.superblock].holds = true;
    for (std::size_t index = 0; index < access_.size(); ++index) {
      Access& access = access_[index];
      const AttrDemand& flags = layout_.superblocks[index].flags;
      access.closing = (flags.value & fs_flag::rdonly) != 0 &&
                       (access.made_on || access.part || access.holds || access.layers > 0);
      access.anchored = access.mounts > 1 || access.part || access.layers > 0 ||
                        (access.made_on && (access.read_only || access.idmapped));
    }
  }

  void enter() {
    const Span root = layout_.mounts.front().span;
    emit(OpKind::unshare, root);
    emit(OpKind::make_private, root);
    emit(OpKind::stage, root);
  }

  void leave_parent() {
    const Span root = layout_.mounts.front().span;
    emit(OpKind::pivot, root, 0).a = slots_.front();
    emit(OpKind::drop_staging, root);
    emit(OpKind::drop_parent, root);
  }

  /// All of them before anything else, so that the missing ones are known together.
  void open_sources() { open_all(Kind::parent, OpKind::open_source); }
  void make_filesystems() { open_all(Kind::made, OpKind::new_filesystem); }

  void open_all(Kind kind, OpKind opening) {
    for (std::uint32_t index = 0; index < layout_.superblocks.size(); ++index) {
      const DesiredSuperblock& superblock = layout_.superblocks[index];
      if (superblock.kind != kind || !access_[index].used() || is_overlay(index)) continue;
      Op& op = emit(opening, superblock.span);
      op.dst = access_[index].slot = new_slot();
      op.b = index;
    }
  }

  void set_anchors() {
    for (std::uint32_t index = 0; index < access_.size(); ++index) {
      if (!is_overlay(index)) set_anchor(index);
    }
  }

  void set_anchor(std::uint32_t superblock) {
    const Access& access = access_[superblock];
    if (access.anchored && access.used()) {
      emit(OpKind::anchor, layout_.superblocks[superblock].span).a = access.slot;
    }
  }

  /// Each after its layers, which have anchors.
  void make_overlays() {
    for (std::uint32_t index = 0; index < layout_.superblocks.size(); ++index) {
      if (!is_overlay(index) || !access_[index].used()) continue;
      make_overlay(index);
      set_anchor(index);
    }
  }

  void make_overlay(std::uint32_t index) {
    const DesiredSuperblock& overlay = layout_.superblocks[index];
    const Slot context = new_slot();
    Op& opening = emit(OpKind::open_overlay, overlay.span);
    opening.dst = context;
    opening.b = index;
    for (const DesiredLayer& layer : overlay.layers) {
      const Slot anchor = access_[layer.superblock].slot;
      if (!layer.root.empty() && !writes_reach_parent(layout_.superblocks, layer.superblock)) {
        Op& op = emit(OpKind::make_layer, layer.span);
        op.a = anchor;
        op.text = layer.root;
      }
      Op& op = emit(OpKind::add_layer, layer.span);
      op.a = anchor;
      op.b = context;
      op.text = layer.root;
    }
    Op& op = emit(OpKind::new_overlay, overlay.span);
    op.dst = access_[index].slot = new_slot();
    op.a = context;
    op.b = index;
  }

  /// Before anything is cloned or mounted: each mount then finds what it shows or lies on.
  void make_nodes() {
    for (std::uint32_t index = 0; index < layout_.nodes.size(); ++index)
      emit_node(OpKind::make_node, index);
  }

  /// What has no name takes no mounts and is no bind's source, so names go last of all; those in a
  /// folder before the folder.
  void remove_nodes() {
    for (std::uint32_t index = static_cast<std::uint32_t>(layout_.nodes.size()); index-- > 0;) {
      if (layout_.nodes[index].deleted) emit_node(OpKind::remove_node, index);
    }
  }

  void emit_node(OpKind kind, std::uint32_t index) {
    const DesiredNode& node = layout_.nodes[index];
    Op& op = emit(kind, node.span);
    op.a = access_[node.superblock].slot;
    op.b = index;
  }

  /// The node at `path` of a superblock, no_slot where it has none there.
  [[nodiscard]] std::uint32_t node_at(std::uint32_t superblock, const std::string& path) const {
    const auto found = nodes_.find({superblock, path});
    return found == nodes_.end() ? no_slot : found->second;
  }

  /// Depth first, so that registers are free early; of siblings the longer mountpoint first, so
  /// that the walk to one never crosses another. Not recursive: a chain may be as long as the spec.
  void build_tree() {
    std::vector<std::pair<std::uint32_t, bool>> todo = {{0, false}};
    while (!todo.empty()) {
      const auto [index, below_done] = todo.back();
      todo.pop_back();
      if (below_done) {
        close(index);
        continue;
      }
      build_mount(index);
      todo.emplace_back(index, true);
      std::ranges::sort(children_[index], {}, [&](std::uint32_t child) {
        return std::pair(path::components(layout_.mounts[child].mountpoint).size(), child);
      });
      for (const std::uint32_t child : children_[index]) todo.emplace_back(child, false);
    }
    remove_nodes();
    for (std::uint32_t index = 0; index < access_.size(); ++index) {
      const Access& access = access_[index];
      if (access.anchored && access.used()) {
        make_read_only(index);
        emit(OpKind::close, layout_.superblocks[index].span).a = access.slot;
      }
    }
  }

  /// Only at its end, for until then mountpoints are made on it.
  void make_read_only(std::uint32_t superblock) {
    const Access& access = access_[superblock];
    if (!access.closing) return;
    Op& op = emit(OpKind::make_read_only, layout_.superblocks[superblock].span);
    op.a = access.slot;
    op.b = superblock;
  }

  /// The root's register is needed by the pivot.
  void close(std::uint32_t index) {
    const std::uint32_t superblock = layout_.mounts[index].superblock;
    if (!access_[superblock].anchored) make_read_only(superblock);
    if (index != 0) emit(OpKind::close, layout_.mounts[index].span, index).a = slots_[index];
  }

  void build_mount(std::uint32_t index) {
    const LayoutMount& mount = layout_.mounts[index];
    slots_[index] = take_mount(index);
    if (mount.attrs.mask != 0 || mount.idmap != no_index) {
      Op& op = emit(OpKind::set_attributes, mount.span, index);
      op.a = slots_[index];
      op.b = mount.idmap;
      op.attrs = mount.attrs;
    }
    if (mount.parent == no_index) {
      emit(OpKind::attach_root, mount.span, index).a = slots_[index];
      return;
    }
    make_mountpoint(index);
    Op& op = emit(OpKind::attach, mount.target_span, index);
    op.a = slots_[index];
    op.b = slots_[mount.parent];
    op.text = mount.mountpoint;
  }

  /// The register of a mount of the right superblock and root, not yet attached anywhere.
  Slot take_mount(std::uint32_t index) {
    const LayoutMount& mount = layout_.mounts[index];
    const Access& access = access_of(mount);
    if (!access.anchored) return access.slot;
    const std::uint32_t node = node_at(mount.superblock, mount.root);
    if (!mount.root.empty() && !on_parents(mount) && node == no_slot) {
      Op& op = emit(OpKind::make_directory, mount.source_span, index);
      op.a = access.slot;
      op.text = mount.root;
    }
    Op& op = emit(OpKind::clone, mount.source_span, index);
    op.dst = new_slot();
    op.a = access.slot;
    op.b = node;
    op.text = mount.root;
    return op.dst;
  }

  /// Through the anchor where there is one: it is writable whatever the parent mount's flags are.
  void make_mountpoint(std::uint32_t index) {
    const LayoutMount& mount = layout_.mounts[index];
    const LayoutMount& parent = layout_.mounts[mount.parent];
    if (mount.mountpoint.empty() || !may_make(mount.create, on_parents(parent))) return;
    const std::string place = path::join(parent.root, mount.mountpoint);
    if (node_at(parent.superblock, place) != no_slot) return;
    Op& op = emit(OpKind::make_mountpoint, mount.target_span, index);
    op.create = mount.create;
    op.host = on_parents(parent);
    op.a = access_of(parent).slot;
    op.b = slots_[index];
    op.text = place;
  }

  const Layout& layout_;
  Plan plan_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> nodes_;  ///< their numbers
  std::vector<Access> access_;                                            ///< by superblock
  std::vector<std::vector<std::uint32_t>> children_;                      ///< by mount
  std::vector<Slot> slots_;                                               ///< by mount
};

}  // namespace

Plan plan_layout(const Layout& layout, const SourceMap& sources) {
  return Planner(layout, sources).run();
}

}  // namespace mntcr
