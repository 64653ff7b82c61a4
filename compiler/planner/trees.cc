#include "compiler/planner/trees.h"

#include <algorithm>

#include "runtime/base/path.h"

namespace mntcr {

Trees::Trees(const Layout& layout, const Survey& survey, Anchors& anchors, Sharing& sharing,
             Steps& steps)
    : layout_(layout),
      survey_(survey),
      anchors_(anchors),
      sharing_(sharing),
      steps_(steps),
      children_(layout.mounts.size()),
      slots_(layout.mounts.size(), no_slot) {
  for (std::uint32_t index = 0; index < layout.nodes.size(); ++index)
    nodes_.emplace(std::pair(layout.nodes[index].superblock, layout.nodes[index].path), index);
  for (std::uint32_t index = 0; index < layout.mounts.size(); ++index) {
    const std::uint32_t parent = layout.mounts[index].parent;
    if (parent != no_index) children_[parent].push_back(index);
  }
}

/// Depth first, so that registers are free early, and each mount complete before the next sibling
/// comes. Not recursive: a chain may be as long as the spec.
std::vector<std::uint32_t> Trees::build(std::uint32_t root) {
  std::vector<std::uint32_t> left = {root};
  if (const std::uint32_t top = topmost(root); top != root) left.push_back(top);
  std::vector<std::pair<std::uint32_t, bool>> todo = {{root, false}};
  while (!todo.empty()) {
    const auto [index, below_done] = todo.back();
    todo.pop_back();
    if (below_done) {
      complete(index, std::ranges::find(left, index) != left.end());
      continue;
    }
    build_mount(index);
    todo.emplace_back(index, true);
    sort_children(index);
    for (const std::uint32_t child : children_[index]) todo.emplace_back(child, false);
  }
  return left;
}

/// What walks through "/" meet: the end of the stack on the root.
std::uint32_t Trees::topmost(std::uint32_t root) const {
  std::uint32_t top = root;
  for (std::uint32_t next = root; next != no_index;) {
    top = next;
    const auto above = std::ranges::find_if(children_[top], [&](std::uint32_t child) {
      return layout_.mounts[child].mountpoint.empty();
    });
    next = above == children_[top].end() ? no_index : *above;
  }
  return top;
}

/// The last is built first: of siblings that with the longer mountpoint, so that the walk to one
/// never crosses another.
void Trees::sort_children(std::uint32_t index) {
  std::ranges::sort(children_[index], {}, [&](std::uint32_t child) {
    return std::pair(path::components(layout_.mounts[child].mountpoint).size(), child);
  });
}

/// `later`: it stays private and open for now.
void Trees::complete(std::uint32_t index, bool later) {
  const LayoutMount& mount = layout_.mounts[index];
  if (!access_of(mount).anchored) make_read_only(mount.superblock);
  if (later) return;
  sharing_.give(index, slots_[index]);
  steps_.emit(OpKind::close, mount.span, index).a = slots_[index];
}

void Trees::finish() {
  remove_nodes();
  for (std::uint32_t index = 0; index < survey_.access.size(); ++index) {
    const Access& access = survey_.access[index];
    if (!access.anchored || !access.used()) continue;
    make_read_only(index);
    steps_.emit(OpKind::close, layout_.superblocks[index].span).a = anchors_.original(index);
  }
}

/// What has no name takes no mounts and is no bind's source, so names go last of all; those in a
/// folder before the folder.
void Trees::remove_nodes() {
  for (std::uint32_t index = static_cast<std::uint32_t>(layout_.nodes.size()); index-- > 0;) {
    const DesiredNode& node = layout_.nodes[index];
    if (!node.deleted) continue;
    Op& op = steps_.emit(OpKind::remove_node, node.span);
    op.a = anchors_.original(node.superblock);
    op.b = index;
  }
}

/// Only at its end, for until then mountpoints are made on it.
void Trees::make_read_only(std::uint32_t superblock) {
  if (!survey_.access[superblock].closing) return;
  Op& op = steps_.emit(OpKind::make_read_only, layout_.superblocks[superblock].span);
  op.a = anchors_.original(superblock);
  op.b = superblock;
}

void Trees::build_mount(std::uint32_t index) {
  const LayoutMount& mount = layout_.mounts[index];
  slots_[index] = take_mount(index);
  if (mount.attrs.mask != 0 || mount.idmap != no_index) {
    Op& op = steps_.emit(OpKind::set_attributes, mount.span, index);
    op.a = slots_[index];
    op.b = mount.idmap;
    op.attrs = mount.attrs;
  }
  if (mount.parent == no_index) {
    steps_.emit(OpKind::attach_root, mount.span, index).a = slots_[index];
    return;
  }
  make_mountpoint(index);
  Op& op = steps_.emit(OpKind::attach, mount.target_span, index);
  op.a = slots_[index];
  op.b = slots_[mount.parent];
  op.text = mount.mountpoint;
}

/// The node at `path` of a superblock, no_slot where it has none there.
std::uint32_t Trees::node_at(std::uint32_t superblock, const std::string& path) const {
  const auto found = nodes_.find({superblock, path});
  return found == nodes_.end() ? no_slot : found->second;
}

/// The register of a mount of the right superblock and root, not yet attached anywhere.
Slot Trees::take_mount(std::uint32_t index) {
  const LayoutMount& mount = layout_.mounts[index];
  const Slot source = anchors_.at(mount.superblock);
  if (!access_of(mount).anchored) return source;
  const std::uint32_t node = node_at(mount.superblock, mount.root);
  if (!mount.root.empty() && !on_parents(mount) && node == no_slot) {
    Op& op = steps_.emit(OpKind::make_directory, mount.source_span, index);
    op.a = source;
    op.text = mount.root;
  }
  Op& op = steps_.emit(OpKind::clone, mount.source_span, index);
  op.dst = steps_.new_slot();
  op.a = source;
  op.b = node;
  op.text = mount.root;
  return op.dst;
}

/// Through the anchor where there is one: it is writable whatever the parent mount's flags are.
void Trees::make_mountpoint(std::uint32_t index) {
  const LayoutMount& mount = layout_.mounts[index];
  const LayoutMount& parent = layout_.mounts[mount.parent];
  if (mount.mountpoint.empty() || !may_make(mount.create, on_parents(parent))) return;
  const std::string place = path::join(parent.root, mount.mountpoint);
  if (node_at(parent.superblock, place) != no_slot) return;
  const Slot below = anchors_.at(parent.superblock);
  Op& op = steps_.emit(OpKind::make_mountpoint, mount.target_span, index);
  op.create = mount.create;
  op.host = on_parents(parent);
  op.a = below;
  op.b = slots_[index];
  op.text = place;
}

}  // namespace mntcr
