#include "runtime/apply/idmapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

struct KnownFilesystem {
  std::uint64_t magic;
  std::string_view name;
};

/// f_type of statfs(2) of filesystems that people try to idmap.
constexpr auto known_filesystems = std::to_array<KnownFilesystem>({
    {0x1021994, "tmpfs"},
    {0xef53, "ext2, ext3 or ext4"},
    {0x58465342, "xfs"},
    {0x9123683e, "btrfs"},
    {0x73717368, "squashfs"},
    {0xe0f5e1e2, "erofs"},
    {0x9fa0, "proc"},
    {0x62656572, "sysfs"},
    {0x1cd1, "devpts"},
    {0x19800202, "mqueue"},
    {0x63677270, "cgroup2"},
    {0x27e0eb, "cgroup"},
    {0x858458f6, "ramfs"},
    {0x794c7630, "overlay"},
    {0x65735546, "fuse"},
    {0x6969, "nfs"},
    {0x1021997, "9p"},
    {0x6e736673, "nsfs"},
});

/// What the filesystem of a mount is called, for a sentence.
std::string filesystem_of(Kernel& kernel, const Plan& plan, const Op& op, const Fd& mount) {
  if (op.mount < plan.mounts.size()) {
    const DesiredSuperblock& shown = plan.superblocks[plan.mounts[op.mount].superblock];
    if (shown.kind == DesiredSuperblock::Kind::made) return shown.type;
  }
  const Result<std::uint64_t> magic = kernel.fstatfs_type(mount.get());
  if (!magic) return "this filesystem";
  const auto* found = std::ranges::find(known_filesystems, *magic, &KnownFilesystem::magic);
  if (found != known_filesystems.end()) return std::string(found->name);
  return fmt::format("this filesystem (magic number {:#x})", *magic);
}

/// The entry of the first mount that shall have the idmap.
Span first_user(const Plan& plan, std::uint32_t index) {
  const auto found = std::ranges::find(plan.mounts, index, &DesiredMount::idmap);
  return found == plan.mounts.end() ? Span{} : found->span;
}

void explain_no_namespace(Diagnostic& item, int number) {
  switch (number) {
    case EPERM:
    case EACCES:
      item.note(
          "it takes CAP_SYS_ADMIN, and all outside numbers must be numbers of the caller's own "
          "user namespace; a chrooted process may not make one at all");
      item.help("run as root, outside of any chroot");
      break;
    case ENOSPC:
    case EUSERS:
      item.help("raise the limit: sysctl user.max_user_namespaces");
      break;
    case EINVAL:
    case ENOSYS:
      item.help("this kernel may be built without user namespaces (CONFIG_USER_NS)");
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<std::vector<Fd>> make_user_namespaces(Kernel& kernel, const Plan& plan,
                                                    const Fd& proc, Diagnostics& diagnostics) {
  std::vector<Fd> made;
  for (std::uint32_t index = 0; index < plan.idmaps.size(); ++index) {
    const IdMap& map = plan.idmaps[index];
    Result<Fd> ns =
        kernel.new_user_namespace(proc.get(), idmap::proc_text(map.uid), idmap::proc_text(map.gid));
    if (ns) {
      made.push_back(std::move(*ns));
      continue;
    }
    Diagnostic& item = diagnostics.add(Code::E0618, first_user(plan, index),
                                       fmt::format("no user namespace for the idmap {}: {}",
                                                   idmap::words(map), ns.error().message));
    explain_no_namespace(item, ns.error().number);
    return std::nullopt;
  }
  return made;
}

StepFailure idmap_refused(Kernel& kernel, const Plan& plan, const Op& op, const Fd& mount,
                          const Error& error) {
  StepFailure failure = refused(plan, op, error);
  if (error.number != EINVAL && error.number != EPERM) return failure;
  const std::string target =
      op.mount < plan.mounts.size() ? path::printable(plan.mounts[op.mount].target) : "the mount";
  failure.code = Code::E0617;
  failure.message = fmt::format("cannot give {} an idmap: {}", target, error.message);
  const std::string filesystem = filesystem_of(kernel, plan, op, mount);
  if (error.number == EINVAL) {
    failure.notes = {fmt::format("on this kernel mounts of {} cannot have one", filesystem)};
    failure.helps = {"take `idmap` away, or show a filesystem that can have it"};
  } else {
    failure.notes = {
        fmt::format("a mount that has an idmap cannot get another, and a bind of an idmapped mount "
                    "has its idmap; or the caller has no CAP_SYS_ADMIN over {}",
                    filesystem)};
    failure.helps = {
        "if the parent's mount is idmapped (findmnt shows `idmapped`), take `idmap` "
        "away to keep its idmap, or bind from a mount that has none"};
  }
  return failure;
}

}  // namespace mntcr
