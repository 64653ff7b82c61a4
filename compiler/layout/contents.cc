// See contents.h. A mount depends on at most one other: the one that its `self:` path meets, that
// the `of` of its filesystem means, or that it is a copy of. So resolving is following a chain to
// its end and coming back; no recursion, as chains may be long.
#include "compiler/layout/contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

using spec::MountDecl;
using spec::MountIndex;
using spec::Place;
using spec::Placement;
using spec::SourceRef;

bool is_self(const MountDecl& mount) {
  return mount.source && mount.source->scheme == SourceRef::Scheme::self;
}

/// Resolves all mounts of one spec.
class Resolver {
 public:
  Resolver(const spec::Spec& spec, const Placement& placement, Diagnostics& diagnostics)
      : spec_(spec),
        placement_(placement),
        diagnostics_(diagnostics),
        contents_(spec.mounts.size()),
        states_(spec.mounts.size(), State::fresh) {}

  std::vector<std::optional<Content>> resolve() {
    for (MountIndex mount = 0; mount < spec_.mounts.size(); ++mount) follow_chain(mount);
    return std::move(contents_);
  }

 private:
  enum class State : std::uint8_t { fresh, running, done };
  /// A mount that shows what another does, and that: the place that a `self:` source meets, all of
  /// the filesystem that a `[filesystem]` with `of` takes from it, or what a copy is a copy of.
  struct Link {
    MountIndex mount;
    Place met;
    enum class Kind : std::uint8_t { self, whole, copy } kind;
  };

  /// Whether what the mount shows depends on another mount.
  [[nodiscard]] bool has_link(MountIndex mount) const {
    if (is_self(spec_.mounts[mount]) || spec_.mounts[mount].shows) return true;
    const auto* named = find_named(spec_, spec_.mounts[mount]);
    return named != nullptr && named->of;
  }

  /// Nothing for the root that shows itself.
  [[nodiscard]] std::optional<Link> link_of(MountIndex index) const {
    const MountDecl& mount = spec_.mounts[index];
    if (mount.shows) return Link{index, {*mount.shows, ""}, Link::Kind::copy};
    if (!is_self(mount))
      return Link{index, {*find_named(spec_, mount)->of, mount.source->path}, Link::Kind::whole};
    const auto met =
        placement_.walk_without(mount.ns, mount.source->path, std::span(&index, 1), mount.walk);
    return met ? std::optional(Link{index, *met, Link::Kind::self}) : std::nullopt;
  }

  void follow_chain(MountIndex mount) {
    std::vector<Link> chain;
    while (states_[mount] == State::fresh && has_link(mount)) {
      states_[mount] = State::running;
      const auto link = link_of(mount);
      if (!link) {
        report_root(mount);
        states_[mount] = State::done;
        break;
      }
      chain.push_back(*link);
      mount = link->met.mount;
    }
    if (states_[mount] == State::running) report_ring(chain, mount);
    if (states_[mount] == State::fresh) contents_[mount] = unnamed(mount, direct(mount));
    states_[mount] = State::done;
    come_back(chain);
  }

  void come_back(const std::vector<Link>& chain) {
    for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
      if (const auto& shown = contents_[link->met.mount]) {
        contents_[link->mount] =
            link->kind == Link::Kind::copy ? *shown : unnamed(link->mount, through(*link, *shown));
      }
      states_[link->mount] = State::done;
    }
  }

  /// What a mount shows by a link to one that shows `shown`.
  [[nodiscard]] Content through(const Link& link, const Content& shown) const {
    const std::string& rest = link.met.rest;
    if (link.kind == Link::Kind::whole) return {shown.filesystem, rest};
    if (shown.deleted && !rest.empty()) {
      diagnostics_
          .add(Code::E0253, spec_.mounts[link.mount].source->span,
               "the source lies inside an inode without a name")
          .label(spec_.mounts[link.met.mount].span, "this mount shows it")
          .note("what has no name is made anew, and holds nothing")
          .help("write a source that is there");
    }
    return {shown.filesystem, path::join(shown.root, rest), shown.deleted};
  }

  /// With `deleted` the source says only which filesystem.
  [[nodiscard]] Content unnamed(MountIndex index, Content content) const {
    const MountDecl& mount = spec_.mounts[index];
    if (!mount.deleted) return content;
    const spec::FilesystemDecl* filesystem = find_made(spec_, content.filesystem);
    const bool made = filesystem != nullptr;
    if (made && (filesystem->flags.value & fs_flag::rdonly) != 0) {
      diagnostics_
          .add(Code::E0251, mount.deleted->label.span,
               "an inode without a name on a filesystem that is read-only itself")
          .label(filesystem->span, "it is `ro=fs`")
          .note("the kernel makes no filesystem read-only while inodes without a name are in use")
          .help("write `ro` in the options of the mounts, which makes them read-only");
    }
    if (!made || !content.root.empty()) {
      diagnostics_
          .add(Code::E0251, mount.source->span,
               made ? "the source is a part of its filesystem"
                    : "the source is a filesystem of the parent")
          .label(mount.deleted->label.span, "an inode without a name lies nowhere, and is made")
          .help(R"(name a filesystem that the spec makes, whole: source = "fs:NAME")");
    }
    return {std::move(content.filesystem), deleted_place(mount.deleted->label.value), true};
  }

  /// What a mount shows that has no link.
  [[nodiscard]] Content direct(MountIndex index) const {
    const MountDecl& mount = spec_.mounts[index];
    if (mount.made)
      return {{.kind = Identity::Kind::made, .path = {}, .follow = true, .index = index}, ""};
    if (mount.source->scheme == SourceRef::Scheme::parent) {
      return {{Identity::Kind::parent, mount.source->path, mount.follow, 0}, ""};
    }
    const auto* named = find_named(spec_, mount);
    const auto number = static_cast<std::uint32_t>(named - spec_.filesystems.data());
    return {identity_of(spec_, number), mount.source->path};
  }

  void report_root(MountIndex index) {
    diagnostics_
        .add(Code::E0302, spec_.mounts[index].source->span, "the root shows itself",
             "there is no other mount yet")
        .note(
            "a `self:` path is walked without the mount itself and what lies on it; without the "
            "root nothing is left")
        .help(R"(write source = "parent:/path", or a type)");
  }

  /// `chain` runs back into `member`.
  void report_ring(const std::vector<Link>& chain, MountIndex member) {
    auto first = std::find_if(chain.begin(), chain.end(),
                              [&](const Link& link) { return link.mount == member; });
    std::vector<Link> ring(first, chain.end());
    const auto least = std::min_element(
        ring.begin(), ring.end(), [](const Link& a, const Link& b) { return a.mount < b.mount; });
    std::rotate(ring.begin(), least, ring.end());
    std::string names;
    for (const Link& link : ring) names += target(link.mount) + " → ";
    Diagnostic& diagnostic = diagnostics_.add(
        Code::E0301, {}, fmt::format("sources in a ring: {}{}", names, target(ring.front().mount)));
    for (const Link& link : ring) {
      diagnostic.label(
          spec_.mounts[link.mount].source->span,
          fmt::format("{} shows what lies at {}", target(link.mount), target(link.met.mount)));
    }
    diagnostic.note("each of them shows another, and none shows a filesystem")
        .help("give one of them a source that is not `self:`, or a type");
  }

  [[nodiscard]] const std::string& target(MountIndex mount) const {
    return spec_.mounts[mount].target.value;
  }

  const spec::Spec& spec_;
  const Placement& placement_;
  Diagnostics& diagnostics_;
  std::vector<std::optional<Content>> contents_;
  std::vector<State> states_;
};

}  // namespace

std::vector<std::optional<Content>> resolve_contents(const spec::Spec& spec,
                                                     const Placement& placement,
                                                     Diagnostics& diagnostics) {
  return Resolver(spec, placement, diagnostics).resolve();
}

const spec::FilesystemDecl* find_named(const spec::Spec& spec, const spec::MountDecl& mount) {
  if (!mount.source || mount.source->scheme != SourceRef::Scheme::fs) return nullptr;
  const auto named = std::find_if(spec.filesystems.begin(), spec.filesystems.end(),
                                  [&](const spec::FilesystemDecl& filesystem) {
                                    return filesystem.name == mount.source->name;
                                  });
  return named == spec.filesystems.end() ? nullptr : &*named;
}

Identity identity_of(const spec::Spec& spec, std::uint32_t index) {
  const std::string& parent = spec.filesystems[index].parent.value;
  if (!parent.empty()) return {Identity::Kind::parent, parent, true, 0};
  return {.kind = Identity::Kind::named, .path = {}, .follow = true, .index = index};
}

const spec::FilesystemDecl* find_made(const spec::Spec& spec, const Identity& identity) {
  switch (identity.kind) {
    case Identity::Kind::parent:
      return nullptr;
    case Identity::Kind::named:
      return &spec.filesystems[identity.index];
    case Identity::Kind::made:
      return &*spec.mounts[identity.index].made;
  }
  return nullptr;
}

}  // namespace mntcr::layout
