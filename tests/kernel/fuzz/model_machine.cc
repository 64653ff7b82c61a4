#include "tests/kernel/fuzz/model_machine.h"

#include <fcntl.h>

#include <utility>

#include "runtime/kernel/model/model_kernel.h"

namespace mntcr::fuzz {
namespace {

class ModelMachine final : public Machine {
 public:
  explicit ModelMachine(std::optional<KernelRule> broken) : kernel_(broken) {}

  /// The model begins with what a base namespace has to be, but for the places.
  Result<void> set_up() {
    const auto root = kernel_.openat2(Kernel::at_fdcwd, "/", {.flags = O_PATH | O_DIRECTORY});
    if (!root) return Failure(root.error());
    if (auto made = make_places(kernel_, root->get()); !made) return made;
    auto proc = new_proc(kernel_);
    if (!proc) return Failure(proc.error());
    proc_ = std::move(*proc);
    auto user_namespace = new_user_namespace(kernel_, proc_);
    if (!user_namespace) return Failure(user_namespace.error());
    user_namespace_ = std::move(*user_namespace);
    auto base = current_namespace();
    if (!base) return Failure(base.error());
    base_ = std::move(*base);
    return {};
  }

  Kernel& kernel() override { return kernel_; }
  [[nodiscard]] int base() const override { return base_.get(); }
  [[nodiscard]] int user_namespace() const override { return user_namespace_.get(); }
  [[nodiscard]] int proc() const override { return proc_.get(); }
  Result<Fd> current_namespace() override {
    return kernel_.openat2(proc_.get(), "thread-self/ns/mnt", OpenHow{});
  }
  Result<Fd> clone_in_new_user_namespace(int ns) override {
    return kernel_.clone_namespace_in_new_user_namespace(ns);
  }

 private:
  ModelKernel kernel_;
  Fd proc_;
  Fd user_namespace_;
  Fd base_;
};

}  // namespace

Result<std::shared_ptr<Machine>> make_model_machine(std::optional<KernelRule> broken) {
  auto machine = std::make_shared<ModelMachine>(broken);
  if (auto ready = machine->set_up(); !ready) return Failure(ready.error());
  return machine;
}

}  // namespace mntcr::fuzz
