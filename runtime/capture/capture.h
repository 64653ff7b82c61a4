// Live namespaces to MountTable, read from outside: what a process of the namespace has mounted
// over its root or chrooted away from is seen too, and giving its PID, or the file of its
// namespace, gives the same table (kernel.md, "Reading").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/capture/mount_table.h"
#include "runtime/capture/table_walk.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// The way in which a namespace is read. `automatic` takes statmount(2) where the kernel has it,
/// else mountinfo, which cannot see below a covered root.
enum class Reader : std::uint8_t { automatic, statmount, mountinfo };

/// The mount-namespace file of `pid`. Fails in words of the user's when there is no such process.
Result<Fd> open_namespace_of_pid(Kernel& kernel, const Fd& proc, int pid);

/// The mount-namespace file at `path` (an nsfs file: /proc/PID/ns/mnt, or a pin). Fails when it is
/// another kind of file or namespace.
Result<Fd> open_namespace_file(Kernel& kernel, const std::string& path);

/// /proc, verified to be procfs: namespaces and mountinfo are reached through it.
Result<Fd> open_proc(Kernel& kernel);

/// Reads all mounts of the namespace `ns`. What changes while it is read is read again; when it
/// never holds still the failure says so, and no torn table is ever returned.
Result<MountTable> capture(Kernel& kernel, const Fd& proc, const Fd& ns,
                           Reader reader = Reader::automatic);

/// The id that the mount of an open file has in `table`: the unique one, or the reused one that
/// mountinfo shows. `status` is what statx says of the file.
Result<std::uint64_t> id_in_table(Kernel& kernel, const Fd& proc, const MountTable& table, int file,
                                  const FileStatus& status);

/// Parses the text of a /proc/PID/mountinfo. Fails with the line that it cannot read.
Result<MountTable> parse_mountinfo(std::string_view text);

/// Which filesystem, and which path within it, an absolute path of a namespace leads to.
struct SourceIdentity {
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::string root;                 ///< path within the filesystem, as mountinfo shows it
  std::optional<IdMap> idmap = {};  ///< of the mount on which the path ends: a bind has it, too
  std::uint64_t peer_group = 0;     ///< of that mount
  bool whole = false;               ///< the path is where that mount is mounted
  bool operator==(const SourceIdentity&) const = default;
};

/// What mounts show. Reading a path back from the kernel costs most of resolving it; what a source
/// is expected to be needs no such proof: a path without symlinks that is shown by a mount as it is
/// written is written as the filesystem has it, also where that ignores case.
class LikelySources {
 public:
  explicit LikelySources(const MountTable& table);
  [[nodiscard]] bool has(const SourceIdentity& identity) const;

 private:
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::string_view>;
  std::vector<Key> sorted_;
};

/// Answers what paths of one namespace lead to. `proc` and `table` must outlive it.
class SourceResolver {
 public:
  /// Resolves in the namespace of the calling thread; `table` is the capture of that namespace. The
  /// thread's root must be a mount on "/": a chrooted caller is refused.
  SourceResolver(Kernel& kernel, const Fd& proc, const MountTable& table);

  /// Where `path` leads, symlinks on the way followed; at the last component only with `follow`.
  /// Where the way leads to or through a filesystem that may never answer (table_walk.h) the table
  /// alone says it: nothing there is touched, and what is there is not taken for a symlink.
  /// `likely` changes no answer, it only makes answers that are among it cheaper.
  Result<SourceIdentity> resolve(const std::string& path, bool follow,
                                 const LikelySources* likely = nullptr);

  /// The capture that it was made from.
  [[nodiscard]] const MountTable& table() const { return table_; }

 private:
  /// Where an open file lies.
  struct Place {
    const LiveMount* mount;
    bool is_mount_root;
    std::uint64_t inode;
  };
  Result<const Fd*> root();
  std::optional<SourceIdentity> as_likely(const Fd& root, const std::string& path, bool follow,
                                          const LikelySources& likely);
  std::optional<SourceIdentity> told_by_table(const Fd& root, const std::string& path, bool follow);
  Result<Place> look_at(int file);
  Result<std::string> path_of(int file, const Place& place);

  Kernel& kernel_;
  const Fd& proc_;
  const MountTable& table_;
  TableWalk walk_;
  std::unordered_map<std::uint64_t, const LiveMount*> by_id_;
  Fd root_;  ///< the thread's root, opened and checked at the first resolve
};

}  // namespace mntcr
