// Spec -> Layout: the tree of mounts that must stand in the end, each with its parent, its
// superblock and the part of it that it shows. The order of the file does not matter any more, and
// nothing here knows in which order to mount.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// A mount of the Layout.
struct LayoutMount {
  std::uint32_t parent = no_index;  ///< no_index for the root
  std::uint32_t superblock = 0;     ///< index in Layout::superblocks
  std::string target;               ///< absolute
  std::string mountpoint;           ///< relative to the parent's root, "" lies on that root itself
  std::string root;                 ///< relative to the superblock's path, "" for all of it
  AttrDemand attrs;
  std::string name;                ///< what the spec calls it, empty when it does not
  bool on = false;                 ///< it names the mount that it lies on
  bool cover = false;              ///< walks pass it
  std::string self;                ///< the path of a `self:` source, else empty
  std::uint32_t of = no_index;     ///< the mount that the `of` of its [filesystem] means
  std::uint32_t idmap = no_index;  ///< in Layout::idmaps
  Create create = Create::automatic;
  Span span;  ///< the entry
  Span target_span;
  Span source_span;
  bool deleted = false;  ///< shows an inode that has no name in the end; `root` is the one before
  std::uint32_t ns = 0;  ///< in Layout::namespaces
  std::uint32_t group = no_index;   ///< in Layout::groups
  std::uint32_t master = no_index;  ///< in Layout::groups
  bool unbindable = false;
  Implied implied = Implied::no;  ///< a copy that the entry at `span` brings about
  Span propagation_span;          ///< the value of `propagation`, else the entry
  std::uint32_t decl = no_index;  ///< in Spec::mounts: the entry that says what it is
};

/// See the top of the file. The order of mounts is that of Plan::mounts; what group, master,
/// unbindable and ns of a mount mean is said at DesiredMount.
struct Layout {
  std::string name;
  std::vector<DesiredSuperblock> superblocks;
  std::vector<LayoutMount> mounts;
  std::vector<std::string> filesystem_names;  ///< all that are declared, shown or not
  std::vector<IdMap> idmaps = {};             ///< each once
  std::vector<DesiredNode> nodes = {};        ///< by superblock and path
  std::vector<DesiredNamespace> namespaces = {{main_namespace, no_index, {}}};
  std::vector<DesiredGroup> groups = {};  ///< a master before its slaves
  Escape escape = Escape::refuse;
};

/// Places every mount of `spec`: finds parents by walking the finished tree and resolves `self:`
/// and `fs:` to superblocks (language.md, rules 1 and 3). Returns a Layout only when there were no
/// errors.
std::optional<Layout> lay_out(const spec::Spec& spec, Diagnostics& diagnostics);

}  // namespace mntcr
