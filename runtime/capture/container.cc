#include "runtime/capture/container.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/capture/readers.h"

namespace mntcr {
namespace {

/// What tells whether two readings found the same state: all that an operation on one namespace can
/// change in another.
bool is_same(const MountTable& left, const MountTable& right) {
  const auto key = [](const LiveMount& mount) {
    return std::tie(mount.id, mount.parent, mount.ns, mount.mountpoint, mount.attrs,
                    mount.peer_group, mount.master, mount.unbindable);
  };
  return std::ranges::equal(left.mounts, right.mounts, {}, key, key);
}

/// Adds the inodes of `from` to `into`: two namespaces that need one of the same superblock need it
/// once.
void join_needed(NeededInodes& into, NeededInodes&& from) {
  for (auto& [device, inodes] : from) {
    std::vector<NeededInode> all;
    std::ranges::merge(into[device], inodes, std::back_inserter(all), {}, &NeededInode::path,
                       &NeededInode::path);
    const auto again = std::ranges::unique(all, {}, &NeededInode::path);
    all.erase(again.begin(), again.end());
    into[device] = std::move(all);
  }
}

void append(MountTable& all, MountTable&& table, const std::string& name) {
  const auto ns = static_cast<std::uint32_t>(all.namespaces.size());
  const auto first = static_cast<std::uint32_t>(all.mounts.size());
  for (LiveMount& mount : table.mounts) {
    mount.ns = ns;
    if (mount.parent != UINT32_MAX) mount.parent += first;
    all.mounts.push_back(std::move(mount));
  }
  all.namespaces.push_back(name);
  all.unique_ids = table.unique_ids;
  all.ids_are_ours = all.ids_are_ours && table.ids_are_ours;
  if (all.inodes_unknown.empty()) all.inodes_unknown = std::move(table.inodes_unknown);
  join_needed(all.needed, std::move(table.needed));
}

Result<MountTable> read_once(Kernel& kernel, const Fd& proc,
                             std::span<const NamedNamespace> namespaces, Reader reader,
                             const Completion& complete) {
  MountTable all;
  all.namespaces.clear();
  for (const NamedNamespace& named : namespaces) {
    Result<MountTable> table = capture(kernel, proc, *named.ns, reader);
    if (!table) return table;
    const Result<void> completed = complete ? complete(*named.ns, *table) : Result<void>{};
    if (!completed) return Failure(completed.error());
    if (namespaces.size() == 1) {
      table->namespaces = {named.name};
      return table;
    }
    append(all, std::move(*table), named.name);
  }
  return all;
}

}  // namespace

Result<MountTable> capture_container(Kernel& kernel, const Fd& proc,
                                     std::span<const NamedNamespace> namespaces, Reader reader) {
  Result<MountTable> last = read_once(kernel, proc, namespaces, reader, {});
  if (namespaces.size() == 1) return last;
  for (int reading = 1; last && reading < most_readings; ++reading) {
    Result<MountTable> next = read_once(kernel, proc, namespaces, reader, {});
    if (!next) return next;
    if (is_same(*last, *next)) return next;
    last = std::move(next);
  }
  if (!last) return last;
  return never_holds_still();
}

Result<MountTable> capture_container(Kernel& kernel, const Fd& proc,
                                     std::span<const NamedNamespace> namespaces,
                                     const Completion& complete) {
  for (int reading = 0; reading < most_readings; ++reading) {
    Result<MountTable> whole = read_once(kernel, proc, namespaces, Reader::automatic, complete);
    if (!whole || namespaces.size() == 1) return whole;
    const Result<MountTable> again = read_once(kernel, proc, namespaces, Reader::automatic, {});
    if (!again) return again;
    if (is_same(*whole, *again)) return whole;
  }
  return never_holds_still();
}

}  // namespace mntcr
