// See layout.h. Places every mount, resolves what it shows, checks the whole, and writes it down in
// an order that does not depend on the file: one namespace after the other, each depth first,
// siblings by the bytes of their mountpoints.
#include "compiler/layout/layout.h"

#include <algorithm>
#include <map>

#include "compiler/layout/checks.h"
#include "compiler/layout/contents.h"
#include "compiler/layout/copies.h"
#include "compiler/layout/inode_checks.h"
#include "compiler/layout/inventory.h"
#include "compiler/layout/overlays.h"
#include "compiler/layout/sharing.h"
#include "compiler/spec/placement.h"

namespace mntcr {
namespace {

using layout::Content;
using layout::Identity;
using spec::MountIndex;

spec::Placement place(const spec::Spec& spec) {
  std::vector<spec::Standing> standings;
  for (const spec::MountDecl& mount : spec.mounts)
    standings.push_back(
        {mount.target.value, mount.on_mount, mount.cover, mount.ns, mount.is_root, mount.copied});
  return spec::Placement(std::move(standings));
}

/// Writes the mounts of a resolved spec into a Layout.
class Writer {
 public:
  explicit Writer(const layout::Resolved& resolved) : resolved_(resolved) {}

  Layout write() {
    result_.name = resolved_.spec.name.value;
    result_.namespaces.clear();
    for (const spec::NamespaceDecl& ns : resolved_.spec.namespaces)
      result_.namespaces.push_back({ns.name, ns.clone.value_or(no_index), ns.span});
    std::vector<std::uint32_t> written(resolved_.spec.mounts.size(), no_index);
    for (const MountIndex mount : resolved_.placement.tree_order()) {
      const auto under = resolved_.placement.below(mount);
      written[mount] = static_cast<std::uint32_t>(result_.mounts.size());
      add(mount, under ? written[under->mount] : no_index, under ? under->rest : "");
    }
    for (MountIndex mount = 0; mount < written.size(); ++mount) {
      const auto* named = layout::find_named(resolved_.spec, resolved_.spec.mounts[mount]);
      if (named != nullptr && named->of) result_.mounts[written[mount]].of = written[*named->of];
    }
    for (const spec::FilesystemDecl& filesystem : resolved_.spec.filesystems)
      result_.filesystem_names.push_back(filesystem.name);
    for (const auto& [filesystem, number] : numbers_) add_nodes(filesystem, number, written);
    std::ranges::sort(result_.nodes, {}, [](const DesiredNode& node) {
      return std::pair<std::uint32_t, std::string_view>(node.superblock, node.path);
    });
    return std::move(result_);
  }

 private:
  void add_nodes(const Identity& filesystem, std::uint32_t superblock,
                 const std::vector<std::uint32_t>& written) {
    for (const auto& [path, inode] : resolved_.inventory.of(filesystem)) {
      const spec::InodeDecl& decl = inode.decl;
      result_.nodes.push_back({superblock, decl.kind, inode.deleted, decl.mode, decl.uid, decl.gid,
                               decl.dev_major, decl.dev_minor, path, decl.target, inode.span,
                               inode.of ? written[*inode.of] : no_index});
    }
  }

  void add(MountIndex index, std::uint32_t parent, const std::string& mountpoint) {
    const spec::MountDecl& from = resolved_.spec.mounts[index];
    const Content& content = *resolved_.contents[index];
    LayoutMount mount;
    mount.parent = parent;
    mount.superblock =
        superblock(content.filesystem, from.source ? from.source->span : from.made->span);
    mount.target = from.target.value;
    mount.mountpoint = mountpoint;
    mount.root = content.root;
    mount.deleted = content.deleted;
    mount.attrs = from.attrs;
    mount.name = from.name.value;
    mount.on = from.on_mount.has_value();
    mount.cover = from.cover;
    if (from.source && from.source->scheme == spec::SourceRef::Scheme::self)
      mount.self = from.source->path;
    if (from.idmap) mount.idmap = number_of(from.idmap->value);
    mount.create = from.create;
    mount.ns = from.ns;
    mount.implied = from.copied ? Implied::clone : Implied::no;
    mount.span = from.span;
    mount.target_span = from.target.span;
    mount.source_span = from.source ? from.source->span : from.made->span;
    mount.decl = index;
    result_.mounts.push_back(std::move(mount));
  }

  std::uint32_t number_of(const IdMap& map) {
    auto& maps = result_.idmaps;
    const auto found = std::find(maps.begin(), maps.end(), map);
    const auto number = static_cast<std::uint32_t>(found - maps.begin());
    if (found == maps.end()) maps.push_back(map);
    return number;
  }

  /// The number of a filesystem; it gets the next one when `user` is the first place that shows it.
  /// Those of an overlay's layers come before its own. The depth of overlays is checked.
  std::uint32_t superblock(const Identity& identity, Span user) {  // NOLINT(misc-no-recursion)
    if (const auto known = numbers_.find(identity); known != numbers_.end()) return known->second;
    DesiredSuperblock superblock;
    if (const auto overlay = resolved_.layers.find(identity); overlay != resolved_.layers.end()) {
      for (const layout::Layer& layer : overlay->second) {
        superblock.layers.push_back({layer.role,
                                     this->superblock(layer.content.filesystem, layer.span),
                                     layer.content.root, layer.shown, layer.span});
      }
    }
    if (const spec::FilesystemDecl* made = find_made(resolved_.spec, identity)) {
      superblock.kind = DesiredSuperblock::Kind::made;
      superblock.type = made->type;
      superblock.fsname = made->fsname;
      superblock.params = made->params;
      superblock.flags = made->flags;
      superblock.name = made->name;
      superblock.span = made->span;
    } else {
      superblock.kind = DesiredSuperblock::Kind::parent;
      superblock.path = identity.path;
      superblock.follow = identity.follow;
      superblock.span = user;
    }
    const auto number = static_cast<std::uint32_t>(result_.superblocks.size());
    numbers_.emplace(identity, number);
    result_.superblocks.push_back(std::move(superblock));
    return number;
  }

  const layout::Resolved& resolved_;
  std::map<Identity, std::uint32_t> numbers_;
  Layout result_;
};

}  // namespace

std::optional<Layout> lay_out(const spec::Spec& spec, Diagnostics& diagnostics) {
  const spec::Placement placement = place(spec);
  layout::check_unused(spec, diagnostics);
  const auto contents = layout::resolve_contents(spec, placement, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  const layout::Inventory inventory(spec, contents, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  const layout::Layers layers = layout::resolve_layers(spec, placement, contents, diagnostics);
  const layout::Resolved resolved{spec, placement, contents, layers, inventory};
  layout::check_inodes(resolved, diagnostics);
  layout::check_kinds(resolved, diagnostics);
  layout::check_mountpoints(resolved, diagnostics);
  layout::check_twice(resolved, diagnostics);
  layout::check_idmaps(resolved, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  Layout result = Writer(resolved).write();
  layout::add_sharing(spec, result, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  layout::add_copies(spec, result, diagnostics);
  layout::check_sharing(spec, result, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  return result;
}

}  // namespace mntcr
