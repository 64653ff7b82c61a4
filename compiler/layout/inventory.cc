#include "compiler/layout/inventory.h"

#include <fmt/format.h>

#include "compiler/spec/tree.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

using spec::FilesystemDecl;
using spec::InodeDecl;
using spec::MountIndex;
using spec::TreeEntry;

constexpr std::uint32_t directory_mode = 0755;
constexpr std::uint32_t hidden_mode = 0700;

bool fits(std::string_view type, NodeKind kind) {
  const Holds holds = what_holds(type);
  return holds == Holds::everything || (holds == Holds::directories && kind == NodeKind::directory);
}

}  // namespace

Inventory::Inventory(const spec::Spec& spec, const std::vector<std::optional<Content>>& contents,
                     Diagnostics& diagnostics)
    : diagnostics_(diagnostics) {
  add_trees(spec, contents);
  for (MountIndex index = 0; index < spec.mounts.size(); ++index) {
    const Content& content = *contents[index];
    const FilesystemDecl* made = find_made(spec, content.filesystem);
    if (spec.mounts[index].deleted && made != nullptr)
      add_deleted(*made, content, spec.mounts[index]);
  }
  for (auto& [filesystem, inodes] : inodes_) add_directories(inodes);
}

void Inventory::add_trees(const spec::Spec& spec,
                          const std::vector<std::optional<Content>>& contents) {
  for (MountIndex index = 0; index < spec.mounts.size(); ++index) {
    const auto& made = spec.mounts[index].made;
    if (made && !made->tree.empty()) add_tree(contents[index]->filesystem, *made, made->tree, {});
  }
  for (std::uint32_t index = 0; index < spec.filesystems.size(); ++index) {
    const FilesystemDecl& named = spec.filesystems[index];
    if (named.tree.empty()) continue;
    const Identity own{.kind = Identity::Kind::named, .path = {}, .follow = true, .index = index};
    const Identity& filesystem = named.of ? contents[*named.of]->filesystem : own;
    if (const FilesystemDecl* made = find_made(spec, filesystem)) {
      add_tree(filesystem, *made, named.tree, named.of);
      continue;
    }
    diagnostics_
        .add(Code::E0245, named.tree.front().span,
             fmt::format("`{}` is a filesystem of the parent", named.name))
        .label(spec.mounts[*named.of].span, "it is what this mount shows")
        .note("what lies in the parent's filesystems stays as it is")
        .help("make it in the image, or mount something there");
  }
}

void Inventory::add_tree(const Identity& filesystem, const FilesystemDecl& made,
                         const std::vector<TreeEntry>& tree, std::optional<MountIndex> of) {
  Inodes& inodes = inodes_[filesystem];
  for (const TreeEntry& entry : tree) {
    if (!fits(made.type, entry.inode.kind)) {
      diagnostics_.add(Code::E0245, entry.span, fmt::format("{} cannot hold this", made.type))
          .label(made.span, "the filesystem")
          .help("take the entry away");
      continue;
    }
    const auto [place, fresh] =
        inodes.try_emplace(entry.path.value, Inode{entry.inode, false, entry.span, entry.rank, of});
    if (fresh) continue;
    if (place->second.rank != entry.rank) {
      if (place->second.rank < entry.rank)
        place->second = {entry.inode, false, entry.span, entry.rank, of};
      continue;
    }
    diagnostics_
        .add(Code::E0248, entry.path.span,
             fmt::format("a second entry for `{}`", path::printable(entry.path.value)))
        .label(place->second.span, "the first is here")
        .help("keep one of them");
  }
}

void Inventory::add_deleted(const FilesystemDecl& made, const Content& content,
                            const spec::MountDecl& mount) {
  const InodeDecl& inode = mount.deleted->inode;
  const Span span = mount.deleted->label.span;
  if (!fits(made.type, inode.kind)) {
    diagnostics_.add(Code::E0245, span, fmt::format("{} cannot hold this", made.type))
        .label(made.span, "the filesystem")
        .help("take the mount away");
    return;
  }
  Inodes& inodes = inodes_[content.filesystem];
  const InodeDecl folder{.kind = NodeKind::directory, .mode = hidden_mode, .target = {}};
  inodes.try_emplace(std::string(deleted_folder), Inode{folder, true, span});
  const auto [place, fresh] = inodes.try_emplace(content.root, Inode{inode, true, span});
  if (fresh || place->second.decl == inode) return;
  diagnostics_
      .add(Code::E0252, span,
           fmt::format("the inode `{}` is something else here",
                       path::printable(mount.deleted->label.value)))
      .label(place->second.span, "another mount with this label")
      .note("mounts of one filesystem with one label show one inode")
      .help("write the same `kind`, `mode`, `uid` and `gid`, or another label");
}

/// Adds the directories above all inodes that no entry says.
void Inventory::add_directories(Inodes& inodes) {
  std::vector<std::pair<std::string, Span>> said;
  for (const auto& [path, inode] : inodes) said.emplace_back(path, inode.span);
  const InodeDecl directory{.kind = NodeKind::directory, .mode = directory_mode, .target = {}};
  for (const auto& [path, span] : said) {
    for (std::string_view above = path::parent(path); !above.empty(); above = path::parent(above)) {
      const auto [place, fresh] =
          inodes.try_emplace(std::string(above), Inode{directory, false, span});
      const Inode& inode = place->second;
      if (fresh || inode.decl.kind == NodeKind::directory) continue;
      diagnostics_
          .add(Code::E0249, span,
               fmt::format("`{}` lies below `{}`, which is no directory", path::printable(path),
                           path::printable(above)))
          .label(inode.span,
                 fmt::format("this says that it is {}", spec::inode_name(inode.decl.kind)))
          .help("give one of them another path");
      break;
    }
  }
}

const Inode* Inventory::find(const Identity& filesystem, std::string_view path) const {
  const Inodes& inodes = of(filesystem);
  const auto found = inodes.find(path);
  return found == inodes.end() ? nullptr : &found->second;
}

std::optional<Inventory::Obstacle> Inventory::find_obstacle(const Identity& filesystem,
                                                            std::string_view from,
                                                            std::string_view path) const {
  std::string at(from);
  const std::string rest = from.empty()
                               ? std::string(path)
                               : std::string(path.substr(std::min(path.size(), from.size() + 1)));
  for (const std::string_view name : path::components(rest)) {
    const Inode* inode = find(filesystem, at);
    if (inode != nullptr && inode->decl.kind != NodeKind::directory) return Obstacle{at, inode};
    at = path::join(at, name);
  }
  return std::nullopt;
}

const Inodes& Inventory::of(const Identity& filesystem) const {
  static const Inodes none;
  const auto found = inodes_.find(filesystem);
  return found == inodes_.end() ? none : found->second;
}

}  // namespace mntcr::layout
