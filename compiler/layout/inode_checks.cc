#include "compiler/layout/inode_checks.h"

#include <fmt/format.h>

#include "compiler/spec/tree.h"
#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

using spec::MountDecl;
using spec::MountIndex;

/// Checks one mount after the other.
class InodeChecker {
 public:
  InodeChecker(const Resolved& resolved, Diagnostics& diagnostics)
      : resolved_(resolved), diagnostics_(diagnostics) {}

  void check(MountIndex index) {
    const MountDecl& mount = resolved_.spec.mounts[index];
    check_source(mount, *resolved_.contents[index]);
    check_create(index);
    const auto under = resolved_.placement.below(index);
    if (under) check_place(index, *under);
  }

  /// A layer of an overlay is a directory, and the way to it leads through directories.
  void check_layer(const Layer& layer) {
    const auto& [filesystem, root, deleted] = layer.content;
    if (!is_made(filesystem)) return;
    if (!deleted && is_deleted_place(root)) complain_kept(layer.span);
    const bool named = layer.shown.starts_with("/fs:");
    const Way way{layer.span, "the layer", named ? layer.shown.substr(1) : "self:" + layer.shown};
    const Inode* inode = resolved_.inventory.find(filesystem, root);
    auto met = resolved_.inventory.find_obstacle(filesystem, "", root);
    if (!met && inode != nullptr && inode->decl.kind == NodeKind::symlink) met = {root, inode};
    if (met) {
      complain_way(way, *met, root);
    } else if (inode != nullptr && inode->decl.kind != NodeKind::directory) {
      diagnostics_
          .add(Code::E0253, layer.span,
               fmt::format("the layer is {}", spec::inode_name(inode->decl.kind)))
          .label(inode->span, "this says what is there")
          .help("layers are directories: write another path, or another kind");
    }
  }

 private:
  /// The way to what a mount shows.
  void check_source(const MountDecl& mount, const Content& content) {
    if (!mount.source || !is_made(content.filesystem)) return;
    if (!content.deleted && is_deleted_place(content.root)) complain_kept(mount.source->span);
    const auto met = resolved_.inventory.find_obstacle(content.filesystem, "", content.root);
    if (met)
      complain_way({mount.source->span, "the source", words(*mount.source)}, *met, content.root);
  }

  /// Where a mount lies, on the mount `under`.
  void check_place(MountIndex index, const spec::Place& under) {
    const MountDecl& mount = resolved_.spec.mounts[index];
    const MountDecl& holder = resolved_.spec.mounts[under.mount];
    const Content& held = *resolved_.contents[under.mount];
    if (!is_made(held.filesystem)) return;
    if (held.deleted) {
      diagnostics_
          .add(Code::E0253, mount.target.span,
               fmt::format("{} would lie on an inode without a name",
                           path::printable(mount.target.value)))
          .label(holder.span, "this mount shows it")
          .note("the kernel mounts nothing there")
          .help("mount it somewhere else, or below this one with `on` where both lie on one place");
      return;
    }
    const std::string place = path::join(held.root, under.rest);
    if (is_deleted_place(place)) complain_kept(mount.target.span);
    const auto met = resolved_.inventory.find_obstacle(held.filesystem, held.root, place);
    if (met) {
      complain_way({mount.target.span, "the target", mount.target.value}, *met, place);
      return;
    }
    const Inode* on = resolved_.inventory.find(held.filesystem, place);
    if (on != nullptr && on->decl.kind == NodeKind::symlink && !under.rest.empty()) {
      complain_way({mount.target.span, "the target", mount.target.value}, {place, on}, place);
      return;
    }
    check_kind(index, on);
  }

  /// The other way round is E0303.
  void check_create(MountIndex index) {
    const MountDecl& mount = resolved_.spec.mounts[index];
    if (mount.create != Create::dir || shows_directory(index).value_or(true)) return;
    diagnostics_
        .add(Code::E0253, mount.create_span,
             fmt::format("{} is no directory", path::printable(mount.target.value)),
             "says that it is one")
        .help(R"(write create = "file", or take it away)");
  }

  /// A directory lies on a directory, anything else on anything else.
  void check_kind(MountIndex index, const Inode* on) {
    if (on == nullptr) return;
    const MountDecl& mount = resolved_.spec.mounts[index];
    const auto shown = shows_directory(index);
    const bool is_directory = on->decl.kind == NodeKind::directory;
    const auto wanted = shown ? shown : said_directory(mount);
    if (!wanted || *wanted == is_directory) return;
    diagnostics_
        .add(Code::E0253, mount.target.span,
             fmt::format("{} is {}, and {} is mounted on it", path::printable(mount.target.value),
                         spec::inode_name(on->decl.kind),
                         *wanted ? "a directory" : "what is no directory"))
        .label(on->span, "this says what is there")
        .note("a directory is mounted on a directory, anything else on a file")
        .help("write another kind, or another target");
  }

  /// Whether a mount shows a directory, where that is known.
  [[nodiscard]] std::optional<bool> shows_directory(MountIndex index) const {
    const Content& content = *resolved_.contents[index];
    if (!is_made(content.filesystem)) return std::nullopt;
    if (content.root.empty()) return true;
    const Inode* inode = resolved_.inventory.find(content.filesystem, content.root);
    if (inode == nullptr) return std::nullopt;
    return inode->decl.kind == NodeKind::directory;
  }

  static std::optional<bool> said_directory(const MountDecl& mount) {
    if (mount.create == Create::dir) return true;
    if (mount.create == Create::file) return false;
    return std::nullopt;
  }

  /// A target, source or layer: where it stands, what messages call it, and what is written.
  struct Way {
    Span span;
    std::string_view what;
    std::string written;
  };

  static std::string words(const spec::SourceRef& source) {
    if (source.scheme == spec::SourceRef::Scheme::self) return "self:" + source.path;
    return path::join("fs:" + source.name, source.path);
  }

  /// `way` leads to `path` of its filesystem through `met`, which is no directory.
  void complain_way(const Way& way, const Inventory::Obstacle& met, std::string_view path) {
    if (met.inode->decl.kind != NodeKind::symlink) {
      diagnostics_
          .add(Code::E0253, way.span,
               fmt::format("{} lies inside `{}`, which is {}", way.what, path::printable(met.path),
                           spec::inode_name(met.inode->decl.kind)))
          .label(met.inode->span, "this says what it is")
          .help("write another path, or another kind");
      return;
    }
    const std::string rest(path.substr(std::min(path.size(), met.path.size() + 1)));
    diagnostics_
        .add(Code::E0254, way.span,
             fmt::format("{} leads through the symlink `{}`", way.what, path::printable(met.path)))
        .label(met.inode->span,
               fmt::format("it leads to `{}`", path::printable(met.inode->decl.target)))
        .note("paths of a spec are literal")
        .help(fmt::format("write the place meant: `{}`",
                          path::printable(meant(way, met.inode->decl.target, rest))));
  }

  /// What `way` means where `link` stands in it before `rest`.
  static std::string meant(const Way& way, const std::string& link, const std::string& rest) {
    const bool is_source = way.what != "the target";
    if (link.starts_with('/')) return (is_source ? "self:" : "") + path::join(link, rest);
    const std::size_t tail = rest.empty() ? 0 : rest.size() + 1;
    const std::string_view before(way.written.data(),
                                  way.written.size() - std::min(tail, way.written.size()));
    return path::join(path::join(path::parent(before), link), rest);
  }

  void complain_kept(Span span) {
    diagnostics_
        .add(Code::E0207, span, fmt::format("mntcr keeps the name `{}` for itself", deleted_folder))
        .help("take another name");
  }

  [[nodiscard]] bool is_made(const Identity& filesystem) const {
    return find_made(resolved_.spec, filesystem) != nullptr;
  }

  const Resolved& resolved_;
  Diagnostics& diagnostics_;
};

}  // namespace

void check_inodes(const Resolved& resolved, Diagnostics& diagnostics) {
  InodeChecker checker(resolved, diagnostics);
  for (MountIndex index = 0; index < resolved.spec.mounts.size(); ++index) checker.check(index);
  for (const auto& [overlay, layers] : resolved.layers) {
    for (const Layer& layer : layers) checker.check_layer(layer);
  }
}

}  // namespace mntcr::layout
