#include "runtime/apply/new_namespace.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

/// Two of the kernel's per-CPU batches of ids: within so many namespaces a CPU that is behind draws
/// a batch that no other CPU has passed.
constexpr int most_tries = 2 * 4096;

/// Gives the thread its CPUs back.
class AffinityKeeper {
 public:
  AffinityKeeper(Kernel& kernel, std::vector<int> cpus) : kernel_(kernel), cpus_(std::move(cpus)) {}
  AffinityKeeper(const AffinityKeeper&) = delete;
  AffinityKeeper& operator=(const AffinityKeeper&) = delete;
  /// Best effort: the thread ends soon, and a plan does not fail for where it ran.
  ~AffinityKeeper() { static_cast<void>(kernel_.sched_setaffinity(cpus_)); }

 private:
  Kernel& kernel_;
  std::vector<int> cpus_;
};

/// A new namespace, whatever its id.
Result<Fd> unshare_once(Kernel& kernel, const Fd& proc) {
  if (auto done = kernel.unshare(abi::clone_newns); !done) return Failure(done.error());
  return open_own_namespace(kernel, proc);
}

/// A new namespace if its id is above `least`; an empty Fd if it is not.
Result<Fd> unshare_above(Kernel& kernel, const Fd& proc, std::uint64_t least) {
  Result<Fd> made = unshare_once(kernel, proc);
  if (!made) return made;
  const Result<std::uint64_t> id = kernel.ioctl_ns_get_mntns_id(made->get());
  if (!id) return Failure(id.error());
  if (*id <= least) return Fd();
  return made;
}

}  // namespace

Result<Fd> open_own_namespace(Kernel& kernel, const Fd& proc) {
  return kernel.openat2(proc.get(), "thread-self/ns/mnt", {.flags = O_RDONLY});
}

Result<Fd> enter_new_namespace(Kernel& kernel, const Fd& proc, std::uint64_t id_above) {
  if (id_above == 0) return unshare_once(kernel, proc);
  Result<Fd> made = unshare_above(kernel, proc, id_above);
  if (!made || *made) return made;

  const Result<std::vector<int>> cpus = kernel.sched_getaffinity();
  if (!cpus) return Failure(cpus.error());
  const AffinityKeeper keeper(kernel, *cpus);
  for (const int cpu : *cpus) {
    if (auto moved = kernel.sched_setaffinity(std::span(&cpu, 1)); !moved)
      return Failure(moved.error());
    made = unshare_above(kernel, proc, id_above);
    if (!made || *made) return made;
  }
  for (int tries = 0; tries < most_tries; ++tries) {
    made = unshare_above(kernel, proc, id_above);
    if (!made || *made) return made;
  }
  return fail(fmt::format("none of {} new namespaces got an id above {}, which a pin needs",
                          most_tries, id_above));
}

}  // namespace mntcr
