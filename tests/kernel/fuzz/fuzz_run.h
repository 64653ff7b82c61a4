// What the tests that compare machines have in common: the generator of a sequence's number, and
// threads that may go from namespace to namespace. There are several, for the kernel makes each
// umount wait for all processors and works no faster for one that waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "tests/kernel/fuzz/generator.h"
#include "tests/kernel/fuzz/machine.h"

namespace mntcr::fuzz {

/// Whether this kernel, and this user, can make all that sequences consist of; leave_out()
/// otherwise.
bool can_fuzz(const std::string& what);

/// The generator of sequence `number`: profiles take turns.
Generator generator_of(std::uint64_t number);

/// How many threads a test has: MNTCR_FUZZ_JOBS.
std::size_t job_count();

/// Runs `work` with a Linux machine of its own on each of job_count() threads and with the numbers
/// from 0. What went wrong with the machines, or nothing. `work` must not use Catch2.
std::string with_linux_machines(const std::function<void(Machine&, std::size_t)>& work);

}  // namespace mntcr::fuzz
