#include "runtime/apply/failure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

std::string target_of(const Plan& plan, const Op& op) {
  return op.mount < plan.mounts.size() ? path::printable(plan.mounts[op.mount].target) : "/";
}

/// What a step of sharing is about: a mount, or a helper that is none of the plan's.
std::string shared_thing(const Plan& plan, const Op& op) {
  return op.mount < plan.mounts.size() ? target_of(plan, op) : "the helper of a peer group";
}

std::string namespace_of(const Plan& plan, const Op& op) {
  return path::printable(plan.namespaces.at(op.b).name);
}

std::string superblock_of(const Plan& plan, const Op& op) {
  if (op.b >= plan.superblocks.size()) return "?";
  const DesiredSuperblock& superblock = plan.superblocks[op.b];
  const bool made = superblock.kind == DesiredSuperblock::Kind::made;
  return path::printable(made ? superblock.type : superblock.path);
}

std::string node_of(const Plan& plan, const Op& op) {
  const DesiredNode& node = plan.nodes[op.b];
  return fmt::format("`{}` ({})", path::printable(node.path), path::printable(node_words(node)));
}

std::string filesystem_of(const Plan& plan, const Op& op) {
  const DesiredSuperblock& superblock = plan.superblocks[plan.nodes[op.b].superblock];
  return path::printable(superblock.name.empty() ? superblock.type : superblock.name);
}

/// What errnos mean where an inode is made with an owner.
void explain_node(StepFailure& failure, const DesiredNode& node, int number) {
  const bool device = node.kind == NodeKind::character || node.kind == NodeKind::block;
  if (device && number == EPERM) {
    failure.code = Code::E0610;
    failure.notes.emplace_back("only root outside of user namespaces may make device nodes");
    failure.helps = {
        "run as root there, or bind the parent's: source = \"parent:/dev/null\" on a file"};
  } else if (number == ENOSPC) {
    failure.notes = {"the filesystem has no room for another inode"};
    failure.helps = {"raise its `size` or `nr_inodes`"};
  } else if (number == EINVAL || number == EOVERFLOW) {
    failure.code = Code::E0611;
    failure.notes.push_back(
        fmt::format("user {} or group {} may not exist in this user namespace, see "
                    "/proc/self/uid_map and gid_map",
                    node.uid, node.gid));
    failure.helps.emplace_back("map the number into the user namespace, or write another");
  }
}

/// What an errno means whatever the step was.
void explain_errno(StepFailure& failure, int number) {
  switch (number) {
    case EPERM:
    case EACCES:
      failure.code = Code::E0607;
      failure.helps.emplace_back(
          "run as root, or inside a user namespace: unshare -Ur mntcr apply …");
      break;
    case ENOSYS:
      failure.code = Code::E0605;
      failure.helps.emplace_back("mntcr features shows what this kernel has");
      break;
    case ENOSPC:
      failure.notes.emplace_back("the namespace would hold more mounts than the kernel allows");
      failure.helps.emplace_back("raise the limit in the parent: sysctl fs.mount-max=1000000");
      break;
    case EOVERFLOW:
      failure.notes.emplace_back(
          "the mount is idmapped and has no number for the caller, so nothing can be made on it");
      break;
    case EMFILE:
      failure.notes.emplace_back("every bind source is held open until its mount stands");
      failure.helps.emplace_back(
          "raise the limit of open files: ulimit -n (hard limit: ulimit -Hn)");
      break;
    default:
      break;
  }
}

/// What an errno means of a filesystem that is made.
void explain_filesystem(StepFailure& failure, const std::string& type, int number) {
  struct Owner {
    std::string_view type;
    std::string_view kind;
    std::string_view option;
  };
  constexpr std::array<Owner, 3> owners{
      {{"sysfs", "network", "-Urn"}, {"mqueue", "ipc", "-Uri"}, {"cgroup2", "cgroup", "-UrC"}}};
  if (number == ENODEV) {
    failure.code = Code::E0605;
    failure.notes.push_back(
        fmt::format("this kernel has no {}, or has it as a module that is not loaded", type));
    failure.helps.push_back(
        fmt::format("modprobe {}; /proc/filesystems lists what there is", type));
  }
  for (const Owner& owner : owners) {
    if (number != EPERM || owner.type != type) continue;
    failure.helps = {fmt::format(
        "in a user namespace {} needs a {} namespace of its own, too: unshare {} mntcr apply …",
        type, owner.kind, owner.option)};
  }
}

}  // namespace

std::string doing(const Plan& plan, const Op& op) {
  switch (op.kind) {
    case OpKind::unshare:
      return "cannot make a mount namespace";
    case OpKind::make_private:
      return "cannot cut the new namespace's mounts off from the parent's";
    case OpKind::stage:
      return "cannot set up the staging tmpfs";
    case OpKind::open_group:
      return fmt::format("cannot take the peer group of the parent's mount that holds {}",
                         path::printable(plan.groups.at(op.b).parent));
    case OpKind::new_namespace:
      return fmt::format("cannot make the mount namespace {}", namespace_of(plan, op));
    case OpKind::enter_namespace:
      return fmt::format("cannot enter the mount namespace {}", namespace_of(plan, op));
    case OpKind::reopen:
      return "cannot find the namespace's copy of a mount to clone from";
    case OpKind::set_propagation:
      return fmt::format("cannot make {} {}", shared_thing(plan, op),
                         propagation_name(static_cast<Propagation>(op.b)));
    case OpKind::set_group:
      return fmt::format("cannot put {} into its peer group", shared_thing(plan, op));
    case OpKind::open_source:
      return fmt::format("cannot open the bind source {}", superblock_of(plan, op));
    case OpKind::new_filesystem:
      return fmt::format("cannot make the {} filesystem", superblock_of(plan, op));
    case OpKind::open_overlay:
    case OpKind::new_overlay:
      return "cannot make the overlay filesystem";
    case OpKind::make_layer:
      return fmt::format("cannot make the layer {}", path::printable(op.text));
    case OpKind::add_layer:
      return "cannot give the overlay its next layer";
    case OpKind::anchor:
      return "cannot stage a mount to clone from";
    case OpKind::make_node:
      return fmt::format("cannot make {} on the filesystem {}", node_of(plan, op),
                         filesystem_of(plan, op));
    case OpKind::remove_node:
      return fmt::format("cannot take the name {} away from the filesystem {}", node_of(plan, op),
                         filesystem_of(plan, op));
    case OpKind::make_directory:
      return fmt::format("cannot make the directory {} to bind on {}", path::printable(op.text),
                         target_of(plan, op));
    case OpKind::clone:
      return fmt::format("cannot open the part of its source that {} shows", target_of(plan, op));
    case OpKind::set_attributes:
      return fmt::format("cannot set the flags of {}", target_of(plan, op));
    case OpKind::make_mountpoint:
      return fmt::format("cannot make the mountpoint {}", target_of(plan, op));
    case OpKind::attach_root:
      return "cannot mount the root";
    case OpKind::attach:
      return fmt::format("cannot mount on {}", target_of(plan, op));
    case OpKind::make_read_only:
      return fmt::format("cannot make the {} filesystem read-only", superblock_of(plan, op));
    case OpKind::close:
      return "cannot close";
    case OpKind::pivot:
      return "cannot make the tree the namespace's root";
    case OpKind::drop_staging:
    case OpKind::drop_parent:
      return "cannot drop the mounts copied from the parent";
  }
  return "cannot go on";
}

std::string step_note(const Plan& plan, const Op& op) {
  const auto number = static_cast<std::size_t>(&op - plan.ops.data()) + 1;
  std::string note =
      fmt::format("step {} of {}: {}", number, plan.ops.size(), describe(op.kind).name);
  if (op.mount < plan.mounts.size()) note += " " + target_of(plan, op);
  if (!op.text.empty()) note += fmt::format(", path `{}`", path::printable(op.text));
  if (op.attrs.mask != 0) {
    note += fmt::format(", flags {}", fmt::join(attr_words(op.attrs.value, op.attrs.mask), " "));
  }
  if (op.kind == OpKind::set_attributes && op.b < plan.idmaps.size()) {
    note += fmt::format(", idmap {}", idmap::words(plan.idmaps[op.b]));
  }
  return note;
}

StepFailure refused(const Plan& plan, const Op& op, const Error& error) {
  StepFailure failure{Code::E0604, fmt::format("{}: {}", doing(plan, op), error.message), {}, {}};
  if (!error.kernel_text.empty()) {
    failure.notes.push_back("the kernel says: " + path::printable(error.kernel_text));
  }
  explain_errno(failure, error.number);
  if (op.kind == OpKind::make_node) explain_node(failure, plan.nodes[op.b], error.number);
  const bool makes = op.kind == OpKind::new_filesystem && op.b < plan.superblocks.size();
  if (makes) explain_filesystem(failure, plan.superblocks[op.b].type, error.number);
  if (makes && plan.superblocks[op.b].type == "proc" && error.number == EPERM) {
    failure.helps = {
        "in a user namespace proc needs a pid namespace, too: unshare -Urpf --mount-proc mntcr "
        "apply …"};
  }
  return failure;
}

}  // namespace mntcr
