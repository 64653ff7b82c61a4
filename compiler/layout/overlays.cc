// See overlays.h.
#include "compiler/layout/overlays.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

using spec::FilesystemDecl;
using spec::LayerDecl;
using spec::MountIndex;
using spec::SourceRef;

/// An overlay of the spec.
struct Overlay {
  Identity identity;
  const FilesystemDecl* decl;
  std::vector<MountIndex> mounts;  ///< that show it by its name or type
  std::string title;               ///< "/data" or "[filesystem.data]"
  std::uint32_t ns = 0;            ///< in which `self:` layers are looked for
  spec::Walk walk = spec::Walk::all;
};

std::vector<Overlay> find_overlays(const spec::Spec& spec) {
  std::vector<Overlay> overlays;
  for (std::uint32_t index = 0; index < spec.filesystems.size(); ++index) {
    const FilesystemDecl& decl = spec.filesystems[index];
    if (decl.of || decl.type != overlay_type) continue;
    Overlay overlay{{.kind = Identity::Kind::named, .path = {}, .follow = true, .index = index},
                    &decl,
                    {},
                    fmt::format("[filesystem.{}]", decl.name),
                    no_index};
    for (MountIndex mount = 0; mount < spec.mounts.size(); ++mount) {
      const auto& source = spec.mounts[mount].source;
      if (source && source->scheme == SourceRef::Scheme::fs && source->name == decl.name)
        overlay.mounts.push_back(mount);
    }
    // Of several namespaces it is the first.
    for (const MountIndex mount : overlay.mounts)
      overlay.ns = std::min(overlay.ns, spec.mounts[mount].ns);
    if (overlay.ns == no_index) overlay.ns = 0;
    overlays.push_back(std::move(overlay));
  }
  for (MountIndex mount = 0; mount < spec.mounts.size(); ++mount) {
    const auto& made = spec.mounts[mount].made;
    if (!made || made->type != overlay_type || spec.mounts[mount].shows) continue;
    overlays.push_back({{.kind = Identity::Kind::made, .path = {}, .follow = true, .index = mount},
                        &*made,
                        {mount},
                        path::printable(spec.mounts[mount].target.value),
                        spec.mounts[mount].ns,
                        spec.mounts[mount].walk});
  }
  return overlays;
}

/// The directory that holds both.
std::string common_directory(std::string_view a, std::string_view b) {
  std::string_view above = path::parent(a);
  while (!path::is_at_or_below(b, above)) above = path::parent(above);
  return std::string(above);
}

const Layer* find_layer(const std::vector<Layer>& layers, LayerRole role) {
  const auto found = std::ranges::find(layers, role, &Layer::role);
  return found == layers.end() ? nullptr : &*found;
}

/// One place in a filesystem, however its source is split into a path of the parent and a root.
std::pair<Identity, std::string> place_of(const Content& content) {
  Identity filesystem = content.filesystem;
  std::string root = content.root;
  if (filesystem.kind == Identity::Kind::parent) {
    root = path::join(filesystem.path, root);
    filesystem.path.clear();
    filesystem.follow = true;
  }
  return {std::move(filesystem), std::move(root)};
}

class LayerResolver {
 public:
  LayerResolver(const spec::Spec& spec, const spec::Placement& placement,
                const std::vector<std::optional<Content>>& contents, Diagnostics& diagnostics)
      : spec_(spec), placement_(placement), contents_(contents), diagnostics_(diagnostics) {}

  Layers resolve() {
    const std::vector<Overlay> overlays = find_overlays(spec_);
    for (const Overlay& overlay : overlays) resolve_one(overlay);
    for (const Overlay& overlay : overlays) check_pair(overlay);
    check_shared(overlays);
    check_rings(overlays);
    return std::move(layers_);
  }

 private:
  void resolve_one(const Overlay& overlay) {
    std::vector<Layer>& layers = layers_[overlay.identity];
    for (const LayerDecl& decl : overlay.decl->layers) {
      auto layer = resolve_layer(overlay, decl);
      if (!layer) continue;
      check_length(*layer);
      layers.push_back(std::move(*layer));
    }
    join_parents(overlay, layers);
  }

  std::optional<Layer> resolve_layer(const Overlay& overlay, const LayerDecl& decl) {
    const SourceRef& source = decl.source;
    if (source.scheme == SourceRef::Scheme::parent) {
      return Layer{decl.role,
                   {{Identity::Kind::parent, source.path, true, 0}, ""},
                   source.path,
                   source.span};
    }
    if (source.scheme == SourceRef::Scheme::fs) return named_layer(overlay, decl);
    const auto met = placement_.walk_without(overlay.ns, source.path, overlay.mounts, overlay.walk);
    if (!met) {
      diagnostics_
          .add(Code::E0258, source.span, "a layer of the root is taken from the root",
               "there is nothing else yet")
          .note("a `self:` layer is walked without the mounts that show the overlay")
          .help("take it from the parent, or from a [filesystem]");
      return std::nullopt;
    }
    const Content& shown = *contents_[met->mount];
    if (shown.deleted && !met->rest.empty()) {
      diagnostics_.add(Code::E0253, source.span, "the layer lies inside an inode without a name")
          .label(spec_.mounts[met->mount].span, "this mount shows it")
          .note("what has no name is made anew, and holds nothing")
          .help("write a layer that is there");
      return std::nullopt;
    }
    return Layer{decl.role,
                 {shown.filesystem, path::join(shown.root, met->rest), shown.deleted},
                 source.path,
                 source.span};
  }

  /// A layer by `fs:`. It is printed by the path of a mount that shows it, as capture will look for
  /// it there; where none does, by a path that nobody takes for another.
  std::optional<Layer> named_layer(const Overlay& overlay, const LayerDecl& decl) {
    const SourceRef& source = decl.source;
    const auto named = std::ranges::find(spec_.filesystems, source.name, &FilesystemDecl::name);
    const auto number = static_cast<std::uint32_t>(named - spec_.filesystems.begin());
    Content content{identity_of(spec_, number), source.path};
    if (named->of) content.filesystem = contents_[*named->of]->filesystem;
    std::string shown =
        shown_path(overlay, content).value_or("/" + path::join("fs:" + source.name, source.path));
    return Layer{decl.role, std::move(content), std::move(shown), source.span};
  }

  [[nodiscard]] std::optional<std::string> shown_path(const Overlay& overlay,
                                                      const Content& content) const {
    for (MountIndex mount = 0; mount < contents_.size(); ++mount) {
      const Content& candidate = *contents_[mount];
      if (candidate.filesystem != content.filesystem ||
          !path::is_at_or_below(content.root, candidate.root))
        continue;
      std::string shown = path::join(spec_.mounts[mount].target.value,
                                     path::relative_to(content.root, candidate.root));
      const auto met = placement_.walk_without(overlay.ns, shown, overlay.mounts, overlay.walk);
      if (met && met->mount == mount) return shown;
    }
    return std::nullopt;
  }

  void check_length(const Layer& layer) {
    const std::size_t length = layer_word(layer.role, layer.shown).size();
    if (length <= longest_layer_word) return;
    diagnostics_
        .add(Code::E0263, layer.span, fmt::format("the path of the layer has {} bytes", length))
        .note(fmt::format("the kernel takes {} for a layer{}", longest_layer_word,
                          layer.role == LayerRole::lower ? "" : ", and two for each backslash"))
        .help("mount the directory at a shorter path, and take the layer from there by `self:`");
  }

  /// `upper` and `work` of the parent are two places of one filesystem.
  void join_parents(const Overlay& overlay, std::vector<Layer>& layers) {
    const auto of_parent = [&](LayerRole role) -> Layer* {
      const auto found = std::ranges::find(layers, role, &Layer::role);
      const auto decl = std::ranges::find(overlay.decl->layers, role, &LayerDecl::role);
      const bool parent = found != layers.end() && decl != overlay.decl->layers.end() &&
                          decl->source.scheme == SourceRef::Scheme::parent;
      return parent ? &*found : nullptr;
    };
    Layer* upper = of_parent(LayerRole::upper);
    Layer* work = of_parent(LayerRole::work);
    if (upper == nullptr || work == nullptr) return;
    const std::string above = common_directory(upper->shown, work->shown);
    for (Layer* layer : {upper, work}) {
      layer->content.filesystem.path = above;
      layer->content.root = path::relative_to(layer->shown, above);
    }
  }

  void check_pair(const Overlay& overlay) {
    const Layer* upper = find_layer(layers_[overlay.identity], LayerRole::upper);
    const Layer* work = find_layer(layers_[overlay.identity], LayerRole::work);
    if (upper == nullptr || work == nullptr) return;
    const bool apart = upper->content.filesystem != work->content.filesystem;
    const bool nested = path::is_at_or_below(upper->content.root, work->content.root) ||
                        path::is_at_or_below(work->content.root, upper->content.root);
    if (!apart && !nested) return;
    diagnostics_
        .add(Code::E0261, work->span,
             apart ? "`upper` and `work` are not known to be on one filesystem"
                   : "of `upper` and `work` one holds the other")
        .label(upper->span, "the upper layer")
        .note("the kernel moves what it has prepared from the one into the other")
        .help(
            "give it two directories beside each other: \"self:/tmp/upper\" and "
            "\"self:/tmp/work\"");
  }

  void check_shared(const std::vector<Overlay>& overlays) {
    std::map<std::pair<Identity, std::string>, const Layer*> taken;
    for (const Overlay& overlay : overlays) {
      for (const Layer& layer : layers_[overlay.identity]) {
        if (layer.role == LayerRole::lower) continue;
        const auto [first, fresh] = taken.try_emplace(place_of(layer.content), &layer);
        if (fresh || first->second->span == layer.span) continue;
        if (of_one_overlay(overlay, *first->second)) continue;
        diagnostics_
            .add(Code::E0262, layer.span,
                 fmt::format("a second overlay writes to {}", path::printable(layer.shown)))
            .label(first->second->span, "the first one does it here")
            .note(
                "each would change files behind the other's back; the kernel calls that undefined")
            .help("give each its own directories, or let two mounts show one [filesystem]");
      }
    }
  }

  bool of_one_overlay(const Overlay& overlay, const Layer& layer) {
    const auto& own = layers_[overlay.identity];
    return &layer >= own.data() && &layer < own.data() + own.size();
  }

  /// Overlays as layers of overlays: none may come back to itself, and the kernel takes only so
  /// many on one another.
  void check_rings(const std::vector<Overlay>& overlays) {
    for (const Overlay& overlay : overlays) measure(overlay, overlays);
  }

  /// How deep overlays lie below `overlay`, itself included. A ring is told at the overlay where
  /// the way into it began; those in it have the depth 0.
  int measure(const Overlay& overlay, const std::vector<Overlay>& overlays) {
    const auto known = depths_.find(overlay.identity);
    if (known != depths_.end()) return known->second;
    depths_[overlay.identity] = 0;
    way_.push_back(&overlay);
    int depth = 1;
    for (const Layer& layer : layers_[overlay.identity]) {
      const auto below = std::ranges::find(overlays, layer.content.filesystem, &Overlay::identity);
      if (below == overlays.end()) continue;
      if (std::ranges::find(way_, &*below) != way_.end()) {
        report_ring(overlay, *below, layer);
        continue;
      }
      const int deeper = measure(*below, overlays) + 1;
      if (deeper > most_overlay_depth && depth <= most_overlay_depth) report_depth(overlay, layer);
      depth = std::max(depth, deeper);
    }
    way_.pop_back();
    depths_[overlay.identity] = std::min(depth, most_overlay_depth);
    return depths_[overlay.identity];
  }

  void report_ring(const Overlay& from, const Overlay& to, const Layer& layer) {
    std::string names;
    for (auto at = std::ranges::find(way_, &to); at != way_.end(); ++at)
      names += (*at)->title + " → ";
    diagnostics_
        .add(Code::E0258, layer.span,
             fmt::format("an overlay is its own layer: {}{}", names, to.title),
             fmt::format("this layer of {} is part of {}", from.title, to.title))
        .note(
            "a `self:` layer is walked without the mounts that show the overlay, but with others "
            "that are binds of it")
        .help(
            "take the layer from the parent, from another filesystem, or mount the bind elsewhere");
  }

  void report_depth(const Overlay& overlay, const Layer& layer) {
    diagnostics_
        .add(Code::E0264, layer.span,
             fmt::format("more than {} overlays on one another at {}", most_overlay_depth,
                         overlay.title))
        .note("this layer is an overlay with an overlay as its layer; the kernel refuses a third")
        .help("take the layers of that overlay one by one instead");
  }

  const spec::Spec& spec_;
  const spec::Placement& placement_;
  const std::vector<std::optional<Content>>& contents_;
  Diagnostics& diagnostics_;
  Layers layers_;
  std::map<Identity, int> depths_;
  std::vector<const Overlay*> way_;
};

}  // namespace

Layers resolve_layers(const spec::Spec& spec, const spec::Placement& placement,
                      const std::vector<std::optional<Content>>& contents,
                      Diagnostics& diagnostics) {
  return LayerResolver(spec, placement, contents, diagnostics).resolve();
}

}  // namespace mntcr::layout
