// The kernel's numbers and structs, as Linux 6.18 has them. Debian 12's headers are those of 6.1
// and <linux/mount.h> clashes with <sys/mount.h>, so this header owns them and includes neither;
// nothing else in the project writes such a number down. They are the kernel's ABI and never
// change.
//
// Names are the kernel's in lower case, because <sys/mount.h> defines some of the originals as
// macros. What <fcntl.h> has for all architectures, O_* and AT_*, is not repeated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mntcr::abi {

// Syscall numbers. From 424 on they are the same on all architectures, save alpha and mips.
inline constexpr long sys_open_tree = 428;
inline constexpr long sys_move_mount = 429;
inline constexpr long sys_fsopen = 430;
inline constexpr long sys_fsconfig = 431;
inline constexpr long sys_fsmount = 432;
inline constexpr long sys_fspick = 433;
inline constexpr long sys_clone3 = 435;
inline constexpr long sys_close_range = 436;
inline constexpr long sys_openat2 = 437;
inline constexpr long sys_mount_setattr = 442;
inline constexpr long sys_statmount = 457;
inline constexpr long sys_listmount = 458;

// The *at calls.
inline constexpr int at_symlink_nofollow = 0x100;
inline constexpr int at_removedir = 0x200;
inline constexpr int at_empty_path = 0x1000;
inline constexpr int at_statx_dont_sync = 0x4000;
inline constexpr int at_recursive = 0x8000;

// openat2(2), resolve.
inline constexpr std::uint64_t resolve_no_xdev = 0x01;
inline constexpr std::uint64_t resolve_no_magiclinks = 0x02;
inline constexpr std::uint64_t resolve_no_symlinks = 0x04;
inline constexpr std::uint64_t resolve_beneath = 0x08;
inline constexpr std::uint64_t resolve_in_root = 0x10;
inline constexpr std::uint64_t resolve_cached = 0x20;

struct OpenHow {
  std::uint64_t flags;
  std::uint64_t mode;
  std::uint64_t resolve;
};

// open_tree(2), move_mount(2).
inline constexpr unsigned open_tree_clone = 1;
inline constexpr unsigned move_mount_f_symlinks = 0x01;
inline constexpr unsigned move_mount_f_automounts = 0x02;
inline constexpr unsigned move_mount_f_empty_path = 0x04;
inline constexpr unsigned move_mount_t_symlinks = 0x10;
inline constexpr unsigned move_mount_t_automounts = 0x20;
inline constexpr unsigned move_mount_t_empty_path = 0x40;
inline constexpr unsigned move_mount_set_group = 0x100;
inline constexpr unsigned move_mount_beneath = 0x200;

// mount_setattr(2); the bits of attr_set are in runtime/base/mount_options.h but for this one,
// which is no option: the mount maps user numbers.
inline constexpr std::uint64_t mount_attr_idmap = 0x100000;

struct MountAttr {
  std::uint64_t attr_set;
  std::uint64_t attr_clr;
  std::uint64_t propagation;
  std::uint64_t userns_fd;
};

// Propagation: mount(2), mount_setattr(2), statmount(2).
inline constexpr std::uint64_t ms_unbindable = 1U << 17U;
inline constexpr std::uint64_t ms_private = 1U << 18U;
inline constexpr std::uint64_t ms_slave = 1U << 19U;
inline constexpr std::uint64_t ms_shared = 1U << 20U;

// umount2(2).
inline constexpr int mnt_detach = 2;
inline constexpr int umount_nofollow = 8;

// fsopen(2), fsconfig(2), fsmount(2).
inline constexpr unsigned fsopen_cloexec = 1;
inline constexpr unsigned fsmount_cloexec = 1;
inline constexpr unsigned fsconfig_set_flag = 0;
inline constexpr unsigned fsconfig_set_string = 1;
inline constexpr unsigned fsconfig_cmd_create = 6;
inline constexpr unsigned fsconfig_cmd_reconfigure = 7;
inline constexpr unsigned fspick_cloexec = 1;
inline constexpr unsigned fspick_empty_path = 8;

// statx(2).
inline constexpr unsigned statx_mnt_id = 0x1000;
inline constexpr unsigned statx_mnt_id_unique = 0x4000;
inline constexpr std::uint64_t statx_attr_mount_root = 0x2000;

// Namespaces.
inline constexpr int clone_fs = 0x200;
inline constexpr int clone_newtime = 0x80;
inline constexpr int clone_newns = 0x20000;
inline constexpr int clone_newcgroup = 0x2000000;
inline constexpr int clone_newuts = 0x4000000;
inline constexpr int clone_newipc = 0x8000000;
inline constexpr int clone_newuser = 0x10000000;
inline constexpr int clone_newpid = 0x20000000;
inline constexpr int clone_newnet = 0x40000000;
inline constexpr unsigned long ns_get_nstype = 0xb703;
inline constexpr unsigned long ns_get_mntns_id = 0x8008b705;
inline constexpr unsigned long ns_mnt_get_next = 0x8010b70b;

// clone3(2).
inline constexpr std::uint64_t clone_pidfd = 0x1000;
inline constexpr std::uint64_t clone_newuser_flag = 0x10000000;

struct CloneArgs {
  std::uint64_t flags;
  std::uint64_t pidfd;
  std::uint64_t child_tid;
  std::uint64_t parent_tid;
  std::uint64_t exit_signal;
  std::uint64_t stack;
  std::uint64_t stack_size;
  std::uint64_t tls;
};
static_assert(sizeof(CloneArgs) == 64);

// f_type of statfs(2).
inline constexpr std::uint64_t proc_super_magic = 0x9fa0;
inline constexpr std::uint64_t nsfs_magic = 0x6e736673;

// listmount(2), statmount(2).
inline constexpr std::uint64_t lsmt_root = UINT64_MAX;

struct MntIdReq {
  std::uint32_t size;
  std::uint32_t mnt_ns_fd;
  std::uint64_t mnt_id;
  std::uint64_t param;
  std::uint64_t mnt_ns_id;
};
static_assert(sizeof(MntIdReq) == 32);

inline constexpr std::uint64_t statmount_sb_basic = 0x1;
inline constexpr std::uint64_t statmount_mnt_basic = 0x2;
inline constexpr std::uint64_t statmount_propagate_from = 0x4;
inline constexpr std::uint64_t statmount_mnt_root = 0x8;
inline constexpr std::uint64_t statmount_mnt_point = 0x10;
inline constexpr std::uint64_t statmount_fs_type = 0x20;
inline constexpr std::uint64_t statmount_mnt_ns_id = 0x40;
inline constexpr std::uint64_t statmount_mnt_opts = 0x80;
inline constexpr std::uint64_t statmount_fs_subtype = 0x100;
inline constexpr std::uint64_t statmount_sb_source = 0x200;
inline constexpr std::uint64_t statmount_opt_array = 0x400;
inline constexpr std::uint64_t statmount_opt_sec_array = 0x800;
inline constexpr std::uint64_t statmount_supported_mask = 0x1000;
inline constexpr std::uint64_t statmount_mnt_uidmap = 0x2000;
inline constexpr std::uint64_t statmount_mnt_gidmap = 0x4000;

/// The fixed head of what statmount writes; strings follow, addressed by offsets from its end.
struct Statmount {
  std::uint32_t size;
  std::uint32_t mnt_opts;
  std::uint64_t mask;
  std::uint32_t sb_dev_major;
  std::uint32_t sb_dev_minor;
  std::uint64_t sb_magic;
  std::uint32_t sb_flags;
  std::uint32_t fs_type;
  std::uint64_t mnt_id;
  std::uint64_t mnt_parent_id;
  std::uint32_t mnt_id_old;
  std::uint32_t mnt_parent_id_old;
  std::uint64_t mnt_attr;
  std::uint64_t mnt_propagation;
  std::uint64_t mnt_peer_group;
  std::uint64_t mnt_master;
  std::uint64_t propagate_from;
  std::uint32_t mnt_root;
  std::uint32_t mnt_point;
  std::uint64_t mnt_ns_id;
  std::uint32_t fs_subtype;
  std::uint32_t sb_source;
  std::uint32_t opt_num;
  std::uint32_t opt_array;
  std::uint32_t opt_sec_num;
  std::uint32_t opt_sec_array;
  std::uint64_t supported_mask;
  std::uint32_t mnt_uidmap_num;
  std::uint32_t mnt_uidmap;
  std::uint32_t mnt_gidmap_num;
  std::uint32_t mnt_gidmap;
  std::uint64_t spare[43];
};
static_assert(sizeof(Statmount) == 512);
static_assert(offsetof(Statmount, mnt_root) == 104);
static_assert(offsetof(Statmount, supported_mask) == 144);

}  // namespace mntcr::abi
