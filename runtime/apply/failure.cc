#include "runtime/apply/failure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

std::string target_of(const Plan& plan, const Op& op) {
  return op.mount < plan.mounts.size() ? path::printable(plan.mounts[op.mount].target) : "/";
}

std::string superblock_of(const Plan& plan, const Op& op) {
  if (op.b >= plan.superblocks.size()) return "?";
  const DesiredSuperblock& superblock = plan.superblocks[op.b];
  const bool made = superblock.kind == DesiredSuperblock::Kind::made;
  return path::printable(made ? superblock.type : superblock.path);
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
    case EMFILE:
      failure.notes.emplace_back("every bind source is held open until its mount stands");
      failure.helps.emplace_back(
          "raise the limit of open files: ulimit -n (hard limit: ulimit -Hn)");
      break;
    default:
      break;
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
  return note;
}

StepFailure refused(const Plan& plan, const Op& op, const Error& error) {
  StepFailure failure{Code::E0604, fmt::format("{}: {}", doing(plan, op), error.message), {}, {}};
  if (!error.kernel_text.empty()) {
    failure.notes.push_back("the kernel says: " + path::printable(error.kernel_text));
  }
  explain_errno(failure, error.number);
  const bool makes = op.kind == OpKind::new_filesystem && op.b < plan.superblocks.size();
  if (makes && plan.superblocks[op.b].type == "proc" && error.number == EPERM) {
    failure.helps = {
        "in a user namespace proc needs a pid namespace, too: unshare -Urpf --mount-proc mntcr "
        "apply …"};
  }
  return failure;
}

}  // namespace mntcr
