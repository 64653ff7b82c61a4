// What the filesystems of a spec hold before anything is mounted on them: the inodes of their
// `tree`, the directories above those, and inodes that lose their name again (`deleted`). So kinds
// and symlinks are known on filesystems that the spec makes, without looking at any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/layout/contents.h"
#include "compiler/spec/spec.h"
#include "runtime/base/diagnostic.h"

namespace mntcr::layout {

/// An inode of a filesystem that the spec makes.
struct Inode {
  spec::InodeDecl decl;
  bool deleted = false;
  Span span;                                ///< the entry that says it, or needs it
  std::size_t rank = 0;                     ///< of that entry's file in the order of merging
  std::optional<spec::MountIndex> of = {};  ///< the mount by which its tree names the filesystem
};

/// The inodes of one filesystem by path, so what is above one comes before it.
using Inodes = std::map<std::string, Inode, std::less<>>;

/// See the top of the file.
class Inventory {
 public:
  /// Takes the inventory; complains about what does not fit together. All mounts have contents.
  Inventory(const spec::Spec& spec, const std::vector<std::optional<Content>>& contents,
            Diagnostics& diagnostics);

  /// nullptr where no more is known.
  [[nodiscard]] const Inode* find(const Identity& filesystem, std::string_view path) const;

  /// The first inode on the way from `from` (itself included) down to `path` (itself excluded) that
  /// is known to be no directory.
  struct Obstacle {
    std::string path;
    const Inode* inode;
  };
  [[nodiscard]] std::optional<Obstacle> find_obstacle(const Identity& filesystem,
                                                      std::string_view from,
                                                      std::string_view path) const;

  /// All of a filesystem's.
  [[nodiscard]] const Inodes& of(const Identity& filesystem) const;

 private:
  void add_trees(const spec::Spec& spec, const std::vector<std::optional<Content>>& contents);
  void add_tree(const Identity& filesystem, const spec::FilesystemDecl& made,
                const std::vector<spec::TreeEntry>& tree, std::optional<spec::MountIndex> of);
  void add_deleted(const spec::FilesystemDecl& made, const Content& content,
                   const spec::MountDecl& mount);
  void add_directories(Inodes& inodes);

  Diagnostics& diagnostics_;
  std::map<Identity, Inodes> inodes_;
};

}  // namespace mntcr::layout
