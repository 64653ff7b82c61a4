// See layout_text.h.
#include "tests/golden/layout_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/path.h"

namespace mntcr::golden {
namespace {

std::string superblock_text(const DesiredSuperblock& superblock) {
  if (superblock.kind == DesiredSuperblock::Kind::parent) {
    return fmt::format("parent:{}{}", path::printable(superblock.path),
                       superblock.follow ? "" : " (link itself)");
  }
  std::string text =
      superblock.name.empty() ? superblock.type : superblock.name + ": " + superblock.type;
  text += fmt::format(" as {}", path::printable(superblock.fsname));
  if (!superblock.params.empty())
    text += fmt::format(" with {}", fmt::join(superblock.params, ","));
  const auto flags = filesystem_flag_words(superblock.flags.value, superblock.flags.mask);
  return flags.empty() ? text : fmt::format("{}, {}", text, fmt::join(flags, " "));
}

std::string layer_text(const DesiredLayer& layer) {
  return fmt::format("    {}: {}{}{}, shown as {}\n", layer_key(layer.role), layer.superblock,
                     layer.root.empty() ? "" : "/", path::printable(layer.root),
                     path::printable(layer.shown));
}

/// What stands before the mounts of a namespace: nothing where it is the only one.
std::string namespace_text(const Layout& layout, std::uint32_t number) {
  if (layout.namespaces.size() == 1) return "";
  const DesiredNamespace& ns = layout.namespaces.at(number);
  const std::string of = ns.clone == no_index
                             ? ""
                             : fmt::format(", a clone of {}", layout.namespaces.at(ns.clone).name);
  return fmt::format("  namespace {}{}\n", ns.name, of);
}

std::string group_text(const DesiredGroup& group) {
  std::string text = group.name.empty() ? "without a name" : group.name;
  if (group.master != no_index) text += fmt::format(", slave of {}", group.master);
  if (!group.parent.empty()) {
    text += fmt::format(", of the parent's {}{}", path::printable(group.parent),
                        group.exact ? " exactly" : "");
  }
  return text;
}

std::string propagation_text(const LayoutMount& mount) {
  std::string text;
  if (mount.group != no_index) text += fmt::format(", member of {}", mount.group);
  if (mount.group == no_index && mount.master != no_index)
    text += fmt::format(", slave of {}", mount.master);
  if (mount.unbindable) text += ", unbindable";
  if (mount.implied != Implied::no)
    text += fmt::format(", implied by {}", implied_word(mount.implied));
  return text;
}

std::string_view create_text(Create create) {
  switch (create) {
    case Create::automatic:
      return "";
    case Create::dir:
      return ", create dir";
    case Create::file:
      return ", create file";
    case Create::never:
      return ", create never";
  }
  return "";
}

}  // namespace

std::string layout_text(const Layout& layout) {
  std::string text = fmt::format("layout of {}\n", layout.name);
  for (std::size_t i = 0; i < layout.superblocks.size(); ++i) {
    text += fmt::format("  filesystem {}: {}\n", i, superblock_text(layout.superblocks[i]));
    for (const DesiredLayer& layer : layout.superblocks[i].layers) text += layer_text(layer);
  }
  for (std::size_t i = 0; i < layout.groups.size(); ++i)
    text += fmt::format("  group {}: {}\n", i, group_text(layout.groups[i]));
  for (std::size_t i = 0; i < layout.mounts.size(); ++i) {
    const LayoutMount& mount = layout.mounts[i];
    if (mount.parent == no_index) text += namespace_text(layout, mount.ns);
    text +=
        fmt::format("  mount {}: {} shows {}{}{}", i, path::printable(mount.target),
                    mount.superblock, mount.root.empty() ? "" : "/", path::printable(mount.root));
    if (mount.parent != no_index) {
      text += fmt::format(", on {} at \"{}\"", mount.parent, path::printable(mount.mountpoint));
    }
    const auto words = attr_words(mount.attrs.value, mount.attrs.mask);
    if (!words.empty()) text += fmt::format(", {}", fmt::join(words, " "));
    if (mount.idmap != no_index) text += ", idmap " + idmap::words(layout.idmaps.at(mount.idmap));
    text += create_text(mount.create);
    text += propagation_text(mount);
    if (mount.deleted) text += ", without a name";
    text += "\n";
  }
  for (const DesiredNode& node : layout.nodes) {
    text += fmt::format("  node: {} has {}, {} {:04o} {}:{}{}\n", node.superblock,
                        path::printable(node.path), path::printable(node_words(node)), node.mode,
                        node.uid, node.gid, node.deleted ? ", without a name" : "");
  }
  return text;
}

}  // namespace mntcr::golden
