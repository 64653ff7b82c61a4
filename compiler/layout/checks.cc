// See checks.h. Compiling never looks at a filesystem, so these are only the faults that every
// machine would show; whether a path exists, and of which kind it is, apply finds out.
#include "compiler/layout/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

using spec::MountDecl;
using spec::MountIndex;
using spec::SourceRef;

/// Why a mount must be a directory.
struct Reason {
  Span span;
  std::string text;
};

std::optional<Reason> own_reason(const Resolved& resolved, MountIndex index) {
  const MountDecl& mount = resolved.spec.mounts[index];
  const Content& content = *resolved.contents[index];
  if (content.root.empty() && find_made(resolved.spec, content.filesystem) != nullptr) {
    return Reason{mount.source ? mount.source->span : mount.made->span,
                  "the root of a filesystem is a directory"};
  }
  const Inode* inode = resolved.inventory.find(content.filesystem, content.root);
  if (inode != nullptr && inode->decl.kind == NodeKind::directory)
    return Reason{inode->span, "this says that it is a directory"};
  if (mount.create == Create::dir)
    return Reason{mount.create_span, "this says that it is a directory"};
  return std::nullopt;
}

/// The reasons of each mount: its own, those of the mount above or below it in its stack, and what
/// lies inside it.
std::vector<std::optional<Reason>> find_reasons(const Resolved& resolved) {
  const auto& mounts = resolved.spec.mounts;
  std::vector<std::optional<Reason>> reasons(mounts.size());
  for (MountIndex index = 0; index < mounts.size(); ++index) {
    if (!reasons[index]) reasons[index] = own_reason(resolved, index);
    const auto under = resolved.placement.below(index);
    if (!under) continue;
    const auto own = own_reason(resolved, index);
    const bool stacked = under->rest.empty();
    if (!stacked) {
      reasons[under->mount] = Reason{mounts[index].target.span, "this lies inside it"};
    } else if (own && !reasons[under->mount]) {
      reasons[under->mount] = own;
    } else if (!own && !reasons[index]) {
      reasons[index] = own_reason(resolved, under->mount);
    }
  }
  return reasons;
}

/// The places of each filesystem that come to be while the tree is made, with the folders above
/// them.
using MadePlaces = std::map<Identity, std::set<std::string>>;

void add_place(MadePlaces& made, const Identity& filesystem, std::string_view place) {
  auto& places = made[filesystem];
  for (; !place.empty(); place = path::parent(place)) {
    if (!places.emplace(place).second) break;
  }
}

/// Whether both overlays have layers of the same words; without layers they have.
bool same_layers(const spec::FilesystemDecl& a, const spec::FilesystemDecl& b) {
  return std::ranges::equal(a.layers, b.layers, [](const auto& one, const auto& other) {
    return one.role == other.role && one.source.scheme == other.source.scheme &&
           one.source.name == other.source.name && one.source.path == other.source.path;
  });
}

MadePlaces find_made_places(const Resolved& resolved) {
  MadePlaces made;
  for (MountIndex index = 0; index < resolved.spec.mounts.size(); ++index) {
    const Content& content = *resolved.contents[index];
    add_place(made, content.filesystem, content.root);
    const auto under = resolved.placement.below(index);
    if (!under || resolved.spec.mounts[index].create == Create::never) continue;
    const Content& holder = *resolved.contents[under->mount];
    add_place(made, holder.filesystem, path::join(holder.root, under->rest));
  }
  for (const auto& [overlay, layers] : resolved.layers) {
    for (const Layer& layer : layers) add_place(made, layer.content.filesystem, layer.content.root);
  }
  return made;
}

/// Whether the two entries say the same, apart from flags.
bool same_words(const MountDecl& a, const MountDecl& b) {
  if (a.made && b.made) {
    return a.made->type == b.made->type && a.made->params == b.made->params &&
           a.made->flags == b.made->flags && a.made->fsname == b.made->fsname &&
           same_layers(*a.made, *b.made);
  }
  return a.source && b.source && a.source->scheme == b.source->scheme &&
         a.source->scheme != SourceRef::Scheme::self && a.source->name == b.source->name &&
         a.source->path == b.source->path && a.follow == b.follow;
}

/// The filesystems that an overlay has layers of.
void add_layers(std::set<std::string_view>& used, const spec::FilesystemDecl& overlay) {
  for (const spec::LayerDecl& layer : overlay.layers) {
    if (layer.source.scheme == SourceRef::Scheme::fs) used.insert(layer.source.name);
  }
}

}  // namespace

void check_kinds(const Resolved& resolved, Diagnostics& diagnostics) {
  const auto reasons = find_reasons(resolved);
  for (MountIndex index = 0; index < resolved.spec.mounts.size(); ++index) {
    const MountDecl& mount = resolved.spec.mounts[index];
    if (mount.create != Create::file || !reasons[index]) continue;
    diagnostics
        .add(Code::E0303, mount.create_span, fmt::format("{} cannot be a file", mount.target.value),
             "says that it is one")
        .label(reasons[index]->span, reasons[index]->text)
        .help(R"(write create = "dir")");
  }
}

void check_mountpoints(const Resolved& resolved, Diagnostics& diagnostics) {
  const MadePlaces made = find_made_places(resolved);
  for (MountIndex index = 0; index < resolved.spec.mounts.size(); ++index) {
    const MountDecl& mount = resolved.spec.mounts[index];
    const auto under = resolved.placement.below(index);
    if (mount.create != Create::never || !under || under->rest.empty()) continue;
    const Content& holder = *resolved.contents[under->mount];
    const auto* filesystem = find_made(resolved.spec, holder.filesystem);
    if (filesystem == nullptr || filesystem->type != "tmpfs") continue;
    const std::string place = path::join(holder.root, under->rest);
    if (resolved.inventory.find(holder.filesystem, place) != nullptr) continue;
    const auto places = made.find(holder.filesystem);
    if (places != made.end() && places->second.contains(place)) continue;
    diagnostics
        .add(Code::E0304, mount.create_span,
             fmt::format("nothing makes the mountpoint {}", mount.target.value))
        .label(resolved.spec.mounts[under->mount].span,
               "it lies on this tmpfs, which is empty at first")
        .help("take `create` away: mountpoints on filesystems of the spec are made by themselves");
  }
}

void check_unused(const spec::Spec& spec, Diagnostics& diagnostics) {
  std::set<std::string_view> used;
  for (const MountDecl& mount : spec.mounts) {
    if (mount.source && mount.source->scheme == SourceRef::Scheme::fs)
      used.insert(mount.source->name);
    if (mount.made) add_layers(used, *mount.made);
  }
  for (const spec::FilesystemDecl& filesystem : spec.filesystems) add_layers(used, filesystem);
  for (const spec::FilesystemDecl& filesystem : spec.filesystems) {
    // What a base declares is for whoever extends it.
    constexpr FileId compiled = 0;
    const bool of_base = filesystem.span.known() && filesystem.span.file != compiled;
    const bool adds = filesystem.of && !filesystem.tree.empty();
    if (used.contains(filesystem.name) || of_base || adds) continue;
    diagnostics
        .add(Code::W0301, filesystem.span,
             fmt::format("no mount shows the filesystem `{}`", filesystem.name))
        .note("a filesystem that is not mounted is not made")
        .help(fmt::format("show it with source = \"fs:{}\", or take it away", filesystem.name));
  }
}

void check_twice(const Resolved& resolved, Diagnostics& diagnostics) {
  for (MountIndex index = 1; index < resolved.spec.mounts.size(); ++index) {
    const auto under = resolved.placement.below(index);
    if (!under || !under->rest.empty()) continue;
    const MountDecl& lower = resolved.spec.mounts[under->mount];
    const MountDecl& upper = resolved.spec.mounts[index];
    // Over a copy is the only place for a namespace's own.
    if (lower.copied != upper.copied || !same_words(lower, upper)) continue;
    diagnostics
        .add(Code::W0302, upper.target.span,
             fmt::format("the same is mounted twice on {}", path::printable(upper.target.value)))
        .label(lower.target.span, "this one is covered by it")
        .help("keep one of them; put the options of both there");
  }
}

}  // namespace mntcr::layout
