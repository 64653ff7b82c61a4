// What the tests that compare machines have in common: a thread that may go from namespace to
// namespace, and the numbers from the environment.
#pragma once

#include <functional>
#include <string>

#include "tests/kernel/fuzz/differential.h"
#include "tests/kernel/fuzz/machine.h"

namespace mntcr::fuzz {

/// Runs `work` with a Linux machine, on a thread of its own. What went wrong, or nothing.
std::string with_linux_machine(const std::function<void(Machine&)>& work);

/// Whether this kernel, and this user, can make all that sequences consist of; leave_out()
/// otherwise.
bool can_fuzz(const std::string& what);

/// The generator of sequence `number`: profiles take turns.
Generator generator_of(std::uint64_t number);

}  // namespace mntcr::fuzz
