// From which root the kernel shows a namespace. Under the "/" that people see every namespace has a
// mount that nobody sees, the rootfs, which is its own parent.
// - Another namespace is shown from the oldest mount on the rootfs. That is the namespace's root,
// also
//   when something is mounted over it or its processes are chrooted: just what is wanted.
// - The caller's own namespace is shown from the caller's root. Unless that is the mount on the
// rootfs,
//   a thread takes a step aside into a throwaway copy of the namespace and reads from there, where
//   it is another namespace like any other.
// - Another namespace whose root is an older mount than its rootfs (pivot_root(2) can do that) the
//   kernel shows to nobody outside: a thread enters it and reads it as its own.
// - In a namespace that still lives on the rootfs (an initramfs) the oldest mount on it is just any
//   mount. Asked for all below the rootfs, the kernel then lists mounts for which it has no
//   mountpoint: such a namespace is left to mountinfo.
//
// A reading is many calls between which mounts may change. Ids are never reused, so a mount that
// two readings show was there all the time between; and a MountWatch that saw nothing says that
// none was moved away and back. What is left is told by reading again: propagation, which mount(2)
// changes unseen, and the paths of mountpoints, which rename(2) does. Two equal readings then have
// between them an instant at which all of it was true, unless somebody changed the propagation of
// one mount an even number of times between its two readings, and so for each that shows a wrong
// value: Confirmations makes that as unlikely as one likes. Later readings leave out strings that
// have no part in this.
#include <cerrno>
#include <utility>

#include "runtime/capture/mount_watch.h"
#include "runtime/capture/readers.h"
#include "runtime/capture/table_builder.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

Failure not_readable_this_way(std::string message) { return fail(std::move(message), EOPNOTSUPP); }

/// The rootfs of the namespace, reached upwards from `mount`. EPERM without CAP_SYS_ADMIN over the
/// namespace, for the rootfs is not below the caller's root.
Result<std::uint64_t> find_rootfs(Kernel& kernel, std::uint64_t ns_id, std::uint64_t mount) {
  for (;;) {
    const auto status = kernel.statmount(mount, ns_id, StatmountPart::placement);
    if (!status) return Failure(status.error());
    if (status->parent_id == mount) return mount;
    mount = status->parent_id;
  }
}

/// Whether the kernel shows the caller's own namespace as it would show it to others.
Result<bool> stands_at_root(Kernel& kernel, std::uint64_t ns_id) {
  const auto root = kernel.statx(Kernel::at_fdcwd, "/", abi::at_statx_dont_sync);
  if (!root) return Failure(root.error());
  if (!root->mount_id_unique) return not_readable_this_way("statx: no unique mount ids");
  if (!root->is_mount_root) return false;
  const auto status = kernel.statmount(root->mount_id, ns_id, StatmountPart::placement);
  if (!status) return Failure(status.error());
  const auto parent = kernel.statmount(status->parent_id, ns_id, StatmountPart::placement);
  // Without privilege nothing above the own root can be seen, and nothing better can be done.
  if (!parent) return parent.error().number == EPERM ? Result<bool>(true) : Failure(parent.error());
  return parent->parent_id == status->parent_id;
}

/// All ids below `scope`.
Result<std::vector<std::uint64_t>> list_mounts(Kernel& kernel, std::uint64_t ns_id,
                                               std::uint64_t scope, std::size_t expected) {
  std::vector<std::uint64_t> ids(expected);
  std::size_t count = 0;
  for (;;) {
    if (count == ids.size()) ids.resize(ids.size() * 2);
    const std::uint64_t last = count == 0 ? 0 : ids[count - 1];
    const auto more = kernel.listmount(ns_id, scope, last, std::span(ids).subspan(count));
    if (!more) return Failure(more.error());
    count += *more;
    if (count < ids.size()) break;
  }
  ids.resize(count);
  return ids;
}

bool same_basics(const MountStatus& a, const MountStatus& b) {
  return a.id == b.id && a.parent_id == b.parent_id && a.sb_flags == b.sb_flags &&
         a.attrs == b.attrs && a.propagation == b.propagation && a.peer_group == b.peer_group &&
         a.master == b.master;
}

/// One namespace, read again and again until two readings agree.
class Readings {
 public:
  Readings(Kernel& kernel, std::uint64_t ns_id, std::uint64_t scope, MountWatch& watch)
      : kernel_(kernel), ns_id_(ns_id), scope_(scope), watch_(watch) {}

  Result<std::vector<MountStatus>> settled() {
    for (int reading = 0; reading < most_readings; ++reading) {
      if (const auto before = watch_.moved(); !before) return Failure(before.error());
      const auto whole = read();
      if (!whole) return Failure(whole.error());
      const Result<bool> equal = *whole ? is_confirmed() : Result<bool>(false);
      if (!equal) return Failure(equal.error());
      const auto moved = watch_.moved();
      if (!moved) return Failure(moved.error());
      if (*equal && !*moved) return std::move(mounts_);
      if (*whole && !*moved) distrustful_ = true;
    }
    return never_holds_still();
  }

 private:
  /// Reads all; false when a mount vanished meanwhile.
  Result<bool> read() {
    auto ids = list_mounts(kernel_, ns_id_, scope_, expected_);
    if (!ids) return Failure(ids.error());
    ids_ = std::move(*ids);
    expected_ = ids_.size() + 1;
    mounts_.clear();
    mounts_.reserve(ids_.size());
    for (const std::uint64_t id : ids_) {
      auto status = kernel_.statmount(id, ns_id_, StatmountPart::everything);
      if (!status && status.error().number == ENOENT) return false;
      if (!status) return Failure(status.error());
      mounts_.push_back(std::move(*status));
    }
    return true;
  }

  /// Whether all further readings show the same.
  Result<bool> is_confirmed() {
    const int needed = equal_readings(mounts_.size(), distrustful_);
    for (int reading = 0; reading < needed; ++reading) {
      const auto part = reading == 0 ? StatmountPart::placement : StatmountPart::basics;
      if (auto equal = reads_the_same(part); !equal || !*equal) return equal;
    }
    const auto ids = list_mounts(kernel_, ns_id_, scope_, expected_);
    if (!ids) return Failure(ids.error());
    return *ids == ids_;
  }

  Result<bool> reads_the_same(StatmountPart part) {
    for (const MountStatus& mount : mounts_) {
      const auto status = kernel_.statmount(mount.id, ns_id_, part);
      if (!status && status.error().number == ENOENT) return false;
      if (!status) return Failure(status.error());
      if (!same_basics(*status, mount)) return false;
      if (part == StatmountPart::placement && status->mountpoint != mount.mountpoint) return false;
    }
    return true;
  }

  Kernel& kernel_;
  std::uint64_t ns_id_;
  std::uint64_t scope_;
  MountWatch& watch_;
  bool distrustful_ = false;
  std::size_t expected_ = 256;
  std::vector<std::uint64_t> ids_;
  std::vector<MountStatus> mounts_;
};

/// A range that cannot be read makes the whole map an unknown one.
IdMap id_map_of(const MountStatus& status) {
  IdMap map;
  const auto read = [](const std::vector<std::string>& texts, IdRanges& ranges) {
    for (const std::string& text : texts) {
      const auto range = idmap::parse_range(text, ' ');
      if (!range) return false;
      ranges.push_back(*range);
    }
    return true;
  };
  if (!read(status.uid_map, map.uid) || !read(status.gid_map, map.gid)) return {};
  return map;
}

MountRow row_of(MountStatus status) {
  MountRow row;
  row.parent_id = status.parent_id;
  LiveMount& mount = row.mount;
  mount.id = status.id;
  mount.dev_major = status.dev_major;
  mount.dev_minor = status.dev_minor;
  mount.root = std::move(status.root);
  mount.mountpoint = std::move(status.mountpoint);
  mount.attrs = status.attrs;
  if ((status.attrs & abi::mount_attr_idmap) != 0) mount.idmap = id_map_of(status);
  mount.peer_group = status.peer_group;
  mount.master = status.master;
  mount.unbindable = (status.propagation & abi::ms_unbindable) != 0;
  mount.sb_rdonly = (status.sb_flags & fs_flag::rdonly) != 0;
  mount.sb_flags = status.sb_flags & (fs_flag::all & ~fs_flag::rdonly);
  mount.fs_type = std::move(status.fs_type);
  if (!status.fs_subtype.empty()) mount.fs_type += "." + status.fs_subtype;
  mount.source = std::move(status.source);
  mount.fs_options = std::move(status.fs_options);
  return row;
}

/// Below what to list: the rootfs, so that nothing is missed, where it can be found and is not
/// itself the root that is seen.
Result<std::uint64_t> choose_scope(Kernel& kernel, std::uint64_t ns_id) {
  for (int attempt = 0; attempt < most_readings; ++attempt) {
    std::uint64_t first = 0;
    const auto count = kernel.listmount(ns_id, Kernel::lsmt_root, 0, std::span(&first, 1));
    if (!count) return Failure(count.error());
    if (*count == 0) return Kernel::lsmt_root;
    const auto rootfs = find_rootfs(kernel, ns_id, first);
    if (rootfs) return *rootfs == first ? Kernel::lsmt_root : *rootfs;
    if (rootfs.error().number == EPERM) return Kernel::lsmt_root;
    if (rootfs.error().number != ENOENT) return Failure(rootfs.error());
  }
  return never_holds_still();
}

Result<MountTable> read_as_seen(Kernel& kernel, std::uint64_t ns_id, Result<MountWatch> watch) {
  if (!watch) return Failure(watch.error());
  const auto scope = choose_scope(kernel, ns_id);
  if (!scope) return Failure(scope.error());
  auto mounts = Readings(kernel, ns_id, *scope, *watch).settled();
  if (!mounts) return Failure(mounts.error());
  std::vector<MountRow> rows;
  rows.reserve(mounts->size());
  for (MountStatus& status : *mounts) {
    if (status.mountpoint.empty()) {
      return not_readable_this_way(
          "statmount: the namespace's root is the initial rootfs, which can only be seen from "
          "inside");
    }
    rows.push_back(row_of(std::move(status)));
  }
  return build_mount_table(std::move(rows), true);
}

/// Reads a namespace that the kernel does not show to the caller: because it may not see it, or
/// because of its root.
Result<MountTable> read_from_inside(Kernel& kernel, const Fd& proc, const Fd& ns,
                                    std::uint64_t ns_id) {
  return run_in_thread([&]() -> Result<MountTable> {
    if (!enter_mount_namespace(kernel, ns.get())) {
      return fail(
          "no permission to read the mounts of the namespace: that takes CAP_SYS_ADMIN over "
          "the user namespace that owns it",
          EPERM);
    }
    const auto at_root = stands_at_root(kernel, ns_id);
    if (!at_root) return Failure(at_root.error());
    if (!*at_root) {
      return fail(
          "the namespace's root is older than the namespace and something is mounted over it: "
          "Linux then shows its mounts to nobody");
    }
    return read_as_seen(kernel, ns_id, MountWatch::of_thread(kernel, proc));
  });
}

/// Reads the namespace that the caller is in from a copy of it that ends with the thread.
Result<MountTable> read_from_aside(Kernel& kernel, const Fd& proc, std::uint64_t ns_id) {
  return run_in_thread([&]() -> Result<MountTable> {
    auto watch = MountWatch::of_thread(kernel, proc);
    if (auto unshared = kernel.unshare(abi::clone_newns); !unshared) {
      return in_context(
          "the own root is covered or chrooted, so the own namespace can only be read "
          "from another",
          unshared.error());
    }
    return read_as_seen(kernel, ns_id, std::move(watch));
  });
}

}  // namespace

Result<MountTable> read_by_statmount(Kernel& kernel, const Fd& proc, const Fd& ns) {
  const auto ns_id = kernel.ioctl_ns_get_mntns_id(ns.get());
  if (!ns_id && ns_id.error().number == ENOTTY) {
    return not_readable_this_way("this kernel gives mount namespaces no ids");
  }
  if (!ns_id) return Failure(ns_id.error());
  const auto own = is_own_namespace(kernel, proc, ns);
  if (!own) return Failure(own.error());
  if (!*own) {
    auto table = read_as_seen(kernel, *ns_id, MountWatch::of_namespace(kernel, proc, ns));
    if (table || table.error().number != ENOENT) return table;
    return read_from_inside(kernel, proc, ns, *ns_id);
  }
  const auto at_root = stands_at_root(kernel, *ns_id);
  if (!at_root) return Failure(at_root.error());
  if (!*at_root) return read_from_aside(kernel, proc, *ns_id);
  return read_as_seen(kernel, *ns_id, MountWatch::of_thread(kernel, proc));
}

}  // namespace mntcr
