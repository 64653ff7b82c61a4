#include "runtime/plan/plan.h"

#include <algorithm>
#include <array>

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"

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
    if (is_parents(superblock)) return true;
    if (superblock.type != overlay_type) return false;
    const auto upper = std::ranges::find(superblock.layers, LayerRole::upper, &DesiredLayer::role);
    if (upper == superblock.layers.end()) return true;
    index = upper->superblock;
  }
}

bool is_parents(const DesiredSuperblock& superblock) {
  return superblock.kind == DesiredSuperblock::Kind::parent || is_singleton(superblock.type);
}

std::string_view propagation_name(Propagation propagation) {
  switch (propagation) {
    case Propagation::shared:
      return "shared";
    case Propagation::slave:
      return "slave";
    case Propagation::unbindable:
      return "unbindable";
  }
  return "";
}

std::string deleted_place(std::string_view label) { return path::join(deleted_folder, label); }

std::string_view deleted_label(std::string_view root) {
  const std::size_t skipped = deleted_folder.size() + 1;
  return is_deleted_place(root) && root.size() > skipped ? root.substr(skipped)
                                                         : std::string_view{};
}

bool is_deleted_place(std::string_view path) {
  return path == deleted_folder ||
         (path.starts_with(deleted_folder) && path[deleted_folder.size()] == '/');
}

std::string_view kind_word(NodeKind kind) {
  switch (kind) {
    case NodeKind::directory:
      return "dir";
    case NodeKind::file:
      return "file";
    case NodeKind::fifo:
      return "fifo";
    case NodeKind::socket:
      return "socket";
    case NodeKind::character:
      return "char";
    case NodeKind::block:
      return "block";
    case NodeKind::symlink:
      return "symlink";
  }
  return "";
}

std::string node_words(const DesiredNode& node) {
  const std::string word(kind_word(node.kind));
  if (node.kind == NodeKind::symlink) return word + ":" + node.target;
  const bool device = node.kind == NodeKind::character || node.kind == NodeKind::block;
  return device ? word + ":" + std::to_string(node.dev_major) + ":" + std::to_string(node.dev_minor)
                : word;
}

std::string_view implied_word(Implied implied) {
  switch (implied) {
    case Implied::no:
      return "";
    case Implied::clone:
      return "clone";
    case Implied::sharing:
      return "sharing";
  }
  return "";
}

bool is_op(std::uint8_t number) { return number < table.size(); }

}  // namespace mntcr
