// A Kernel that is a model: no Linux behind it, every call acts on a MountModel and on inodes in
// memory. What works on mounts can be run on it from any state, thousands of times a second, and
// what it should lead to can be read off directly.
//
// specs/kernel-semantics.md has the rules, and what the model leaves out.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/kernel/kernel.h"
#include "runtime/kernel/model/mount_model.h"
#include "runtime/kernel/model/path_walk.h"

namespace mntcr {

/// A mount of the parent, to begin with.
struct ModelMount {
  std::string path;                               ///< in the caller's namespace, made if missing
  std::shared_ptr<model::Superblock> superblock;  ///< a new one of `type` if none
  std::string type = "unknown";
  std::string root;  ///< path in the superblock, relative; made if missing
  bool boundless = true;
  std::optional<model::Propagation> propagation;  ///< before the outside relatives are made
  bool peer_outside = false;                      ///< has a peer that nobody sees
  bool slave_of_outside = false;                  ///< is a slave of a mount that nobody sees
};

/// Begins with one namespace: a hidden empty rootfs, a private tmpfs over it, the calling thread
/// inside.
///
/// Each thread is a task, as long as they come and go as those of join_thread() do: one thread
/// calls at a time, and who started another makes no call until that has ended. A thread begins
/// where the one that called last stands.
class ModelKernel : public Kernel {
 public:
  explicit ModelKernel(std::optional<KernelRule> broken = std::nullopt);
  ~ModelKernel() override;

  /// The mounts, to be read directly.
  [[nodiscard]] const model::MountModel& state() {
    static_cast<void>(task());  // what ended threads held is gone
    return mounts_;
  }
  /// As they stood at the last call.
  [[nodiscard]] const model::MountModel& state() const { return mounts_; }

  /// From now on every path exists on the filesystem of the caller's root.
  void make_root_boundless();
  /// From now on the same holds of new filesystems that the kernel fills (proc, sysfs, cgroup2 …),
  /// and of overlays.
  void make_filled_boundless() { filled_boundless_ = true; }
  /// Makes a file of what is at `path`, which would else pass for a directory.
  Result<void> make_file(const std::string& path);
  /// Adds a mount to the caller's namespace, without any propagation; returns its unique id.
  Result<std::uint64_t> add_mount(const ModelMount& wanted);
  /// A copy of the namespace in a new user namespace; the caller stays where it is.
  Result<Fd> clone_namespace_in_new_user_namespace(int ns_fd);
  /// The mount that a file is on, by its unique id; 0 of what is no file.
  [[nodiscard]] std::uint64_t mount_of(int fd) const;

  Result<Fd> openat2(int dir, const std::string& path, const OpenHow& how) override;
  Result<void> mkdirat(int dir, const std::string& path, std::uint32_t mode) override;
  Result<void> unlinkat(int dir, const std::string& path, int flags) override;
  Result<void> mknodat(int dir, const std::string& path, std::uint32_t mode, std::uint32_t major,
                       std::uint32_t minor) override;
  Result<void> symlinkat(const std::string& target, int dir, const std::string& path) override;
  Result<void> fchownat(int dir, const std::string& path, std::uint32_t uid, std::uint32_t gid,
                        int flags) override;
  Result<void> fchmodat(int dir, const std::string& path, std::uint32_t mode) override;
  Result<std::string> readlinkat(int dir, const std::string& path) override;
  Result<FileStatus> statx(int dir, const std::string& path, int flags) override;
  Result<std::uint64_t> fstatfs_type(int fd) override;
  Result<std::string> read_all(int fd) override;
  Result<bool> poll_priority(int fd) override;
  Result<std::vector<std::string>> getdents(int fd) override;
  void close(int fd) override;
  Result<Fd> open_tree(int dir, const std::string& path, unsigned flags) override;
  Result<void> move_mount(int from, const std::string& from_path, int to,
                          const std::string& to_path, unsigned flags) override;
  Result<void> mount_setattr(int dir, const std::string& path, unsigned flags,
                             const MountAttr& attr) override;
  Result<Fd> fsopen(const std::string& type) override;
  Result<void> fsconfig_string(int context, const std::string& key,
                               const std::string& value) override;
  Result<void> fsconfig_flag(int context, const std::string& key) override;
  Result<void> fsconfig_create(int context) override;
  Result<Fd> fsmount(int context, unsigned mount_attrs) override;
  Result<Fd> fspick(int mount) override;
  Result<void> fsconfig_reconfigure(int context) override;
  Result<void> umount2(const std::string& path, int flags) override;
  Result<void> pivot_root(const std::string& new_root, const std::string& put_old) override;
  Result<std::size_t> listmount(std::uint64_t ns_id, std::uint64_t below, std::uint64_t last_id,
                                std::span<std::uint64_t> ids) override;
  Result<MountStatus> statmount(std::uint64_t mount_id, std::uint64_t ns_id,
                                StatmountPart part) override;
  Result<void> unshare(int flags) override;
  Result<void> setns(int ns, int type) override;
  Result<Fd> new_user_namespace(int proc, const std::string& uid_map,
                                const std::string& gid_map) override;
  Result<void> fchdir(int dir) override;
  Result<void> chroot(const std::string& path) override;
  Result<std::uint64_t> ioctl_ns_get_mntns_id(int ns) override;
  Result<int> ioctl_ns_get_nstype(int ns) override;
  Result<Fd> ioctl_ns_mnt_get_next(int ns) override;
  Result<std::vector<int>> sched_getaffinity() override;
  Result<void> sched_setaffinity(std::span<const int> cpus) override;

 private:
  template <class T>
  using Outcome = model::Outcome<T>;
  using Place = model::Place;

  /// A place that keeps its mount.
  struct Pinned {
    std::shared_ptr<model::Mount> mount;
    model::Inode* inode = nullptr;
    [[nodiscard]] Place place() const { return {mount.get(), inode}; }
  };
  struct Task {
    std::thread::id thread;
    std::shared_ptr<model::NamespaceHold> ns;
    Pinned root;
    Pinned cwd;
  };
  struct Context {
    std::string type;
    std::string source;
    std::vector<std::string> options;
    std::uint32_t flags_set = 0;
    std::uint32_t flags_cleared = 0;
    std::shared_ptr<model::Superblock> superblock;  ///< once created, or picked
    bool mounted = false;
    bool picked = false;
  };
  enum class FileKind : std::uint8_t { path, context, userns };
  struct File {
    FileKind kind = FileKind::path;
    Pinned at;
    bool path_only = false;
    bool dissolves = false;  ///< holds a detached tree
    std::shared_ptr<model::NamespaceHold> ns;
    std::shared_ptr<Context> context;
    std::shared_ptr<const model::Idmap> idmap;
  };
  struct Walking {
    std::uint64_t resolve = 0;
    bool follow = true;
    bool may_be_empty = false;
  };

  // model_kernel.cc
  Task& task();
  model::Namespace& own_namespace() { return task().ns->ns; }
  static Pinned pin(const Place& place);
  void make_proc();
  Fd open(File file);
  [[nodiscard]] const File* find(int fd) const;
  Outcome<const File*> file_of(int fd, FileKind kind) const;

  // model_lookup.cc
  Outcome<Place> start_of(int dir);
  Outcome<Place> resolve(int dir, const std::string& path, const Walking& how);
  Outcome<Place> resolve_parent(int dir, const std::string& path, std::uint64_t flags,
                                std::string& name);
  Outcome<Place> follow_magic(const model::Inode& link);
  bool is_hidden_proc(const std::string& path, std::uint64_t flags);
  model::Inode& inode_of(model::Namespace& ns);
  std::string path_of(const Place& place, const Place& root) const;

  // model_files.cc
  Outcome<model::Inode*> make(int dir, const std::string& path, model::InodeKind kind,
                              std::uint32_t permissions);
  Result<Fd> open_place(const Place& place, const OpenHow& how);
  std::string content_of(const model::Inode& inode);

  // model_mountinfo.cc
  std::string mountinfo();

  // model_reading.cc
  Outcome<Place> seen_from(model::Namespace& ns);
  Outcome<model::Namespace*> asked_namespace(std::uint64_t ns_id);

  model::MountModel mounts_;
  std::uint64_t userns_;    ///< the caller's, in whichever namespace it is
  std::deque<Task> tasks_;  ///< each was started by the one before
  std::unordered_map<int, File> files_;
  int last_fd_ = 2;
  bool filled_boundless_ = false;
  model::Mount* proc_ = nullptr;  ///< nowhere: "/proc" leads to it where the root has none
  model::Mount* nsfs_ = nullptr;  ///< nowhere: the files of namespaces are on it
  std::map<std::uint64_t, model::Inode*> ns_inodes_;
  std::map<std::string, std::weak_ptr<model::Superblock>, std::less<>> singletons_;
};

}  // namespace mntcr
