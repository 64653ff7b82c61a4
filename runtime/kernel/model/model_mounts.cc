// The calls that change mounts, and filesystem contexts.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/overlay.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/model/model_failure.h"
#include "runtime/kernel/model/model_kernel.h"

namespace mntcr {

using model::done;
using model::failed;
using model::Inode;
using model::Mount;
using model::Propagation;
using model::Refusal;

namespace {

constexpr std::uint64_t propagation_flags =
    abi::ms_shared | abi::ms_slave | abi::ms_private | abi::ms_unbindable;

std::optional<Propagation> propagation_of(std::uint64_t flag) {
  switch (flag) {
    case abi::ms_shared:
      return Propagation::shared;
    case abi::ms_slave:
      return Propagation::slave;
    case abi::ms_private:
      return Propagation::private_;
    case abi::ms_unbindable:
      return Propagation::unbindable;
    default:
      return std::nullopt;
  }
}

/// The errno for what makes no sense whatever the mount is; 0 if it does.
int refuse_attr(const MountAttr& attr) {
  const std::uint64_t known = mount_attr::all | abi::mount_attr_idmap;
  if (((attr.attr_set | attr.attr_clr) & ~known) != 0) return EINVAL;
  if ((attr.propagation & ~propagation_flags) != 0) return EINVAL;
  if (std::popcount(attr.propagation) > 1) return EINVAL;
  const std::uint64_t atime = attr.attr_set & mount_attr::atime_mask;
  const std::uint64_t cleared = attr.attr_clr & mount_attr::atime_mask;
  if (cleared == 0 ? atime != 0 : cleared != mount_attr::atime_mask) return EINVAL;
  const bool one_atime =
      atime == 0 || atime == mount_attr::noatime || atime == mount_attr::strictatime;
  if (!one_atime) return EINVAL;
  return (attr.attr_clr & abi::mount_attr_idmap) != 0 ? EINVAL : 0;
}

std::uint32_t number_of(const std::string& text, int base) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

bool is_layer(const std::string& type, const std::string& key) {
  constexpr auto keys =
      std::to_array<std::string_view>({"lowerdir+", "datadir+", "upperdir", "workdir"});
  return type == "overlay" && std::ranges::find(keys, key) != keys.end();
}

/// Owner and mode of the root of a new filesystem.
void apply_option(Inode& root, const std::string& key, const std::string& value) {
  constexpr int octal = 8;
  constexpr int decimal = 10;
  if (key == "mode") root.permissions = number_of(value, octal);
  if (key == "uid") root.uid = number_of(value, decimal);
  if (key == "gid") root.gid = number_of(value, decimal);
}

}  // namespace

Result<Fd> ModelKernel::open_tree(int dir, const std::string& path, unsigned flags) {
  const bool clones = (flags & abi::open_tree_clone) != 0;
  const bool recursive = (flags & static_cast<unsigned>(abi::at_recursive)) != 0;
  if (recursive && !clones) return failed("open_tree", EINVAL);
  const bool nofollow = (flags & static_cast<unsigned>(abi::at_symlink_nofollow)) != 0;
  const auto place = resolve(dir, path, {.follow = !nofollow, .may_be_empty = true});
  if (!place) return failed("open_tree", place.error());
  if (!clones) return open_place(*place, {.flags = O_PATH});
  const auto made = mounts_.clone_detached(own_namespace(), *place, recursive);
  if (!made) return failed("open_tree", made.error());
  if (place->inode->kind == model::InodeKind::ns_file) {
    const File* file = find(dir);
    if (file != nullptr) (*made)->shows = file->ns;
  }
  File file;
  file.at = pin({*made, (*made)->root});
  file.path_only = true;
  file.dissolves = true;
  return open(std::move(file));
}

Result<void> ModelKernel::move_mount(int from, const std::string& from_path, int to,
                                     const std::string& to_path, unsigned flags) {
  const Walking from_how{.follow = (flags & abi::move_mount_f_symlinks) != 0, .may_be_empty = true};
  const Walking to_how{.follow = (flags & abi::move_mount_t_symlinks) != 0, .may_be_empty = true};
  constexpr unsigned exclusive = abi::move_mount_beneath | abi::move_mount_set_group;
  if ((flags & exclusive) == exclusive) return failed("move_mount", EINVAL);
  const auto target = resolve(to, to_path, to_how);
  if (!target) return failed("move_mount", target.error());
  const auto source = resolve(from, from_path, from_how);
  if (!source) return failed("move_mount", source.error());
  if ((flags & abi::move_mount_set_group) != 0) {
    return done("move_mount", mounts_.set_group(*source, *target));
  }
  return done("move_mount", mounts_.move(own_namespace(), task().root.mount.get(), *source, *target,
                                         (flags & abi::move_mount_beneath) != 0));
}

Result<void> ModelKernel::mount_setattr(int dir, const std::string& path, unsigned flags,
                                        const MountAttr& attr) {
  if (attr.attr_set == 0 && attr.attr_clr == 0 && attr.propagation == 0) return {};
  if (const int error = refuse_attr(attr); error != 0) return failed("mount_setattr", error);
  model::AttrChange change{.set = attr.attr_set,
                           .clear = attr.attr_clr,
                           .propagation = propagation_of(attr.propagation)};
  if ((attr.attr_set & abi::mount_attr_idmap) != 0) {
    const auto file = file_of(attr.userns, FileKind::userns);
    if (!file) return failed("mount_setattr", file.error());
    change.idmap = *(*file)->idmap;
  }
  const bool nofollow = (flags & static_cast<unsigned>(abi::at_symlink_nofollow)) != 0;
  const bool recursive = (flags & static_cast<unsigned>(abi::at_recursive)) != 0;
  const auto place = resolve(dir, path, {.follow = !nofollow, .may_be_empty = true});
  if (!place) return failed("mount_setattr", place.error());
  return done("mount_setattr", mounts_.set_attributes(own_namespace(), *place, recursive, change));
}

/// What is mounted topmost at the path is meant, also by "." and "/".
Result<void> ModelKernel::umount2(const std::string& path, int flags) {
  const auto place = resolve(at_fdcwd, path, {.follow = (flags & abi::umount_nofollow) == 0});
  if (!place) return failed("umount2", place.error());
  const bool lazy = (flags & abi::mnt_detach) != 0;
  return done("umount2", mounts_.umount(own_namespace(), model::topmost(*place), lazy));
}

Result<void> ModelKernel::pivot_root(const std::string& new_root, const std::string& put_old) {
  const auto to = resolve(at_fdcwd, new_root, {});
  if (!to) return failed("pivot_root", to.error());
  const auto old = resolve(at_fdcwd, put_old, {});
  if (!old) return failed("pivot_root", old.error());
  if (!to->inode->fits_directory() || !old->inode->fits_directory()) {
    return failed("pivot_root", ENOTDIR);
  }
  const Place root = task().root.place();
  const auto turned = mounts_.pivot_root(own_namespace(), root, *to, *old);
  if (!turned) return failed("pivot_root", turned.error());
  for (Task& other : tasks_) {
    if (other.root.place() == root) other.root = pin(*to);
    if (other.cwd.place() == root) other.cwd = pin(*to);
  }
  return {};
}

Result<Fd> ModelKernel::fsopen(const std::string& type) {
  if (type.empty()) return failed("fsopen", ENODEV);
  File file;
  file.kind = FileKind::context;
  file.context = std::make_shared<Context>();
  file.context->type = type;
  return open(std::move(file));
}

/// Parameters are taken as they are, but for layers: those must be directories.
Result<void> ModelKernel::fsconfig_string(int context, const std::string& key,
                                          const std::string& value) {
  const auto file = file_of(context, FileKind::context);
  if (!file) return failed("fsconfig", file.error());
  Context& wanted = *(*file)->context;
  if (is_layer(wanted.type, key)) {
    const auto layer = resolve(at_fdcwd, value, {});
    if (!layer) return failed("fsconfig", layer.error());
    if (!layer->inode->fits_directory()) return failed("fsconfig", ENOTDIR);
  }
  if (key == "source") {
    wanted.source = value;
  } else {
    wanted.options.push_back(key + "=" + value);
  }
  return {};
}

Result<void> ModelKernel::fsconfig_flag(int context, const std::string& key) {
  const auto file = file_of(context, FileKind::context);
  if (!file) return failed("fsconfig", file.error());
  Context& wanted = *(*file)->context;
  for (const FilesystemFlag& flag : filesystem_flags()) {
    if (split_param(flag.word).key != key) continue;
    wanted.flags_set |= static_cast<std::uint32_t>(flag.demand.value);
    wanted.flags_cleared |= static_cast<std::uint32_t>(flag.demand.mask & ~flag.demand.value);
    return {};
  }
  wanted.options.push_back(key);
  return {};
}

Result<void> ModelKernel::fsconfig_create(int context) {
  const auto file = file_of(context, FileKind::context);
  if (!file) return failed("fsconfig", file.error());
  Context& wanted = *(*file)->context;
  if (wanted.superblock) return failed("fsconfig", EBUSY);
  if (is_singleton(wanted.type)) {
    auto& known = singletons_[wanted.type];
    wanted.superblock = known.lock();
    if (wanted.superblock) return {};
    wanted.superblock = mounts_.new_superblock(wanted.type);
    known = wanted.superblock;
  } else if (wanted.type == "proc") {
    wanted.superblock = mounts_.new_superblock(wanted.type);
    for (const auto& [name, entry] : proc_->root->entries) {
      wanted.superblock->root().entries.emplace(name, entry);
    }
  } else {
    wanted.superblock = mounts_.new_superblock(wanted.type);
  }
  model::Superblock& made = *wanted.superblock;
  made.boundless = filled_boundless_ &&
                   (what_holds(wanted.type) != Holds::everything || wanted.type == overlay_type);
  made.source = wanted.source.empty() ? "none" : wanted.source;
  made.options = wanted.options;
  made.flags = wanted.flags_set;
  for (const std::string& option : wanted.options) {
    const ParamWord word = split_param(option);
    apply_option(made.root(), std::string(word.key), std::string(word.value));
  }
  return {};
}

Result<Fd> ModelKernel::fsmount(int context, unsigned mount_attrs) {
  const auto file = file_of(context, FileKind::context);
  if (!file) return failed("fsmount", file.error());
  if ((mount_attrs & ~mount_attr::all) != 0) return failed("fsmount", EINVAL);
  Context& made = *(*file)->context;
  if (made.picked || !made.superblock) return failed("fsmount", EINVAL);
  if (made.mounted) return failed("fsmount", EBUSY);
  made.mounted = true;
  Mount& mount = mounts_.new_mount(made.superblock, made.superblock->root());
  mount.attrs = mount_attrs;
  mounts_.new_detached(mount, own_namespace().userns, 0);
  File opened;
  opened.at = pin({&mount, mount.root});
  opened.path_only = true;
  opened.dissolves = true;
  return open(std::move(opened));
}

Result<Fd> ModelKernel::fspick(int mount) {
  const auto file = file_of(mount, FileKind::path);
  if (!file) return failed("fspick", file.error());
  const Place place = (*file)->at.place();
  if (place.inode != place.mount->root) return failed("fspick", EINVAL);
  File picked;
  picked.kind = FileKind::context;
  picked.context = std::make_shared<Context>();
  picked.context->type = place.mount->superblock->type;
  picked.context->superblock = place.mount->superblock;
  picked.context->picked = true;
  return open(std::move(picked));
}

Result<void> ModelKernel::fsconfig_reconfigure(int context) {
  const auto file = file_of(context, FileKind::context);
  if (!file) return failed("fsconfig", file.error());
  Context& wanted = *(*file)->context;
  if (!wanted.picked) return failed("fsconfig", EINVAL);
  model::Superblock& superblock = *wanted.superblock;
  superblock.flags = (superblock.flags & ~wanted.flags_cleared) | wanted.flags_set;
  return {};
}

}  // namespace mntcr
