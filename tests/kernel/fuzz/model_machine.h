// The model of the kernel as a machine for the fuzzer.
#pragma once

#include <memory>
#include <optional>

#include "runtime/kernel/model/kernel_rule.h"
#include "tests/kernel/fuzz/machine.h"

namespace mntcr::fuzz {

/// A fresh model, with one rule left out if there is one.
Result<std::shared_ptr<Machine>> make_model_machine(std::optional<KernelRule> broken = {});

}  // namespace mntcr::fuzz
