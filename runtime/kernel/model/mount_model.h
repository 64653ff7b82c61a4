// The state of mounts and the rules by which it changes: the pure part of the model, without paths,
// files or tasks. Each operation costs what it touches: groups know their members and slaves,
// mounts their children, inodes what stands on them, and nothing ever looks through all mounts.
//
// Peers, slaves and children have the kernel's order, for what masters copies get depends on it.
//
// The rules are those of specs/kernel-semantics.md, each in one place and each behind follows(), so
// that a test can leave one out.
#pragma once

#include <cstdint>
#include <expected>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/kernel/model/kernel_rule.h"
#include "runtime/kernel/model/model_filesystem.h"

namespace mntcr::model {

struct Mount;
struct Namespace;
class MountModel;

/// A value, or the errno of a refusal.
template <class T>
using Outcome = std::expected<T, int>;
using Refusal = std::unexpected<int>;

/// By id.
using MountSet = std::map<std::uint64_t, Mount*>;

/// A peer group. Peers share superblock and master. It ends with its last member.
struct PeerGroup {
  std::uint64_t id = 0;       ///< the lowest number that was free
  std::list<Mount*> members;  ///< a ring; who joins comes behind the one it is to be like
};

/// Keeps a namespace alive; the last one to go dissolves it.
struct NamespaceHold {
  NamespaceHold(MountModel& owner, Namespace& held) : model(owner), ns(held) {}
  NamespaceHold(const NamespaceHold&) = delete;
  NamespaceHold& operator=(const NamespaceHold&) = delete;
  ~NamespaceHold();
  MountModel& model;
  Namespace& ns;
};

/// A mount namespace; with `detached` the anonymous one that a detached tree lives in.
struct Namespace {
  std::uint64_t id = 0;  ///< growing
  bool detached = false;
  std::uint64_t userns = 0;
  std::uint64_t origin = 0;  ///< of a detached tree: id of the namespace it was cloned from
  Mount* root = nullptr;
  MountSet mounts;
  std::weak_ptr<NamespaceHold> hold;  ///< not of a detached one
};

struct Idmap {
  std::vector<std::string> uid;
  std::vector<std::string> gid;
};

struct Mount : std::enable_shared_from_this<Mount> {
  std::uint64_t id = 0;  ///< growing, never reused
  std::shared_ptr<Superblock> superblock;
  Inode* root = nullptr;
  Mount* parent = nullptr;
  Inode* mountpoint = nullptr;               ///< in the parent's superblock
  std::map<std::uint64_t, Mount*> children;  ///< by the number of their mountpoint's inode
  Namespace* ns = nullptr;                   ///< none once it is unmounted
  std::uint64_t attached = 0;                ///< growing with each attaching: the order of children
  PeerGroup* group = nullptr;
  Mount* master = nullptr;   ///< a member of the group whose slave it is
  std::list<Mount*> slaves;  ///< those whose master it is: new ones first, clones behind originals
  std::list<Mount*>::iterator as_member;  ///< in `group`, if any
  std::list<Mount*>::iterator as_slave;   ///< of `master`, if any
  bool unbindable = false;
  bool locked = false;
  std::uint64_t attrs = 0;
  std::uint64_t locked_attrs =
      0;  ///< those of `attrs` that cannot be cleared, with the whole atime
  std::optional<Idmap> idmap;
  std::shared_ptr<NamespaceHold> shows;  ///< the namespace whose file it shows
};

/// The group whose slave `mount` is, or nullptr.
inline PeerGroup* master_group(const Mount& mount) {
  return mount.master == nullptr ? nullptr : mount.master->group;
}

/// A file on a mount.
struct Place {
  Mount* mount = nullptr;
  Inode* inode = nullptr;
  bool operator==(const Place&) const = default;
};

/// What a clone takes over.
struct Cloning {
  bool slave = false;
  bool make_shared = false;
  bool unbindables = false;      ///< with unbindable mounts, which become bindable
  bool namespace_files = false;  ///< with mounts that show a mount namespace
};

enum class Propagation : std::uint8_t { shared, slave, private_, unbindable };

struct AttrChange {
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
  std::optional<Propagation> propagation;
  std::optional<Idmap> idmap;
};

class MountModel {
 public:
  explicit MountModel(std::optional<KernelRule> broken) : broken_(broken) {}
  MountModel(const MountModel&) = delete;
  MountModel& operator=(const MountModel&) = delete;
  ~MountModel();

  /// Whether the rule is in force: all are but the broken one.
  [[nodiscard]] bool follows(KernelRule rule) const { return broken_ != rule; }

  // What there is.
  /// By id, detached ones as well.
  [[nodiscard]] const std::map<std::uint64_t, std::unique_ptr<Namespace>>& namespaces() const {
    return namespaces_;
  }
  [[nodiscard]] std::size_t mount_count() const { return mounts_.size(); }
  /// A live namespace that is not detached, or nullptr.
  [[nodiscard]] Namespace* find_namespace(std::uint64_t id) const;
  /// The propagate_from of mountinfo: 0 where it shows none.
  [[nodiscard]] std::uint64_t propagates_from(const Mount& mount) const;

  // Making the pieces.
  std::shared_ptr<Superblock> new_superblock(std::string type);
  /// A private mount that is nowhere.
  Mount& new_mount(std::shared_ptr<Superblock> superblock, Inode& root);
  std::shared_ptr<NamespaceHold> new_namespace(Mount& root, std::uint64_t userns);
  /// A detached one around `root` and all below it.
  Namespace& new_detached(Mount& root, std::uint64_t userns, std::uint64_t origin);
  /// Puts `mount` at a place that is free, without any propagation, in the parent's namespace.
  void put(Mount& mount, const Place& at);
  /// A clone of `of` that is in no namespace and with nothing below: a peer, or a slave, outside of
  /// all that is seen.
  Mount& outside_relative(Mount& of, bool as_master);
  std::uint64_t new_userns() { return ++last_userns_; }

  // The operations. A refused one has changed nothing.
  /// open_tree(OPEN_TREE_CLONE): a detached tree; its root.
  Outcome<Mount*> clone_detached(Namespace& caller, const Place& from, bool recursive);
  /// move_mount of a detached tree or of a mount of the caller's namespace. `caller_root` is the
  /// caller's root.
  Outcome<void> move(Namespace& caller, const Mount* caller_root, const Place& from, Place to,
                     bool beneath);
  Outcome<void> set_group(const Place& from, const Place& to);
  Outcome<void> set_attributes(Namespace& caller, const Place& at, bool recursive,
                               const AttrChange& change);
  Outcome<void> umount(Namespace& caller, const Place& at, bool lazy);
  Outcome<void> pivot_root(Namespace& caller, const Place& root, const Place& new_root,
                           const Place& put_old);
  /// A copy of a namespace and, for each mount of it, its copy.
  std::shared_ptr<NamespaceHold> clone_namespace(Namespace& from, std::uint64_t userns,
                                                 std::unordered_map<Mount*, Mount*>& copies);
  /// The last file of a detached tree is closed, or of a namespace.
  void dissolve(Namespace& ns);
  /// The name of `inode` was removed: what is mounted on it goes.
  void detach_mounts_on(Inode& inode);

 private:
  using Mounts = std::unordered_set<Mount*>;

  // mount_model.cc
  void attach(Mount& mount, Mount& parent, Inode& mountpoint);
  void detach(Mount& mount);
  void enter(Mount& tree, Namespace& ns);
  void leave_namespace(Mount& mount);
  void forget(Mount& mount);

  // groups.cc
  PeerGroup& new_group();
  static void join(Mount& mount, PeerGroup& group);
  static void join_behind(Mount& mount, const Mount& peer);
  static void set_master(Mount& mount, Mount* master);
  static void follow_master(Mount& mount, const Mount& fellow);
  Mount* leave_group(Mount& mount);
  static void hand_over_slaves(Mount& mount, Mount* heir);
  void change(Mount& mount, Propagation propagation);
  [[nodiscard]] std::vector<Mount*> receivers(const Mount& parent) const;
  [[nodiscard]] int refuse_group(const Place& from, const Place& to) const;

  // cloning.cc
  Mount& clone(Mount& of, Inode& root, const Cloning& how);
  Outcome<Mount*> clone_tree(Mount& of, Inode& root, const Cloning& how,
                             std::unordered_map<Mount*, Mount*>* copies = nullptr);
  void drop(Mount& tree);

  // propagation.cc
  struct Copying {
    Mount* receiver;
    std::size_t source;  ///< 0 is what is attached, n the copy of step n - 1
    std::size_t master;  ///< of the copy; 0 also for a peer of what is attached
    bool slave;
    bool shared;
    bool beside;  ///< at a peer of the parent
  };
  struct CopyPlan {
    const Mount& parent;
    const Inode& mountpoint;
    std::vector<Copying> steps;
    std::unordered_set<const Mount*> masters;  ///< of the receivers so far, and of the parent
    std::unordered_map<const PeerGroup*, std::size_t> last_in;  ///< the last step in each group
  };
  [[nodiscard]] std::vector<Copying> plan_copies(const Mount& parent,
                                                 const Inode& mountpoint) const;
  [[nodiscard]] bool gets_copy(const Mount& mount, const Mount& parent,
                               const Inode& mountpoint) const;
  static void add_step(CopyPlan& plan, const Copying& step);
  [[nodiscard]] std::size_t find_master(const Mount& receiver, const CopyPlan& plan) const;
  void plan_group(Mount& first, CopyPlan& plan) const;
  void plan_slaves(CopyPlan& plan) const;
  std::vector<Mount*> make_copies(Mount& source, const std::vector<Copying>& plan);
  void graft(Mount& source, const Place& to, std::uint64_t userns);
  void land(Mount& tree, const Place& at, std::uint64_t userns);
  void lock_tree(Mount& tree, bool with_root) const;

  // moving.cc
  [[nodiscard]] bool would_cover(const Mount& parent, const Mount& mount,
                                 const Inode& mountpoint) const;
  [[nodiscard]] int refuse_source(Namespace& caller, const Mount& source,
                                  const Mount& parent) const;
  [[nodiscard]] int refuse_beneath(Namespace& caller, const Mount* caller_root, const Mount& source,
                                   const Mount& target) const;
  [[nodiscard]] int refuse_pivot(const Namespace& caller, const Place& root, const Place& new_root,
                                 const Place& put_old) const;

  // attributes.cc
  [[nodiscard]] int refuse_change(const Mount& mount, const AttrChange& change) const;

  // umount.cc
  [[nodiscard]] bool busy_elsewhere(const Mount& mount, const std::vector<Mount*>& around) const;
  [[nodiscard]] Mounts counterparts(const Mounts& going) const;
  void spare_foreign(Mounts& also, const Mounts& going) const;
  void spare_locked(Mounts& also, const Mounts& going) const;
  struct Sliding {
    Mount* mount;
    Place to;
  };
  [[nodiscard]] std::vector<Sliding> find_sliding(const Mounts& also, const Mounts& going) const;
  static std::vector<Mount*> all_that_goes(std::vector<Mount*> tree, const Mounts& also);
  void umount_tree(Mount& mount, bool propagate);
  void take_off(const std::vector<Mount*>& going);

  std::optional<KernelRule> broken_;
  bool ending_ = false;
  std::uint64_t last_mount_ = 0x80000000;
  std::uint64_t last_namespace_ = 0;
  std::uint64_t last_userns_ = 0;
  std::uint64_t last_group_ = 0;
  std::uint64_t last_attached_ = 0;
  std::uint32_t last_dev_minor_ = 0;
  std::map<std::uint64_t, std::unique_ptr<PeerGroup>> groups_;
  std::vector<std::uint64_t> free_groups_;  ///< a heap, lowest first
  std::map<std::uint64_t, std::unique_ptr<Namespace>> namespaces_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Mount>> mounts_;
};

/// `mount` and all below it, parents first.
std::vector<Mount*> tree_of(Mount& mount);

/// What stands on `mount`, the longest there first.
std::vector<Mount*> children_in_order(const Mount& mount);

/// `mount` and all below it, each before what is below it and this before its next sibling.
std::vector<Mount*> tree_in_order(Mount& mount);

/// The members of the group of `first`, from it on; just itself if it is not shared.
std::vector<Mount*> ring_from(Mount& first);

/// What is mounted at exactly that place, or nullptr.
Mount* child_at(const Mount& mount, const Inode& inode);

/// What is mounted on the root of `mount`, or nullptr.
Mount* overmount(const Mount& mount);

/// Up through what is mounted on the place to the topmost.
Place topmost(Place place);

/// Where one arrives in a namespace: its root, or what is mounted on it.
Place root_of(const Namespace& ns);

/// Whether a locked mount stands below `root` on `mount`.
bool has_locked_child(const Mount& mount, const Inode& root);

/// Whether `mount` is `above` or stands on it, however far below.
bool stands_on(const Mount& mount, const Mount& above);

/// Whether climbing from `place` leads to `above`.
bool is_reachable(const Place& place, const Place& above);

/// The path of the mountpoint below the root of the parent: "" for one that covers it.
std::string mountpoint_below_parent(const Mount& mount);

}  // namespace mntcr::model
