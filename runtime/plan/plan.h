// A plan: the ordered operations that build a container's mounts, and the desired state they lead
// to. Passive data. The planner makes it, plan.bin stores it, apply runs its operations, and diff
// and the proof after apply compare with its desired state.
//
// Specified in specs/plan.md; the file's form is specs/plan.fbs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/idmap.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/overlay.h"
#include "runtime/base/source_map.h"
#include "runtime/base/span.h"

namespace mntcr {

/// Number of a register that holds an fd while a plan runs.
using Slot = std::uint32_t;
inline constexpr Slot no_slot = UINT32_MAX;

inline constexpr std::uint32_t no_index = UINT32_MAX;

/// The operations, in specs/ops.def.
enum class OpKind : std::uint8_t {
#define MNTCR_OP(name, phase, doc) name,
#include "specs/ops.def"
#undef MNTCR_OP
};

/// The phases of a plan; specs/ops.def says in which order they come.
enum class Phase : std::uint8_t { enter, sources, namespaces, trees, sharing, root };

/// What set_propagation makes of a mount, as its operand `b`. Private is what every mount is until
/// then.
enum class Propagation : std::uint8_t { shared, slave, unbindable };
inline constexpr std::uint32_t propagation_count = 3;
std::string_view propagation_name(Propagation propagation);

/// What specs/ops.def says about an operation.
struct OpInfo {
  OpKind kind;
  std::string_view name;
  Phase phase;
  std::string_view doc;
};
const OpInfo& describe(OpKind kind);
/// Whether `number` is an OpKind.
bool is_op(std::uint8_t number);

/// Who may make a missing mountpoint (language.md, rule 8).
enum class Create : std::uint8_t {
  automatic,  ///< only on filesystems that the spec makes
  dir,
  file,
  never,
};

/// One step: at most one mount syscall. What `a`, `b`, `dst` and `text` mean depends on the kind:
/// specs/ops.def says it, and runtime/plan/verify.cc holds every plan to it.
struct Op {
  OpKind kind{};
  Create create = Create::automatic;
  bool host =
      false;  ///< make_mountpoint: on a filesystem of the parent, so undone when apply fails
  Slot dst = no_slot;
  Slot a = no_slot;
  std::uint32_t b = no_slot;
  std::uint32_t mount = no_index;  ///< the desired mount that the step is for, where it is for one
  std::string text;
  AttrDemand attrs;
  Span span;
};

/// A layer of an overlay that the plan makes.
struct DesiredLayer {
  LayerRole role{};              ///< never data
  std::uint32_t superblock = 0;  ///< one before the overlay itself in Plan::superblocks
  std::string root;              ///< relative to the superblock's path, "" for all of it
  std::string shown;             ///< the absolute path that the kernel shall print for it
  Span span;
};

/// A filesystem instance that mounts show. Either what the parent namespace shows at a path, or one
/// that the plan makes. Two parent paths are presumed to be different superblocks.
struct DesiredSuperblock {
  enum class Kind : std::uint8_t { parent, made };
  Kind kind{};
  bool follow = true;                ///< parent: a symlink at the last component is followed
  std::string path;                  ///< parent: absolute path in the parent namespace
  std::string type;                  ///< made: "tmpfs"
  std::string fsname;                ///< made: the source that mountinfo shows
  std::vector<std::string> params;   ///< made: "size=64m"
  std::string name;                  ///< made: its name in the spec, empty when it has none
  std::vector<DesiredLayer> layers;  ///< of an overlay: lower ones topmost first, upper, work
  AttrDemand flags{};                ///< made: of fs_flag; what it does not speak of is off
  Span span;
};

/// Whether what is done to the filesystem itself reaches the parent: it is one of the parent's, or
/// a singleton, which is the parent's too however it is mounted.
bool is_parents(const DesiredSuperblock& superblock);
enum class NodeKind : std::uint8_t { directory, file, fifo, socket, character, block, symlink };

/// An inode that a filesystem of the plan holds before anything is mounted on it. One that is
/// `deleted` has a name below deleted_folder only until all mounts that show it stand.
struct DesiredNode {
  std::uint32_t superblock = 0;
  NodeKind kind{};
  bool deleted = false;
  std::uint32_t mode = 0;  ///< permission bits; nothing of a symlink's
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t dev_major = 0;  ///< of a device node, as is dev_minor
  std::uint32_t dev_minor = 0;
  std::string path;    ///< relative to the superblock's root, never ""
  std::string target;  ///< of a symlink
  Span span;
  std::uint32_t of = no_index;  ///< the mount that the `of` of its [filesystem] means
};

/// Whether what is written to the superblock `index` ends up on a filesystem of the parent: it is
/// one, or an overlay whose upper layer is. A read-only overlay counts as the parent's: nothing can
/// be made on it.
bool writes_reach_parent(const std::vector<DesiredSuperblock>& superblocks, std::uint32_t index);

/// A mount namespace of the container. The first is called main.
struct DesiredNamespace {
  std::string name;
  std::uint32_t clone = no_index;  ///< the one that the spec makes it a copy of
  Span span;
};

/// The name of the first namespace of every container.
inline constexpr const char* main_namespace = "main";

/// A peer group that mounts of the container are members or slaves of. Its master stands before it.
struct DesiredGroup {
  std::string name;  ///< in the spec; empty for that of a mount that is just `shared`
  std::uint32_t master = no_index;  ///< the group that its members are slaves of
  /// Not empty: it is no group of the container's own but the one that the parent's mount has on
  /// which this path lies. It has no master here, whatever it has in the parent.
  std::string parent;
  bool exact = false;  ///< with parent: the path must be the mountpoint of that mount
  Span span;
};

/// What becomes of sharing with the parent that the spec does not declare.
enum class Escape : std::uint8_t { refuse, report, allow };

/// Whether a mount has no entry of its own but is a copy that one brings about. One that a `clone`
/// makes the [[change]] and [[remove]] of later files find by its target; one that sharing implies
/// they do not.
enum class Implied : std::uint8_t { no, clone, sharing };

/// A mount as it shall be. Those of a namespace stand together, in the order of the namespaces, its
/// root first; a parent stands before its children. mounts[0] is the root of main.
struct DesiredMount {
  std::uint32_t parent = no_index;  ///< no_index for a root
  std::uint32_t superblock = 0;
  std::string target;      ///< absolute path, for people
  std::string mountpoint;  ///< relative to the parent's root; "" lies on the parent's root itself
  std::string root;        ///< relative to the superblock's path, "" for all of it
  AttrDemand attrs;
  Span span;  ///< the mount's entry in the spec
  // How the spec puts it: what a delta that extends the spec has to know.
  std::string name;                ///< what `on` calls it; empty when it has none
  bool on = false;                 ///< it names the mount that it lies on
  bool cover = false;              ///< walks pass it
  std::string self;                ///< the path of a `self:` source, else empty
  std::uint32_t of = no_index;     ///< the mount that the `of` of its [filesystem] means
  std::uint32_t idmap = no_index;  ///< in Plan::idmaps; no_index: that of its source, if any
  bool deleted = false;  ///< shows an inode that has no name in the end; `root` is the one before
  // Propagation. A mount without group, master and `unbindable` is private.
  std::uint32_t ns = 0;             ///< in Plan::namespaces
  std::uint32_t group = no_index;   ///< in Plan::groups: it is a member
  std::uint32_t master = no_index;  ///< it is a slave of it; of a member: its group's master
  bool unbindable = false;          ///< never of a member of a group
  Implied implied = Implied::no;    ///< a copy that the entry at `span` brings about
};

/// Whether it is a group of the parent's own (DesiredGroup::parent).
inline bool is_crossing(const DesiredGroup& group) { return !group.parent.empty(); }

/// A value that `--set` gave a param.
struct PlanSetting {
  std::string name;
  std::string value;
};

/// Where inodes that shall have no name have one for a while, at the root of their filesystem.
inline constexpr std::string_view deleted_folder = ".mntcr-deleted";

/// The root of a mount with `deleted = label`, and the label again.
std::string deleted_place(std::string_view label);
std::string_view deleted_label(std::string_view root);

/// Whether `path` is the folder of inodes without a name, or lies in it.
bool is_deleted_place(std::string_view path);

/// What a kind is called in the language: "dir", "file", "char" …
std::string_view kind_word(NodeKind kind);
/// A kind with what belongs to it: "fifo", "char:1:3", "symlink:/target".
std::string node_words(const DesiredNode& node);
/// What brings a copy about, in one word; empty for no copy.
std::string_view implied_word(Implied implied);

/// See the top of the file.
struct Plan {
  std::string name;
  SourceMap sources;
  std::vector<DesiredSuperblock> superblocks;
  std::vector<DesiredNamespace> namespaces = {{main_namespace, no_index, {}}};
  std::vector<DesiredGroup> groups;
  Escape escape = Escape::refuse;
  std::vector<DesiredMount> mounts;
  std::vector<IdMap> idmaps;       ///< each once; set_attributes names one by `b`
  std::vector<DesiredNode> nodes;  ///< what is above a node stands before it
  std::vector<Op> ops;
  Slot slots = 0;                             ///< how many registers the operations use
  std::vector<std::string> filesystem_names;  ///< all that the spec declares, shown or not
  std::vector<PlanSetting> settings;
};

}  // namespace mntcr
