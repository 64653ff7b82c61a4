// See names.h.
#include "compiler/spec/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compiler/spec/keys.h"
#include "runtime/base/path.h"

namespace mntcr::spec {
namespace {

using Names = std::map<std::string_view, MountIndex>;

Names collect_names(const Spec& spec, Diagnostics& diagnostics) {
  Names names;
  for (MountIndex index = 0; index < spec.mounts.size(); ++index) {
    const Str& name = spec.mounts[index].name;
    if (name.value.empty() || (spec.mounts[index].is_root && index != 0)) continue;
    const auto [entry, fresh] = names.emplace(name.value, index);
    if (fresh) continue;
    const bool root = entry->second == 0;
    diagnostics
        .add(Code::E0233, name.span,
             root ? fmt::format("`{}` is the name of [root]", name.value)
                  : fmt::format("a second mount named `{}`", name.value))
        .label(spec.mounts[entry->second].name.span, root ? "the root" : "the first is here")
        .help("give it another name");
  }
  return names;
}

void complain_unknown(const Str& on, const Names& names, Diagnostics& diagnostics) {
  std::vector<std::string_view> candidates;
  for (const auto& [name, index] : names) candidates.push_back(name);
  suggest(
      diagnostics.add(Code::E0234, on.span, fmt::format("no mount is named `{}`", on.value)),
      on.value, candidates,
      "give the mount that is meant a name: name = \"…\", or [[change]] it in what is extended");
}

void complain_beside(const Spec& spec, const MountDecl& mount, MountIndex on,
                     Diagnostics& diagnostics) {
  const std::string& target = spec.mounts[on].target.value;
  diagnostics
      .add(Code::E0235, mount.on.span,
           fmt::format("{} does not lie in {}, where `{}` is", path::printable(mount.target.value),
                       path::printable(target), mount.on.value))
      .label(mount.target.span, "the target")
      .label(spec.mounts[on].target.span, fmt::format("`{}`", mount.on.value))
      .help("a target is the full path: it begins with that of the mount that it lies on");
}

/// What a name means in a namespace: its own root, the mount itself, or the copy of it.
std::optional<MountIndex> find_here(const Spec& spec, MountIndex named, std::uint32_t ns) {
  const auto means = [&](const MountDecl& mount, MountIndex index) {
    if (mount.ns != ns) return false;
    if (named == 0 && mount.is_root) return true;
    return index == named || (mount.copied && mount.original == named);
  };
  if (means(spec.mounts[named], named)) return named;
  for (MountIndex index = 0; index < spec.mounts.size(); ++index) {
    if (means(spec.mounts[index], index)) return index;
  }
  return std::nullopt;
}

void complain_elsewhere(const Spec& spec, const MountDecl& mount, MountIndex named,
                        Diagnostics& diagnostics) {
  const std::string& there = spec.namespaces[spec.mounts[named].ns].name;
  diagnostics
      .add(Code::E0294, mount.on.span,
           fmt::format("`{}` is a mount of `{}`, and this one is of `{}`", mount.on.value, there,
                       spec.namespaces[mount.ns].name))
      .label(spec.mounts[named].name.span, "that name")
      .note("a mount lies on one of its own namespace")
      .help(fmt::format("name another, or write namespace = \"{}\"", there));
}

/// Mounts that name one another all have one target. Reports each ring once, at its first mount.
void find_rings(const Spec& spec, Diagnostics& diagnostics) {
  std::vector<MountIndex> seen_by(spec.mounts.size(), 0);
  for (MountIndex start = 1; start < spec.mounts.size(); ++start) {
    std::optional<MountIndex> at = start;
    while (at && seen_by[*at] == 0) {
      seen_by[*at] = start;
      at = spec.mounts[*at].on_mount;
    }
    if (!at || *at == 0 || seen_by[*at] != start) continue;
    Diagnostic& diagnostic = diagnostics.add(
        Code::E0236, spec.mounts[*at].on.span,
        fmt::format("mounts on each other at {}", path::printable(spec.mounts[*at].target.value)));
    for (MountIndex next = *spec.mounts[*at].on_mount; next != *at;
         next = *spec.mounts[next].on_mount) {
      diagnostic.label(spec.mounts[next].on.span, "and this");
    }
    diagnostic.help("let one of them lie on a mount outside of the ring, or say nothing");
  }
}

}  // namespace

void resolve_names(Spec& spec, Diagnostics& diagnostics) {
  const Names names = collect_names(spec, diagnostics);
  for (MountDecl& mount : spec.mounts) {
    if (!mount.on.span.known()) continue;
    const auto named = names.find(mount.on.value);
    if (named == names.end()) {
      complain_unknown(mount.on, names, diagnostics);
      continue;
    }
    const auto here = find_here(spec, named->second, mount.ns);
    if (!here) {
      complain_elsewhere(spec, mount, named->second, diagnostics);
    } else if (!path::is_at_or_below(mount.target.value, spec.mounts[*here].target.value)) {
      complain_beside(spec, mount, *here, diagnostics);
    } else {
      mount.on_mount = here;
    }
  }
  find_rings(spec, diagnostics);
}

}  // namespace mntcr::spec
