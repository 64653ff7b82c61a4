#include "tests/kernel/fuzz/fuzz_run.h"

#include <thread>
#include <vector>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/mutator.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::fuzz {
namespace {

Result<void> with_linux_machine(const std::function<void(Machine&)>& work) {
  Kernel& kernel = sandbox::linux_kernel();
  if (auto alone = kernel.unshare(abi::clone_fs); !alone) return alone;
  const auto machine = make_linux_machine(kernel);
  if (!machine) return Failure(machine.error());
  work(**machine);
  return {};
}

}  // namespace

bool can_fuzz(const std::string& what) {
  const bool can =
      sandbox::reads_by_statmount() && sandbox::in_initial_user_namespace() && sandbox::can_idmap();
  if (can) return true;
  sandbox::leave_out(what);
  return false;
}

Generator generator_of(std::uint64_t number) {
  return {number, profiles()[number % profiles().size()]};
}

std::size_t job_count() {
  constexpr std::size_t enough_to_fill_the_waiting = 8;
  return sandbox::count_from_environment("MNTCR_FUZZ_JOBS", enough_to_fill_the_waiting);
}

std::string with_linux_machines(const std::function<void(Machine&, std::size_t)>& work) {
  std::vector<std::string> errors(job_count());
  {
    std::vector<std::jthread> threads;
    for (std::size_t job = 0; job < errors.size(); ++job) {
      threads.emplace_back([&, job] {
        const auto done = with_linux_machine([&](Machine& machine) { work(machine, job); });
        if (!done) errors[job] = done.error().message;
      });
    }
  }
  for (const std::string& error : errors) {
    if (!error.empty()) return error;
  }
  return {};
}

}  // namespace mntcr::fuzz
