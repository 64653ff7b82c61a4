// See layout.h. Places every mount, resolves what it shows, checks the whole, and writes it down in
// an order that does not depend on the file: depth first, siblings by the bytes of their
// mountpoints.
#include "compiler/layout/layout.h"

#include <algorithm>
#include <map>

#include "compiler/layout/checks.h"
#include "compiler/layout/contents.h"
#include "compiler/layout/tree.h"

namespace mntcr {
namespace {

using layout::Content;
using layout::Identity;
using layout::MountIndex;
using layout::Place;

/// A mount that lies on another, at `mountpoint`.
struct Child {
  std::string mountpoint;
  MountIndex mount;
};

/// Writes the mounts of a resolved spec into a Layout.
class Writer {
 public:
  explicit Writer(const layout::Resolved& resolved)
      : resolved_(resolved), children_(resolved.spec.mounts.size()) {}

  Layout write() {
    result_.name = resolved_.spec.name.value;
    collect_children();
    // Last in, first out: a mount's children are pushed in reverse.
    struct Pending {
      MountIndex mount;
      std::uint32_t parent;
      std::string mountpoint;
    };
    std::vector<Pending> pending = {{0, no_index, ""}};
    while (!pending.empty()) {
      const Pending next = std::move(pending.back());
      pending.pop_back();
      const auto written = static_cast<std::uint32_t>(result_.mounts.size());
      add(next.mount, next.parent, next.mountpoint);
      const auto& children = children_[next.mount];
      for (auto child = children.rbegin(); child != children.rend(); ++child) {
        pending.push_back({child->mount, written, child->mountpoint});
      }
    }
    return std::move(result_);
  }

 private:
  void collect_children() {
    for (MountIndex mount = 1; mount < resolved_.spec.mounts.size(); ++mount) {
      const Place place = resolved_.tree.below(mount).value();
      children_[place.mount].push_back({place.rest, mount});
    }
    for (auto& children : children_) {
      std::sort(children.begin(), children.end(),
                [](const Child& a, const Child& b) { return a.mountpoint < b.mountpoint; });
    }
  }

  void add(MountIndex index, std::uint32_t parent, const std::string& mountpoint) {
    const spec::MountDecl& from = resolved_.spec.mounts[index];
    const Content& content = *resolved_.contents[index];
    LayoutMount mount;
    mount.parent = parent;
    mount.superblock = superblock(content.filesystem, from);
    mount.target = from.target.value;
    mount.mountpoint = mountpoint;
    mount.root = content.root;
    mount.attrs = from.attrs;
    mount.create = from.create;
    mount.span = from.span;
    mount.target_span = from.target.span;
    mount.source_span = from.source ? from.source->span : from.made->span;
    result_.mounts.push_back(std::move(mount));
  }

  /// The number of a filesystem; it gets the next one when `user` is the first mount to show it.
  std::uint32_t superblock(const Identity& identity, const spec::MountDecl& user) {
    const auto [entry, fresh] =
        numbers_.try_emplace(identity, static_cast<std::uint32_t>(result_.superblocks.size()));
    if (!fresh) return entry->second;
    DesiredSuperblock superblock;
    if (const spec::FilesystemDecl* made = find_made(resolved_.spec, identity)) {
      superblock.kind = DesiredSuperblock::Kind::made;
      superblock.type = made->type;
      superblock.fsname = made->fsname;
      superblock.params = made->params;
      superblock.name = made->name;
      superblock.span = made->span;
    } else {
      superblock.kind = DesiredSuperblock::Kind::parent;
      superblock.path = identity.path;
      superblock.follow = identity.follow;
      superblock.span = user.source->span;
    }
    result_.superblocks.push_back(std::move(superblock));
    return entry->second;
  }

  const layout::Resolved& resolved_;
  std::vector<std::vector<Child>> children_;
  std::map<Identity, std::uint32_t> numbers_;
  Layout result_;
};

}  // namespace

std::optional<Layout> lay_out(const spec::Spec& spec, Diagnostics& diagnostics) {
  const layout::Tree tree(spec);
  layout::check_unused(spec, diagnostics);
  const auto contents = layout::resolve_contents(spec, tree, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  const layout::Resolved resolved{spec, tree, contents};
  layout::check_kinds(resolved, diagnostics);
  layout::check_mountpoints(resolved, diagnostics);
  layout::check_twice(resolved, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  return Writer(resolved).write();
}

}  // namespace mntcr
