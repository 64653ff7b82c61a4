#include "runtime/kernel/kernel.h"

#include <utility>

namespace mntcr {

Fd::Fd(Fd&& other) noexcept
    : kernel_(std::exchange(other.kernel_, nullptr)), number_(std::exchange(other.number_, -1)) {}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    kernel_ = std::exchange(other.kernel_, nullptr);
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Fd::reset() {
  Kernel* kernel = std::exchange(kernel_, nullptr);
  const int number = std::exchange(number_, -1);
  if (kernel != nullptr && number >= 0) kernel->close(number);
}

}  // namespace mntcr
