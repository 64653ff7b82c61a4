#include "runtime/capture/capture.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/capture/mountinfo_grammar.h"
#include "runtime/capture/readers.h"
#include "runtime/capture/table_builder.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

std::string_view namespace_type_name(int type) {
  constexpr std::array<std::pair<int, std::string_view>, 8> names{{
      {abi::clone_newns, "mount"},
      {abi::clone_newcgroup, "cgroup"},
      {abi::clone_newuts, "uts"},
      {abi::clone_newipc, "ipc"},
      {abi::clone_newuser, "user"},
      {abi::clone_newpid, "pid"},
      {abi::clone_newnet, "network"},
      {abi::clone_newtime, "time"},
  }};
  for (const auto& [number, name] : names) {
    if (number == type) return name;
  }
  return "unknown";
}

/// Whether reading by statmount failed because it cannot be done here, not because it went wrong.
bool is_unsupported(const Error& error) {
  return error.number == ENOSYS || error.number == EOPNOTSUPP;
}

}  // namespace

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\n";
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(blanks); at != std::string_view::npos;) {
    const std::size_t end = line.find_first_of(blanks, at);
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(blanks, end);
  }
  return words;
}

/// Whether user numbers are those of the initial user namespace, which maps all to themselves.
Result<bool> in_initial_user_namespace(Kernel& kernel, const Fd& proc) {
  const auto file = kernel.openat2(proc.get(), "thread-self/uid_map", OpenHow{});
  if (!file) return in_context("the user namespace", file.error());
  const auto map = kernel.read_all(file->get());
  if (!map) return in_context("the user namespace", map.error());
  return std::ranges::equal(words_of(*map),
                            std::array<std::string_view, 3>{"0", "0", "4294967295"});
}

}  // namespace

Failure never_holds_still() {
  return fail(
      fmt::format("the mounts change faster than they can be read ({} attempts)", most_readings),
      EAGAIN);
}

Result<Fd> open_proc(Kernel& kernel) {
  OpenHow how;
  how.flags = O_PATH | O_DIRECTORY;
  how.resolve = abi::resolve_no_symlinks;
  auto proc = kernel.openat2(Kernel::at_fdcwd, "/proc", how);
  if (!proc) return in_context("/proc", proc.error());
  const auto type = kernel.fstatfs_type(proc->get());
  if (!type) return in_context("/proc", type.error());
  if (*type != abi::proc_super_magic) return fail("/proc is not a proc filesystem");
  return proc;
}

Result<Fd> open_namespace_of_pid(Kernel& kernel, const Fd& proc, int pid) {
  const std::string folder = std::to_string(pid);
  auto ns = kernel.openat2(proc.get(), folder + "/ns/mnt", OpenHow{});
  if (ns) return ns;
  const int number = ns.error().number;
  if (number == EACCES || number == EPERM) {
    return fail(fmt::format("process {}: no permission to look into its mount namespace", pid),
                number);
  }
  if (number != ENOENT && number != ESRCH) {
    return in_context(fmt::format("process {}", pid), ns.error());
  }
  if (kernel.statx(proc.get(), folder, abi::at_statx_dont_sync)) {
    return fail(fmt::format("process {} has ended and waits for its parent to notice; it has no "
                            "mount namespace any more",
                            pid),
                number);
  }
  return fail(fmt::format("there is no process {}", pid), number);
}

Result<Fd> open_namespace_file(Kernel& kernel, const std::string& path) {
  const std::string shown = path::printable(path);
  // Looked at before it is opened: opening a device can do things and a pipe can block.
  OpenHow look;
  look.flags = O_PATH;
  const auto seen = kernel.openat2(Kernel::at_fdcwd, path, look);
  if (!seen) return in_context(shown, seen.error());
  const auto type = kernel.fstatfs_type(seen->get());
  if (!type) return in_context(shown, type.error());
  if (*type != abi::nsfs_magic) return fail(fmt::format("{} is not a namespace file", shown));

  OpenHow open;
  open.flags = O_NONBLOCK | O_NOCTTY;
  auto ns = kernel.openat2(Kernel::at_fdcwd, path, open);
  if (!ns) return in_context(shown, ns.error());
  const auto kind = kernel.ioctl_ns_get_nstype(ns->get());
  if (!kind) return fail(fmt::format("{} is not a namespace file", shown), kind.error().number);
  if (*kind != abi::clone_newns) {
    return fail(fmt::format("{} is the file of a {} namespace, not of a mount namespace", shown,
                            namespace_type_name(*kind)));
  }
  return ns;
}

Result<bool> is_own_namespace(Kernel& kernel, const Fd& proc, const Fd& ns) {
  const auto own = kernel.openat2(proc.get(), "thread-self/ns/mnt", OpenHow{});
  if (!own) return in_context("the own mount namespace", own.error());
  const auto own_status = kernel.statx(own->get(), "", 0);
  if (!own_status) return Failure(own_status.error());
  const auto status = kernel.statx(ns.get(), "", 0);
  if (!status) return Failure(status.error());
  return own_status->inode == status->inode && own_status->dev_major == status->dev_major &&
         own_status->dev_minor == status->dev_minor;
}

Result<MountTable> capture(Kernel& kernel, const Fd& proc, const Fd& ns, Reader reader) {
  const auto ids_are_ours = in_initial_user_namespace(kernel, proc);
  if (!ids_are_ours) return Failure(ids_are_ours.error());
  auto table = reader == Reader::mountinfo ? read_by_mountinfo(kernel, proc, ns)
                                           : read_by_statmount(kernel, proc, ns);
  if (!table && reader == Reader::automatic && is_unsupported(table.error())) {
    table = read_by_mountinfo(kernel, proc, ns);
  }
  if (table) table->ids_are_ours = *ids_are_ours;
  return table;
}

Result<MountTable> parse_mountinfo(std::string_view text) {
  auto rows = parse_mountinfo_rows(text);
  if (!rows) return Failure(rows.error());
  return build_mount_table(std::move(*rows), false);
}

}  // namespace mntcr
