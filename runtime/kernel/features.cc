#include "runtime/kernel/features.h"

#include <array>
#include <cerrno>

#include "runtime/base/mount_options.h"
#include "runtime/base/overlay.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

constexpr std::array<FeatureInfo, 11> table{{
    {Feature::openat2, "openat2(2)", "5.6", true, true},
    {Feature::open_tree, "open_tree(2)", "5.2", true, false},
    {Feature::move_mount, "move_mount(2)", "5.2", true, false},
    {Feature::fsopen, "fsopen(2)", "5.2", true, false},
    {Feature::mount_setattr, "mount_setattr(2)", "5.12", true, false},
    {Feature::set_group, "MOVE_MOUNT_SET_GROUP", "5.15", false, false},
    {Feature::statmount, "statmount(2) with STATMOUNT_SUPPORTED_MASK", "6.15", false, true},
    {Feature::listmount, "listmount(2)", "6.8", false, true},
    {Feature::unique_mount_ids, "STATX_MNT_ID_UNIQUE", "6.8", false, true},
    {Feature::mount_namespace_ids, "NS_GET_MNTNS_ID", "6.11", false, true},
    {Feature::overlay_layers, "overlay with lowerdir+", "6.7", false, false},
}};

constexpr bool in_order_of_feature() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].feature) != i) return false;
  }
  return true;
}
static_assert(in_order_of_feature());

/// An fd that is never open: what is called on it stops at EBADF.
constexpr int no_fd = -1;

/// Whether a probe shows the call to be there. A seccomp filter may answer EPERM for a call that
/// the kernel lacks; then the first real call says so.
template <class T>
bool is_there(const Result<T>& result) {
  return result.has_value() || result.error().number != ENOSYS;
}

bool has_set_group(Kernel& kernel) {
  // The flag is checked before the paths are looked up: EINVAL when it is unknown.
  const auto moved = kernel.move_mount(no_fd, "x", no_fd, "x", abi::move_mount_set_group);
  return moved.has_value() || (moved.error().number != ENOSYS && moved.error().number != EINVAL);
}

/// The caller's own root is a mount that it may always ask about.
bool has_statmount(Kernel& kernel, const Result<FileStatus>& root) {
  if (!root || !root->mount_id_unique) return false;
  const auto status = kernel.statmount(root->mount_id, 0, StatmountPart::everything);
  return is_there(status) && (status.has_value() || status.error().number != EOPNOTSUPP);
}

bool has_mount_namespace_ids(Kernel& kernel) {
  const auto ns = kernel.openat2(Kernel::at_fdcwd, "/proc/thread-self/ns/mnt", OpenHow{});
  return ns.has_value() && kernel.ioctl_ns_get_mntns_id(ns->get()).has_value();
}

template <class Needs>
std::vector<Feature> missing(const Features& features, Needs needs) {
  std::vector<Feature> result;
  for (const FeatureInfo& info : table) {
    if (needs(info) && !features.has(info.feature)) result.push_back(info.feature);
  }
  return result;
}

}  // namespace

// An overlay that does not know the parameter
// answers EINVAL; one older than the new mount API takes any word and looks at none.
bool has_overlay_layers(Kernel& kernel) {
  const auto context = kernel.fsopen(std::string(overlay_type));
  if (!context) return false;
  const auto given = kernel.fsconfig_string(context->get(), "lowerdir+", "/proc/no such layer");
  return !given.has_value() && given.error().number == ENOENT;
}

std::span<const FeatureInfo> feature_table() { return table; }

const FeatureInfo& describe(Feature feature) { return table[static_cast<std::size_t>(feature)]; }

std::vector<Feature> Features::missing_for_apply() const {
  return missing(*this, [](const FeatureInfo& info) { return info.for_apply; });
}

std::vector<Feature> Features::missing_for_capture() const {
  return missing(*this, [](const FeatureInfo& info) { return info.for_capture; });
}

Features probe_features(Kernel& kernel) {
  Features features;
  const auto note = [&](Feature feature, bool there) {
    if (there) features.present |= 1U << static_cast<unsigned>(feature);
  };
  const MountAttr readonly{mount_attr::rdonly, 0, 0};
  std::array<std::uint64_t, 1> id{};

  note(Feature::openat2, is_there(kernel.openat2(no_fd, "x", OpenHow{})));
  note(Feature::open_tree, is_there(kernel.open_tree(no_fd, "x", 0)));
  note(Feature::move_mount, is_there(kernel.move_mount(no_fd, "x", no_fd, "x", 0)));
  note(Feature::fsopen, is_there(kernel.fsopen("")));
  note(Feature::mount_setattr, is_there(kernel.mount_setattr(no_fd, "x", 0, readonly)));
  note(Feature::set_group, has_set_group(kernel));
  note(Feature::listmount, is_there(kernel.listmount(0, Kernel::lsmt_root, 0, id)));
  const auto root = kernel.statx(Kernel::at_fdcwd, "/", 0);
  note(Feature::statmount, has_statmount(kernel, root));
  note(Feature::unique_mount_ids, root.has_value() && root->mount_id_unique);
  note(Feature::mount_namespace_ids, has_mount_namespace_ids(kernel));
  note(Feature::overlay_layers, has_overlay_layers(kernel));
  return features;
}

}  // namespace mntcr
