#include "runtime/capture/filesystem_types.h"

#include <algorithm>
#include <array>

namespace mntcr {
namespace {

/// Not fuseblk, though it is a disk: a program serves it. Sorted.
constexpr auto local_types = std::to_array<std::string_view>(
    {"bcachefs",  "binder",   "binfmt_misc", "bpf",     "btrfs",   "cgroup",     "cgroup2",
     "configfs",  "cpuset",   "cramfs",      "debugfs", "devpts",  "devtmpfs",   "efivarfs",
     "erofs",     "exfat",    "ext2",        "ext3",    "ext4",    "f2fs",       "fusectl",
     "hfs",       "hfsplus",  "hugetlbfs",   "iso9660", "jfs",     "minix",      "mqueue",
     "msdos",     "nilfs2",   "nsfs",        "ntfs",    "ntfs3",   "pidfs",      "proc",
     "pstore",    "ramfs",    "reiserfs",    "resctrl", "rootfs",  "rpc_pipefs", "securityfs",
     "selinuxfs", "squashfs", "sysfs",       "tmpfs",   "tracefs", "ubifs",      "udf",
     "vfat",      "xfs",      "zfs"});
static_assert(std::ranges::is_sorted(local_types));

}  // namespace

bool answers_by_itself(std::string_view fs_type) {
  return std::ranges::binary_search(local_types, fs_type);
}

}  // namespace mntcr
