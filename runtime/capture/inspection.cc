// How a mount is reached. A walk from the mount that it lies on ends in the topmost mount of its
// place; what hides it, mounts on its root or over a directory above it, is looked at first and
// then taken off. That is why the copy: it is private, and nothing of it is seen by anybody. What
// the place itself is, underneath all mounts, shows a clone of the mount without its children.
//
// What never hangs: a walk with RESOLVE_CACHED stays in the kernel's memory, which holds every
// mountpoint and the directories above it, and gives up where a filesystem would have to ask its
// server. Where a mount is of a type that may have one, its root is never opened: the walk to what
// lies inside passes through it.
//
// A mount is taken off only if its parent is private, or it would vanish from the live namespace,
// too. What lies on "/" when the thread enters can be made private, with all below, and that can be
// taken off. But what it hides was out of reach until then: whether that is shared tells a move of
// the mount onto itself, which is EINVAL on a shared parent, and else ELOOP.
#include "runtime/capture/inspection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "runtime/base/path.h"
#include "runtime/capture/mountinfo_grammar.h"
#include "runtime/capture/table_builder.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

constexpr std::uint64_t no_detours =
    abi::resolve_beneath | abi::resolve_no_symlinks | abi::resolve_no_magiclinks;

/// A walk in memory is disturbed by renames anywhere, which is no reason to give up at once.
constexpr int most_walks = 8;

/// Mounts inside one another deeper than this are not looked at: the walk is recursive.
constexpr int most_depth = 1000;

InodeKind kind_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return InodeKind::directory;
    case S_IFLNK:
      return InodeKind::symlink;
    case S_IFIFO:
      return InodeKind::fifo;
    case S_IFSOCK:
      return InodeKind::socket;
    case S_IFCHR:
      return InodeKind::character;
    case S_IFBLK:
      return InodeKind::block;
    default:
      return InodeKind::file;
  }
}

/// A mount-namespace file, which no copy of a namespace has.
bool is_left_out_of_copies(const LiveMount& mount) {
  return mount.fs_type == "nsfs" && mount.root.starts_with("mnt:");
}

/// A mount of the table and one of the copy that stands at the same place of the tree.
bool is_same_mount(const LiveMount& a, const LiveMount& b) {
  return a.below_parent == b.below_parent && a.dev_major == b.dev_major &&
         a.dev_minor == b.dev_minor && a.root == b.root && a.fs_type == b.fs_type;
}

class Inspection {
 public:
  Inspection(Kernel& kernel, const Fd& proc, const MountTable& table, const Agenda& agenda)
      : kernel_(kernel),
        proc_(proc),
        table_(table),
        agenda_(agenda),
        gone_(table.mounts.size(), false) {
    seen_.roots.resize(table.mounts.size());
  }

  /// Layer by layer of what is stacked on "/", the topmost first.
  Result<Seen> run(const Fd& ns) {
    if (auto entered = enter_mount_namespace(kernel_, ns.get()); !entered) {
      return Failure(entered.error());
    }
    if (auto copied = kernel_.unshare(abi::clone_newns); !copied) return Failure(copied.error());
    const auto copy = kernel_.openat2(proc_.get(), "thread-self/ns/mnt", OpenHow{});
    if (!copy) return Failure(copy.error());
    const std::vector<std::uint32_t> layers = agenda_.stack(table_, 0);
    for (std::size_t at = layers.size(); at-- > 0;) {
      const Result<Fd> root = stand_on(layers[at]);
      if (!root) break;
      visit(layers[at], {root->get(), {}, agenda_.safe[layers[at]]}, root->get(), 0);
      if (!is_any_wanted(layers, at) || !take_off_root(*root, *copy)) break;
      gone_[layers[at]] = true;
    }
    return std::move(seen_);
  }

 private:
  /// Where the walk to a mount begins and what lies before it. `safe`: all of that lies on the
  /// mount that begins, and no server is asked on it.
  struct Place {
    int dir;
    std::string below;
    bool safe;
  };

  [[nodiscard]] bool is_any_wanted(const std::vector<std::uint32_t>& layers,
                                   std::size_t count) const {
    return std::any_of(layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](std::uint32_t layer) { return agenda_.wanted[layer]; });
  }

  // --- The root of the copy.

  /// The root of the topmost mount on "/", which is `layer`; all that lies on it is made private.
  Result<Fd> stand_on(std::uint32_t layer) {
    // An empty path and "." are the thread's own directory: not even a server's root is asked for.
    const MountAttr private_attr{0, 0, abi::ms_private};
    const auto made_private =
        kernel_.mount_setattr(Kernel::at_fdcwd, "", abi::at_recursive, private_attr);
    if (!made_private) return Failure(made_private.error());
    OpenHow how;
    how.flags = O_PATH | O_DIRECTORY;
    how.resolve = agenda_.safe[layer] ? 0 : abi::resolve_cached;
    auto root = kernel_.openat2(Kernel::at_fdcwd, ".", how);
    if (!root) return root;
    if (auto moved = kernel_.fchdir(proc_.get()); !moved) return Failure(moved.error());
    if (auto same = is_as_in_table(layer); !same || !*same) {
      seen_.changed = true;
      return fail("the mounts have changed");
    }
    return root;
  }

  /// Whether the tree that the thread's root shows is what the table has from `layer` on.
  Result<bool> is_as_in_table(std::uint32_t layer) {
    const auto file = kernel_.openat2(proc_.get(), "thread-self/mountinfo", OpenHow{});
    if (!file) return Failure(file.error());
    const auto text = kernel_.read_all(file->get());
    if (!text) return Failure(text.error());
    auto rows = parse_mountinfo_rows(*text);
    if (!rows) return Failure(rows.error());
    const auto copy = build_mount_table(std::move(*rows), false);
    if (!copy) return Failure(copy.error());
    const std::vector<std::uint32_t> expected = copied_from(layer);
    if (expected.size() != copy->mounts.size()) return false;
    for (std::size_t at = 1; at < expected.size(); ++at) {
      const LiveMount& mount = table_.mounts[expected[at]];
      if (!is_same_mount(mount, copy->mounts[at])) return false;
      if (mount.parent != expected[copy->mounts[at].parent]) return false;
    }
    const LiveMount& root = copy->mounts.front();
    return table_.mounts[layer].root == root.root && table_.mounts[layer].fs_type == root.fs_type;
  }

  /// `layer` and all below it in tree order, without what copies leave out.
  [[nodiscard]] std::vector<std::uint32_t> copied_from(std::uint32_t layer) const {
    std::vector<std::uint32_t> expected;
    std::vector<std::uint32_t> todo{layer};
    while (!todo.empty()) {
      const std::uint32_t mount = todo.back();
      todo.pop_back();
      if (gone_[mount] || is_left_out_of_copies(table_.mounts[mount])) continue;
      expected.push_back(mount);
      const auto& children = agenda_.children[mount];
      todo.insert(todo.end(), children.rbegin(), children.rend());
    }
    return expected;
  }

  /// Takes off the mount that the thread stands on and stands on the next; not where it lies on a
  /// shared one.
  bool take_off_root(const Fd& root, const Fd& copy) {
    const auto moved = kernel_.move_mount(root.get(), "", root.get(), "", 0);
    if (moved || moved.error().number != ELOOP) return false;
    return kernel_.umount2(path_of(root), abi::mnt_detach) &&
           kernel_.setns(copy.get(), abi::clone_newns);
  }

  /// A path to an open file, for a thread that stands in /proc.
  static std::string path_of(const Fd& file) {
    return fmt::format("thread-self/fd/{}", file.get());
  }

  // --- The tree.

  /// Looks at `mount`, which nothing hides, and at what lies inside it. `file` is its root, or
  /// nothing can be looked at; `at` is where walks into it begin.
  void visit(std::uint32_t mount, const Place& at, int file, int depth) {
    if (agenda_.safe[mount] && !look(mount, file)) return;
    if (depth == most_depth) return;
    for (const std::uint32_t child : agenda_.children[mount]) {
      const std::string& place = table_.mounts[child].below_parent;
      if (place.empty() || !agenda_.stack_wanted[child]) continue;
      uncover(mount, place, at);
      visit_stack(child, {at.dir, path::join(at.below, place), at.safe}, depth + 1);
    }
  }

  /// Takes off what lies on `mount` over a directory above `place`. It has been looked at, for
  /// siblings are ordered by their places.
  void uncover(std::uint32_t mount, std::string_view place, const Place& at) {
    const auto& siblings = agenda_.children[mount];
    const auto place_of = [&](std::uint32_t sibling) {
      return std::string_view(table_.mounts[sibling].below_parent);
    };
    std::string above;
    for (const std::string_view component : path::components(path::parent(place))) {
      above = path::join(above, component);
      const auto cover = std::ranges::lower_bound(siblings, std::string_view(above), {}, place_of);
      if (cover == siblings.end() || place_of(*cover) != above) continue;
      take_off_stack(*cover, {at.dir, path::join(at.below, above), at.safe});
    }
  }

  /// From the top down as far as anything is wanted.
  void visit_stack(std::uint32_t bottom, const Place& at, int depth) {
    const std::vector<std::uint32_t> layers = agenda_.stack(table_, bottom);
    for (std::size_t layer = layers.size(); layer-- > 0;) {
      const std::uint32_t mount = layers[layer];
      if (is_left_out_of_copies(table_.mounts[mount])) continue;
      if (agenda_.safe[mount]) {
        const Result<Fd> root = open_mount(at);
        if (!root) return;
        visit(mount, {root->get(), {}, true}, root->get(), depth);
      } else {
        visit(mount, {at.dir, at.below, false}, -1, depth);
      }
      if (!is_any_wanted(layers, layer) || !take_off(mount, at)) return;
    }
  }

  void take_off_stack(std::uint32_t bottom, const Place& at) {
    const std::vector<std::uint32_t> layers = agenda_.stack(table_, bottom);
    for (std::size_t layer = layers.size(); layer-- > 0;) {
      if (!take_off(layers[layer], at)) return;
    }
  }

  /// Takes off `mount`, the topmost at `at`, and all that lies on it.
  bool take_off(std::uint32_t mount, const Place& at) {
    if (gone_[mount] || is_left_out_of_copies(table_.mounts[mount])) return true;
    if (agenda_.safe[mount]) {
      const Result<Fd> root = open_mount(at);
      gone_[mount] = root && kernel_.umount2(path_of(*root), abi::mnt_detach);
    } else if (at.safe) {
      // Its root is not opened: the last step of the walk is that of umount2 itself.
      OpenHow how;
      how.flags = O_PATH | O_DIRECTORY;
      how.resolve = no_detours | abi::resolve_no_xdev;
      const std::string folder(path::parent(at.below));
      const Result<Fd> dir = kernel_.openat2(at.dir, folder.empty() ? "." : folder, how);
      const std::string name = path::relative_to(at.below, folder);
      gone_[mount] = dir && kernel_.umount2(path_of(*dir) + '/' + name,
                                            abi::mnt_detach | abi::umount_nofollow);
    }
    return gone_[mount];
  }

  /// The root of the topmost mount at `at`, which asks no server.
  Result<Fd> open_mount(const Place& at) {
    OpenHow how;
    how.flags = O_PATH | O_NOFOLLOW;
    how.resolve = no_detours | abi::resolve_cached;
    Result<Fd> root = kernel_.openat2(at.dir, at.below, how);
    for (int walk = 1; walk < most_walks && is_disturbed(root); ++walk) {
      root = kernel_.openat2(at.dir, at.below, how);
    }
    if (is_disturbed(root) && at.safe) {
      how.resolve = no_detours;
      root = kernel_.openat2(at.dir, at.below, how);
    }
    if (!root && root.error().number == ENOENT) seen_.changed = true;
    return root;
  }

  static bool is_disturbed(const Result<Fd>& walked) {
    return !walked && walked.error().number == EAGAIN;
  }

  // --- Inodes.

  /// Notes what `file`, the root of `mount`, is, and what lies underneath. False when it is not
  /// that root.
  bool look(std::uint32_t mount, int file) {
    const LiveMount& known = table_.mounts[mount];
    const auto status = kernel_.statx(file, "", abi::at_statx_dont_sync);
    if (!status) return false;
    // A subvolume of btrfs shows another number to statx than to mountinfo.
    const bool same_device =
        status->dev_major == known.dev_major && status->dev_minor == known.dev_minor;
    if (!status->is_mount_root || (!same_device && known.fs_type != "btrfs")) {
      seen_.changed = true;
      return false;
    }
    const InodeFacts facts = facts_of(mount, file, *status);
    seen_.roots[mount] = facts;
    if (agenda_.underneath.contains(mount)) look_underneath(mount, file, facts);
    return true;
  }

  /// Notes the inodes that mounts need of the filesystem that `mount` shows from `file`, its
  /// `root`, on.
  void look_underneath(std::uint32_t mount, int file, const InodeFacts& root) {
    const LiveMount& shown = table_.mounts[mount];
    auto& inodes = seen_.needed[{shown.dev_major, shown.dev_minor}];
    Fd clone;  // opened when the first mount is in the way
    OpenHow how;
    how.flags = O_PATH | O_NOFOLLOW;
    how.resolve = no_detours | abi::resolve_no_xdev;
    for (const std::string& path : agenda_.underneath.at(mount)) {
      const std::string below = path::relative_to('/' + path, shown.root);
      if (below.empty()) {
        inodes.insert_or_assign(path, root);
        continue;
      }
      Result<Fd> inode = kernel_.openat2(clone ? clone.get() : file, below, how);
      if (!inode && inode.error().number == EXDEV && !clone) {
        if (auto cloned = kernel_.open_tree(file, "", abi::open_tree_clone)) {
          clone = std::move(*cloned);
          inode = kernel_.openat2(clone.get(), below, how);
        }
      }
      if (!inode) continue;
      const auto status = kernel_.statx(inode->get(), "", abi::at_statx_dont_sync);
      if (status) inodes.insert_or_assign(path, facts_of(mount, inode->get(), *status));
    }
  }

  /// Owners are those that the filesystem stores, whatever `mount` makes of them; one that it makes
  /// nobody of counts as root.
  InodeFacts facts_of(std::uint32_t mount, int file, const FileStatus& status) {
    InodeFacts facts;
    facts.kind = kind_of(status.mode);
    facts.inode = status.inode;
    facts.mode = status.mode & 07777U;
    const std::optional<IdMap>& map = table_.mounts[mount].idmap;
    facts.uid = map ? idmap::stored(map->uid, status.uid).value_or(0) : status.uid;
    facts.gid = map ? idmap::stored(map->gid, status.gid).value_or(0) : status.gid;
    facts.size = status.size;
    facts.rdev_major = status.rdev_major;
    facts.rdev_minor = status.rdev_minor;
    if (facts.kind == InodeKind::symlink) {
      facts.target = kernel_.readlinkat(file, "").value_or(std::string{});
    }
    return facts;
  }

  Kernel& kernel_;
  const Fd& proc_;
  const MountTable& table_;
  const Agenda& agenda_;
  std::vector<bool> gone_;  ///< mounts that were taken off
  Seen seen_;
};

}  // namespace

Result<Seen> look_inside(Kernel& kernel, const Fd& proc, const Fd& ns, const MountTable& table,
                         const Agenda& agenda) {
  return Inspection(kernel, proc, table, agenda).run(ns);
}

}  // namespace mntcr
