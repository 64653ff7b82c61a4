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

/// The phases of a plan, in the order in which they must come.
enum class Phase : std::uint8_t { enter, sources, trees, sharing, root };

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
  Span span;
};

/// Whether what is written to the superblock `index` ends up on a filesystem of the parent: it is
/// one, or an overlay whose upper layer is. A read-only overlay counts as the parent's: nothing can
/// be made on it.
bool writes_reach_parent(const std::vector<DesiredSuperblock>& superblocks, std::uint32_t index);

/// A mount as it shall be. mounts[0] is the root; a parent stands before its children.
struct DesiredMount {
  std::uint32_t parent = no_index;  ///< no_index for the root
  std::uint32_t superblock = 0;
  std::string target;      ///< absolute path, for people
  std::string mountpoint;  ///< relative to the parent's root; "" lies on the parent's root itself
  std::string root;        ///< relative to the superblock's path, "" for all of it
  AttrDemand attrs;
  Span span;  ///< the mount's entry in the spec
};

/// See the top of the file.
struct Plan {
  std::string name;
  SourceMap sources;
  std::vector<DesiredSuperblock> superblocks;
  std::vector<DesiredMount> mounts;
  std::vector<Op> ops;
  Slot slots = 0;  ///< how many registers the operations use
};

}  // namespace mntcr
