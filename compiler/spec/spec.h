// A spec as its author means it: decoded, ${params} replaced, words known, every value with its
// place. Passive data, made by decode.h; what it amounts to as a tree of mounts is the Layout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/placement.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/overlay.h"
#include "runtime/base/span.h"
#include "runtime/plan/plan.h"

namespace mntcr::spec {

using Str = Spanned<std::string>;

/// Where a mount's content comes from: "parent:/srv", "self:/tmp", "fs:scratch/sub".
struct SourceRef {
  enum class Scheme : std::uint8_t { parent, self, fs };
  Scheme scheme{};
  std::string name;  ///< fs: the filesystem's name, which Spec::filesystems has
  std::string path;  ///< parent, self: absolute; fs: relative to its root, "" for all of it
  Span span;
};

/// A layer of an overlay.
struct LayerDecl {
  LayerRole role{};
  SourceRef source;
};

/// What an inode shall be: an entry of a `tree`, or a mount with `deleted`.
struct InodeDecl {
  NodeKind kind{};
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::string target;  ///< of a symlink
  auto operator<=>(const InodeDecl&) const = default;
};

/// An inode that a filesystem holds before anything is mounted on it.
struct TreeEntry {
  Str path;  ///< relative to the filesystem's root, never ""
  InodeDecl inode;
  Span span;             ///< the entry
  std::size_t rank = 0;  ///< of its file in the order of merging
};

/// An inode without a name, which mounts of one filesystem with the same label show.
struct DeletedDecl {
  Str label;
  InodeDecl inode;
};

/// A filesystem that the spec makes: a [filesystem.NAME] table, or a mount with `type`.
struct FilesystemDecl {
  std::string name;  ///< empty for a mount with `type`
  std::string type;
  std::string fsname;               ///< the type where none is written
  std::vector<std::string> params;  ///< "size=64m", in the order written, each key once
  std::vector<LayerDecl> layers;    ///< an overlay's: the lower ones, topmost first, upper, work
  AttrDemand flags;                 ///< of fs_flag
  std::optional<MountIndex> of;     ///< not made: it is what this mount shows
  Str parent;                       ///< not made: it is the parent's at this path, where not empty
  std::vector<TreeEntry> tree;      ///< with `of`: added to what that mount shows
  Span span;                        ///< the table's header, or the value of `type`
};

/// A `propagation`: what the mount is a member and a slave of. Without any of these it is private.
struct PropagationDecl {
  bool shared = false;
  bool unbindable = false;
  Str group;   ///< of shared: the group's name, empty for one of its own
  Str master;  ///< the name of the group that it is a slave of, empty when it is none
  Span span;
};

/// A [group.NAME], or a group that a `propagation` names and no table declares.
struct GroupDecl {
  std::string name;
  Str parent;          ///< a path of the parent whose mount has the group; empty: of the container
  bool exact = false;  ///< with parent: the path is that mount's mountpoint
  Span span;           ///< the table's header, else the first word that names it
};

/// A [[namespace]], or the first one.
struct NamespaceDecl {
  std::string name;
  std::optional<std::uint32_t> clone;  ///< the namespace that it is a copy of
  Span span;
};

/// The [policy] of a spec.
struct PolicyDecl {
  Escape escape = Escape::refuse;
  bool copies_listed = false;  ///< the file that is compiled lists all mounts that it adds
};

/// A [[mount]], a root, or a copy of such that a `clone` makes. Exactly one of `source` and `made`
/// is set.
struct MountDecl {
  Str target;  ///< "/" for [root]
  Str name;    ///< "root" for [root], else empty where none is written
  Str on;      ///< the name of the mount that it lies on, where one is written
  std::optional<MountIndex> on_mount;  ///< the mount that `on` names
  bool cover = false;                  ///< walks of other mounts pass it
  std::optional<SourceRef> source;
  std::optional<FilesystemDecl> made;
  std::optional<DeletedDecl> deleted;  ///< with `source`, which says only which filesystem
  AttrDemand attrs;
  std::optional<Spanned<IdMap>> idmap;  ///< where one is written
  Create create = Create::automatic;
  bool follow = true;
  std::uint32_t ns = 0;                ///< in Spec::namespaces
  Walk walk = Walk::all;               ///< how its `self:` paths are meant
  bool is_root = false;                ///< of its namespace
  bool copied = false;                 ///< a `clone` makes it; `span` is the entry of the original
  std::optional<MountIndex> original;  ///< another mount that it is a copy of, or with
  std::optional<MountIndex> shows;     ///< with `made`: the mount that makes it, when it is another
  std::optional<PropagationDecl> propagation;
  bool propagate = true;    ///< sharing brings about copies of it
  bool listed_all = false;  ///< its file lists all copies: none are implied by it
  Span span;                ///< the entry's header
  Span create_span;         ///< the value of `create`, where it is written
};

/// A whole spec. mounts[0] is [root]; the rest stand in the order of the file, roots and copies of
/// other namespaces before all that lies on them.
struct Spec {
  Str name;
  PolicyDecl policy;
  std::vector<NamespaceDecl> namespaces = {{main_namespace, {}, {}}};
  std::vector<GroupDecl> groups;
  std::vector<MountDecl> mounts;
  std::vector<FilesystemDecl> filesystems;
};

}  // namespace mntcr::spec
