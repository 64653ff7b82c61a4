#include "runtime/apply/group_maker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

std::uint64_t propagation_bit(Propagation propagation) {
  switch (propagation) {
    case Propagation::shared:
      return abi::ms_shared;
    case Propagation::slave:
      return abi::ms_slave;
    case Propagation::unbindable:
      return abi::ms_unbindable;
  }
  return 0;
}

}  // namespace

bool joins_groups(const Plan& plan) {
  return std::ranges::any_of(plan.ops, [](const Op& op) { return op.kind == OpKind::set_group; });
}

std::expected<Fd, StepFailure> GroupMaker::open_group(const Op& op, const Fd& parent_root) {
  const DesiredGroup& group = plan_.groups[op.b];
  Result<Place> place = find_mount(parent_root, group.parent);
  if (!place) {
    StepFailure failure = refused(plan_, op, place.error());
    if (place.error().number == ENOENT || place.error().number == ENOTDIR) {
      failure = {Code::E0624,
                 fmt::format("there is no {} in the parent to take a peer group from",
                             path::printable(group.parent)),
                 {},
                 {"make it first, or correct the path"}};
    }
    return StepError(std::move(failure));
  }
  if (group.exact && !place->is_mountpoint) {
    return StepError(
        {Code::E0621,
         fmt::format("{} is no mountpoint in the parent", path::printable(group.parent)),
         {"the peer group of the mount above it is another one"},
         {fmt::format("mount there in the parent first: mount --bind {0} {0}",
                      path::printable(group.parent)),
          "or leave `exact` out: the group is then that of the mount which holds it"}});
  }
  if (Step shared = check_shared(op, *place); !shared) return StepError(std::move(shared.error()));
  crossing_[op.dst] = op.b;
  return std::move(place->root);
}

/// A mount that is only a slave would make slaves of its members, and nobody's peers.
Step GroupMaker::check_shared(const Op& op, const Place& place) {
  if (setting_.parent == nullptr) return {};
  const std::string path = path::printable(plan_.groups[op.b].parent);
  const Result<std::uint64_t> id =
      id_in_table(kernel_, setting_.proc, *setting_.parent, place.root.get(), place.status);
  if (!id) return StepError(refused(plan_, op, id.error()));
  const auto mount = std::ranges::find(setting_.parent->mounts, *id, &LiveMount::id);
  if (mount == setting_.parent->mounts.end()) {
    return StepError({Code::E0620,
                      fmt::format("{} is on no mount of the parent's namespace", path),
                      {},
                      {"run mntcr in that namespace, or name it by --parent"}});
  }
  if (mount->peer_group != 0) return {};
  const std::string where = path::printable(mount->mountpoint);
  return StepError(
      {Code::E0620,
       fmt::format("the parent's mount on {}, which holds {}, is in no peer group", where, path),
       {mount->master != 0 ? "it is a slave only: nobody receives what it mounts"
                           : "it is private: it sends and receives nothing"},
       {fmt::format("share it in the parent: mount --make-shared {}", where),
        "or write propagation = \"private\""}});
}

/// A file that is no mount's root is looked for in its directory, which a symlink can make another.
Result<GroupMaker::Place> GroupMaker::find_mount(const Fd& parent_root, const std::string& path) {
  Result<Fd> found = open_in(parent_root, path);
  if (!found) return Failure(found.error());
  Place place{std::move(*found), {}, false};
  Result<FileStatus> status = kernel_.statx(place.root.get(), "", abi::at_statx_dont_sync);
  if (!status) return Failure(status.error());
  place.status = *status;
  place.is_mountpoint = status->is_mount_root;
  if (place.is_mountpoint) return place;
  if (!S_ISDIR(status->mode)) {
    found = open_in(parent_root, path::parent(path));
    if (!found) return Failure(found.error());
    place.root = std::move(*found);
  }
  if (const Result<void> climbed = climb(place); !climbed) return Failure(climbed.error());
  if (place.status.mount_id != status->mount_id)
    return fail("the path leads through a symlink to another mount: write the path meant");
  return place;
}

/// Up to the mount's root. The caller's own root is no end: of a chrooted caller it is none.
Result<void> GroupMaker::climb(Place& place) {
  while (true) {
    Result<FileStatus> status = kernel_.statx(place.root.get(), "", abi::at_statx_dont_sync);
    if (!status) return Failure(status.error());
    place.status = *status;
    if (status->is_mount_root) return {};
    Result<Fd> above = kernel_.openat2(
        place.root.get(), "..", {.flags = O_PATH | O_DIRECTORY, .resolve = abi::resolve_no_xdev});
    if (!above) return Failure(above.error());
    place.root = std::move(*above);
  }
}

Result<Fd> GroupMaker::open_in(const Fd& parent_root, std::string_view path) {
  return kernel_.openat2(parent_root.get(), std::string(path),
                         {.flags = O_PATH, .resolve = abi::resolve_in_root});
}

Step GroupMaker::set_propagation(const Op& op, const Fd& mount) {
  const MountAttr attr{.propagation = propagation_bit(static_cast<Propagation>(op.b))};
  if (const Result<void> done = kernel_.mount_setattr(mount.get(), "", 0, attr); !done)
    return StepError(refused(plan_, op, done.error()));
  return {};
}

Step GroupMaker::set_group(const Op& op, const Fd& from, const Fd& to) {
  const Result<void> done =
      kernel_.move_mount(from.get(), "", to.get(), "", abi::move_mount_set_group);
  if (!done) return StepError(joining_failure(op, done.error()));
  return {};
}

/// The kernel wants both mounts to show one filesystem, and the group's the wider part of it.
StepFailure GroupMaker::joining_failure(const Op& op, const Error& error) const {
  const auto found = crossing_.find(op.a);
  if (found == crossing_.end()) return refused(plan_, op, error);
  const std::string path = path::printable(plan_.groups[found->second].parent);
  if (error.number == EPERM) {
    return {Code::E0623,
            fmt::format("{}: the parent's mount that holds {} may not be shared with",
                        doing(plan_, op), path),
            {"the parent's mount namespace belongs to another user namespace"},
            {"run mntcr outside of the user namespace, or write propagation = \"private\""}};
  }
  if (error.number != EINVAL) return refused(plan_, op, error);
  std::string source = "its source";
  if (op.mount < plan_.mounts.size()) {
    const DesiredSuperblock& superblock = plan_.superblocks[plan_.mounts[op.mount].superblock];
    source = path::printable(superblock.path);
  }
  return {Code::E0622,
          fmt::format("{}: {} is on another mount of the parent's than {}", doing(plan_, op),
                      source, path),
          {"a peer or a slave shows a part of what the mounts of its group show"},
          {"take the group of the mount that holds the source"}};
}

}  // namespace mntcr
