// The operations of the fuzzer, as data: a sequence can be printed, replayed on another machine and
// shortened. What an operation speaks of it names by number: namespaces, detached trees and held
// files have the numbers that the operation which made them gave. So a sequence with some
// operations taken out still means the same; what has lost its object is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mntcr::fuzz {

/// What is done. Trees are those of open_tree(OPEN_TREE_CLONE) and fsmount, before they are
/// attached; held files are those of open_tree without it: a place that is open.
enum class Kind : std::uint8_t {
  mount_new,           ///< a new tmpfs at `path`
  bind,                ///< `path` at `to`
  change,              ///< propagation of the mount at `path`
  read_only,           ///< of the mount at `path`
  read_write,          ///< the reverse
  move,                ///< from `path` to `to`
  umount,              ///< of `path`; never of the lowest mount of a namespace
  clone_namespace,     ///< of `ns`, which becomes `other_ns`
  pivot_root,          ///< `path` becomes the root, the old one goes to `to`
  set_group,           ///< of `path`, to `to` in `other_ns`
  set_group_detached,  ///< of `path`, to the root of `tree`
  open_tree,           ///< a clone of `path` becomes `tree`
  attach,              ///< `tree` at `to`
  change_detached,     ///< propagation of the mount at `path` in `tree`
  close,               ///< `tree`
  hold,                ///< `path` as `held`
  release,             ///< `held`
  open_held,           ///< a clone of `held` becomes `tree`
  move_held,           ///< `held` to `to`
  attach_to_held,      ///< `tree` at `held`
  attach_into,         ///< `tree` into `other_tree`, at `to` there
  new_detached,        ///< a new tmpfs becomes `tree`
  idmap,               ///< of the mount at `path`
  idmap_detached,      ///< of `tree`
  remove_directory,    ///< `path`; none is made, so that what there is stays known
};

inline constexpr std::size_t kind_count = static_cast<std::size_t>(Kind::remove_directory) + 1;

/// The kind's name, as it begins a line.
std::string name_of(Kind kind);

/// Which members say something depends on the kind.
struct Operation {
  Kind kind = Kind::mount_new;
  unsigned ns = 0;  ///< in which it is done
  unsigned other_ns = 0;
  std::string path;  ///< "/a/b"; empty for the root
  std::string to;    ///< as `path`
  unsigned tree = 0;
  unsigned other_tree = 0;
  unsigned held = 0;
  std::uint64_t propagation = 0;  ///< abi::ms_shared and the like
  bool recursive = false;
  bool beneath = false;
  bool lazy = false;
  bool new_user = false;  ///< clone_namespace: as the root of a new user namespace
};

/// "ns1 bind recursive /a /b/a"
std::string to_line(const Operation& operation);

}  // namespace mntcr::fuzz
