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

/// A filesystem that the spec makes: a [filesystem.NAME] table, or a mount with `type`.
struct FilesystemDecl {
  std::string name;  ///< empty for a mount with `type`
  std::string type;
  std::string fsname;               ///< the type where none is written
  std::vector<std::string> params;  ///< "size=64m", in the order written, each key once
  std::vector<LayerDecl> layers;    ///< an overlay's: the lower ones, topmost first, upper, work
  std::optional<MountIndex> of;     ///< not made: it is what this mount shows
  Span span;                        ///< the table's header, or the value of `type`
};

/// A [[mount]] or [root]. Exactly one of `source` and `made` is set.
struct MountDecl {
  Str target;  ///< "/" for [root]
  Str name;    ///< "root" for [root], else empty where none is written
  Str on;      ///< the name of the mount that it lies on, where one is written
  std::optional<MountIndex> on_mount;  ///< the mount that `on` names
  bool cover = false;                  ///< walks of other mounts pass it
  std::optional<SourceRef> source;
  std::optional<FilesystemDecl> made;
  AttrDemand attrs;
  Create create = Create::automatic;
  bool follow = true;
  Span span;         ///< the entry's header
  Span create_span;  ///< the value of `create`, where it is written
};

/// A whole spec. mounts[0] is [root]; the rest stand in the order of the file.
struct Spec {
  Str name;
  std::vector<MountDecl> mounts;
  std::vector<FilesystemDecl> filesystems;
};

}  // namespace mntcr::spec
