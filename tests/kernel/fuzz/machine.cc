#include "tests/kernel/fuzz/machine.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <string>

namespace mntcr::fuzz {
namespace {

constexpr std::uint32_t directory_mode = 0755;
constexpr std::array<const char*, 14> directories = {"a",     "b",     "a/a",   "a/b",   "b/a",
                                                     "b/b",   "a/a/a", "a/a/b", "a/b/a", "a/b/b",
                                                     "b/a/a", "b/a/b", "b/b/a", "b/b/b"};

}  // namespace

Result<Fd> new_proc(Kernel& kernel) {
  const auto context = kernel.fsopen("proc");
  if (!context) return Failure(context.error());
  if (auto created = kernel.fsconfig_create(context->get()); !created)
    return Failure(created.error());
  return kernel.fsmount(context->get(), 0);
}

Result<Fd> new_user_namespace(Kernel& kernel, const Fd& proc) {
  const std::string map = "0 100000 65536\n";
  return kernel.new_user_namespace(proc.get(), map, map);
}

Result<void> make_places(Kernel& kernel, int dir) {
  for (const char* path : directories) {
    auto made = kernel.mkdirat(dir, path, directory_mode);
    if (!made && made.error().number != EEXIST) return made;
  }
  constexpr std::uint32_t file_mode = S_IFREG | 0644;
  auto made = kernel.mknodat(dir, "c", file_mode, 0, 0);
  if (!made && made.error().number == EEXIST) return {};
  return made;
}

Result<Fd> new_filesystem(Kernel& kernel) {
  const auto context = kernel.fsopen("tmpfs");
  if (!context) return Failure(context.error());
  if (auto created = kernel.fsconfig_create(context->get()); !created)
    return Failure(created.error());
  auto mount = kernel.fsmount(context->get(), 0);
  if (!mount) return mount;
  if (auto made = make_places(kernel, mount->get()); !made) return Failure(made.error());
  return mount;
}

}  // namespace mntcr::fuzz
