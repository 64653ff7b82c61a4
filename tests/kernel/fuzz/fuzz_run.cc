#include "tests/kernel/fuzz/fuzz_run.h"

#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::fuzz {

std::string with_linux_machine(const std::function<void(Machine&)>& work) {
  Kernel& kernel = sandbox::linux_kernel();
  const auto ran = run_in_thread([&]() -> Result<void> {
    if (auto alone = kernel.unshare(abi::clone_fs); !alone) return alone;
    const auto machine = make_linux_machine(kernel);
    if (!machine) return Failure(machine.error());
    work(**machine);
    return {};
  });
  return ran ? std::string{} : ran.error().message;
}

bool can_fuzz(const std::string& what) {
  if (sandbox::reads_by_statmount() && sandbox::in_initial_user_namespace()) return true;
  sandbox::leave_out(what);
  return false;
}

Generator generator_of(std::uint64_t number) {
  return {number, profiles()[number % profiles().size()], true};
}

}  // namespace mntcr::fuzz
