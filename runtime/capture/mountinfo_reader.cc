// mountinfo shows what its reader's root reaches. A thread that enters a namespace has as its root
// the topmost mount on "/": when something is mounted over the namespace's root, only that and what
// is on it is seen, and it looks like a whole namespace. Nothing in the text tells; so a copy of
// the namespace is made, the topmost mount on "/" is taken off in the copy, and the copy is entered
// again: if it was the root, one now stands on the rootfs, which is its own parent.
//
// The text comes in pieces of a page, between which mounts may change. It is read until it comes
// out the same several times while a MountWatch saw nothing: the numbers in it are reused, so equal
// texts alone would not show that a mount went and came back. statmount_reader.cc says what
// remains.
#include <algorithm>
#include <cerrno>

#include "runtime/capture/mount_watch.h"
#include "runtime/capture/mountinfo_grammar.h"
#include "runtime/capture/readers.h"
#include "runtime/capture/table_builder.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr {
namespace {

Result<std::string> read_file(Kernel& kernel, const Fd& proc, const std::string& path) {
  const auto file = kernel.openat2(proc.get(), path, OpenHow{});
  if (!file) return Failure(file.error());
  return kernel.read_all(file->get());
}

Result<std::string> read_mountinfo(Kernel& kernel, const Fd& proc) {
  return read_file(kernel, proc, "thread-self/mountinfo");
}

/// Whether mountinfo reads as `text` again, as many times as it takes.
Result<bool> reads_the_same(Kernel& kernel, const Fd& proc, const std::string& text,
                            bool distrustful) {
  const auto mounts = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  const int needed = equal_readings(mounts, distrustful);
  for (int reading = 0; reading < needed; ++reading) {
    const auto again = read_mountinfo(kernel, proc);
    if (!again) return Failure(again.error());
    if (*again != text) return false;
  }
  return true;
}

Result<std::string> read_settled_mountinfo(Kernel& kernel, const Fd& proc) {
  auto watch = MountWatch::of_thread(kernel, proc);
  if (!watch) return Failure(watch.error());
  bool distrustful = false;
  for (int reading = 0; reading < most_readings; ++reading) {
    auto text = read_mountinfo(kernel, proc);
    if (!text) return text;
    const auto equal = reads_the_same(kernel, proc, *text, distrustful);
    if (!equal) return Failure(equal.error());
    const auto moved = watch->moved();
    if (!moved) return Failure(moved.error());
    if (*equal && !*moved) return text;
    distrustful = distrustful || !*moved;
  }
  return never_holds_still();
}

/// Leaves the thread in a private copy of its namespace and takes off the topmost mount on "/"
/// there.
Result<void> uncover_root_of_copy(Kernel& kernel, const Fd& proc) {
  if (auto copied = kernel.unshare(abi::clone_newns); !copied) return copied;
  const MountAttr private_attr{0, 0, abi::ms_private};
  auto made_private = kernel.mount_setattr(Kernel::at_fdcwd, "/", abi::at_recursive, private_attr);
  if (!made_private) return made_private;
  const auto copy = kernel.openat2(proc.get(), "thread-self/ns/mnt", OpenHow{});
  if (!copy) return Failure(copy.error());
  // From a shared mount it would vanish in the live namespace, too. Moved onto itself, a mount on a
  // shared one is EINVAL, another ELOOP.
  const auto moved = kernel.move_mount(Kernel::at_fdcwd, "/", Kernel::at_fdcwd, "/", 0);
  if (!moved && moved.error().number != ELOOP) return moved;
  if (auto taken_off = kernel.umount2("/", abi::mnt_detach); !taken_off) return taken_off;
  return kernel.setns(copy->get(), abi::clone_newns);
}

/// Whether this caller can never uncover the root: without privilege, without mount_setattr, or
/// when the root is locked, as it is in the copy of a namespace of another user namespace.
bool is_out_of_reach(const Error& error) {
  return error.number == EPERM || error.number == ENOSYS || error.number == EINVAL;
}

/// Whether the "/" of the thread's namespace lies on another mount than the rootfs. False also when
/// that is out of reach. Leaves the thread in a throwaway copy of the namespace.
Result<bool> is_root_covered(Kernel& kernel, const Fd& proc) {
  if (const auto uncovered = uncover_root_of_copy(kernel, proc); !uncovered) {
    if (is_out_of_reach(uncovered.error())) return false;
    return in_context("looking what covers the root", uncovered.error());
  }
  const auto text = read_mountinfo(kernel, proc);
  if (!text) return Failure(text.error());
  const auto rows = parse_mountinfo_rows(*text);
  if (!rows) return Failure(rows.error());
  return std::none_of(rows->begin(), rows->end(),
                      [](const MountRow& row) { return row.mount.id == row.parent_id; });
}

/// On a thread that has entered the namespace.
Result<MountTable> read_from_inside(Kernel& kernel, const Fd& proc) {
  const auto text = read_settled_mountinfo(kernel, proc);
  if (!text) return Failure(text.error());
  auto rows = parse_mountinfo_rows(*text);
  if (!rows) return Failure(rows.error());
  const bool on_rootfs = std::any_of(rows->begin(), rows->end(), [](const MountRow& row) {
    return row.mount.id == row.parent_id;
  });
  const Result<bool> covered = on_rootfs ? Result<bool>(false) : is_root_covered(kernel, proc);
  if (!covered) return Failure(covered.error());
  if (*covered) {
    return fail(
        "another mount covers the namespace's root, and mountinfo does not show what is below it; "
        "that takes statmount (Linux 6.15)");
  }
  return build_mount_table(std::move(*rows), false);
}

}  // namespace

Result<MountTable> read_by_mountinfo(Kernel& kernel, const Fd& proc, const Fd& ns) {
  const auto own = is_own_namespace(kernel, proc, ns);
  if (!own) return Failure(own.error());
  return run_in_thread([&]() -> Result<MountTable> {
    const auto entered = enter_mount_namespace(kernel, ns.get());
    // Without privilege the own namespace can still be read, as far as the own root reaches.
    const bool may_stay = *own && !entered && entered.error().number == EPERM;
    if (!entered && !may_stay) {
      return in_context("entering the mount namespace to read its mountinfo", entered.error());
    }
    return read_from_inside(kernel, proc);
  });
}

}  // namespace mntcr
