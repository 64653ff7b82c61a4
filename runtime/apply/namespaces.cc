#include "runtime/apply/namespaces.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "runtime/apply/new_namespace.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

Step told(const Plan& plan, const Op& op, const Result<void>& done) {
  if (!done) return StepError(refused(plan, op, done.error()));
  return {};
}

}  // namespace

Namespaces::Namespaces(Kernel& kernel, const Plan& plan, const ExecutorSetting& setting)
    : kernel_(kernel), plan_(plan), setting_(setting), all_(1) {}

Step Namespaces::unshare(const Op& op) { return told(plan_, op, unshare_first()); }

/// Also opens the parent's root as the caller sees it, and then moves the thread to the namespace's
/// own root: a chrooted caller's root is no mount and could not be pivoted away.
Result<void> Namespaces::unshare_first() {
  if (std::ranges::any_of(plan_.groups, is_crossing)) {
    Result<Fd> original = open_root();
    if (!original) return Failure(original.error());
    original_root_ = std::move(*original);
  }
  Result<Fd> made = enter_new_namespace(kernel_, setting_.proc, setting_.id_above);
  if (!made) return Failure(made.error());
  all_.front().file = std::move(*made);
  Result<Fd> root = open_root();
  if (!root) return Failure(root.error());
  parent_root_ = std::move(*root);
  return kernel_.setns(all_.front().file.get(), abi::clone_newns);
}

Step Namespaces::make_private(const Op& op) {
  return told(
      plan_, op,
      kernel_.mount_setattr(Kernel::at_fdcwd, "/", AT_RECURSIVE, {.propagation = abi::ms_private}));
}

Step Namespaces::stage(const Op& op) {
  const auto make = [&]() -> Result<Fd> {
    Result<Fd> context = kernel_.fsopen("tmpfs");
    if (!context) return context;
    Result<void> done = kernel_.fsconfig_string(context->get(), "mode", "0700");
    if (done) done = kernel_.fsconfig_create(context->get());
    if (!done) return Failure(done.error());
    Result<Fd> mount = kernel_.fsmount(context->get(), 0);
    if (!mount) return mount;
    done = kernel_.move_mount(mount->get(), "", Kernel::at_fdcwd, "/", 0);
    if (!done) return Failure(done.error());
    return mount;
  };
  Result<Fd> made = make();
  if (!made) return StepError(refused(plan_, op, made.error()));
  all_.front().staging = std::move(*made);
  return {};
}

Step Namespaces::make(const Op& op) { return told(plan_, op, unshare_next()); }

/// The thread's root stays that below the staging tmpfs: the kernel gives it the copy of the mount
/// that it had.
Result<void> Namespaces::unshare_next() {
  if (!all_[current_].root) {
    Result<Fd> root = open_root();
    if (!root) return Failure(root.error());
    all_[current_].root = std::move(*root);
  }
  Result<Fd> made = enter_new_namespace(kernel_, setting_.proc, setting_.id_above);
  if (!made) return Failure(made.error());
  Result<Fd> root = open_root();
  if (!root) return Failure(root.error());
  current_ = all_.size();
  all_.push_back({std::move(*made), std::move(*root), {}});
  return {};
}

Step Namespaces::enter(const Op& op) {
  current_ = op.b;
  return told(plan_, op, go_to(all_[current_]));
}

/// setns(2) leads to the topmost mount on "/", which is the staging tmpfs.
Result<void> Namespaces::go_to(One& one) {
  Result<void> done = kernel_.setns(one.file.get(), abi::clone_newns);
  if (!done) return done;
  if (!one.staging) {
    Result<Fd> staging = open_root();
    if (!staging) return Failure(staging.error());
    one.staging = std::move(*staging);
  }
  done = kernel_.fchdir(one.root.get());
  if (done) done = kernel_.chroot(".");
  return done;
}

Result<Fd> Namespaces::staged(const std::string& name) {
  return kernel_.openat2(
      staging().get(), name,
      {.flags = O_PATH,
       .resolve = abi::resolve_beneath | abi::resolve_no_symlinks | abi::resolve_no_magiclinks});
}

Result<Fd> Namespaces::open_root() {
  return kernel_.openat2(Kernel::at_fdcwd, "/", {.flags = O_PATH | O_DIRECTORY});
}

std::vector<Fd> Namespaces::take() {
  original_root_.reset();
  parent_root_.reset();
  std::vector<Fd> files;
  for (One& one : all_) files.push_back(std::move(one.file));
  all_.clear();
  return files;
}

}  // namespace mntcr
