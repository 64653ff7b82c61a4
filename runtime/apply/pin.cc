#include "runtime/apply/pin.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "runtime/apply/new_namespace.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

constexpr std::uint32_t folder_mode = 0755;
constexpr std::uint32_t file_mode = 0444;

/// Names below the store are the user's or this program's, never links.
constexpr std::uint64_t literal = abi::resolve_no_symlinks | abi::resolve_no_magiclinks;

Result<Fd> open_folder(Kernel& kernel, const std::string& path) {
  return kernel.openat2(Kernel::at_fdcwd, path,
                        {.flags = O_RDONLY | O_DIRECTORY, .resolve = literal});
}

std::string folder_of(const std::string& container) {
  return std::string(pin_store) + "/" + container;
}

/// Steps of making a pin, undone in reverse unless kept.
class Pinner {
 public:
  Pinner(Kernel& kernel, std::string container)
      : kernel_(kernel), container_(std::move(container)) {}
  Pinner(const Pinner&) = delete;
  Pinner& operator=(const Pinner&) = delete;
  ~Pinner() {
    for (; !undo_.empty(); undo_.pop_back()) undo(undo_.back());
  }

  Result<void> run(std::span<const NamedNamespace> namespaces) {
    Result<void> done = make_store();
    if (done) done = make_folder(folder_of(container_));
    for (const NamedNamespace& named : namespaces) {
      const std::string path = pin_path(container_, named.name);
      if (done) done = make_file(path);
      if (done) done = bind(*named.ns, path);
    }
    if (done) undo_.clear();
    return done;
  }

 private:
  struct Made {
    enum class Kind : std::uint8_t { folder, file, mount };
    Kind kind{};
    std::string path;
  };

  void undo(const Made& made) {
    if (made.kind == Made::Kind::mount) {
      static_cast<void>(kernel_.umount2(made.path, abi::mnt_detach | abi::umount_nofollow));
    } else {
      const int flags = made.kind == Made::Kind::folder ? AT_REMOVEDIR : 0;
      static_cast<void>(kernel_.unlinkat(Kernel::at_fdcwd, made.path, flags));
    }
  }

  Result<void> make_folder(const std::string& path) {
    Result<void> made = kernel_.mkdirat(Kernel::at_fdcwd, path, folder_mode);
    if (made) undo_.push_back({Made::Kind::folder, path});
    return made;
  }

  Result<void> make_file(const std::string& path) {
    const Result<Fd> made = kernel_.openat2(
        Kernel::at_fdcwd, path,
        {.flags = O_WRONLY | O_CREAT | O_EXCL, .mode = file_mode, .resolve = literal});
    if (!made) return Failure(made.error());
    undo_.push_back({Made::Kind::file, path});
    return {};
  }

  /// The store must be on a private mount: a namespace's file cannot be propagated, so binding it
  /// on a shared mount is refused. Where /run is shared the store becomes a private bind of itself.
  Result<void> make_store() {
    if (Result<void> made = make_folder(pin_store); !made && made.error().number != EEXIST)
      return made;
    const Result<bool> shared = is_shared();
    if (!shared) return Failure(shared.error());
    if (!*shared) return {};
    Result<Fd> self = kernel_.open_tree(Kernel::at_fdcwd, pin_store, abi::open_tree_clone);
    if (!self) return Failure(self.error());
    Result<void> done = kernel_.move_mount(self->get(), "", Kernel::at_fdcwd, pin_store, 0);
    if (!done) return done;
    undo_.push_back({Made::Kind::mount, pin_store});
    return kernel_.mount_setattr(self->get(), "", 0, {.propagation = abi::ms_private});
  }

  /// Whether the mount that holds the store is in a peer group.
  Result<bool> is_shared() {
    const Result<Fd> proc = open_proc(kernel_);
    if (!proc) return Failure(proc.error());
    const Result<Fd> own = open_own_namespace(kernel_, *proc);
    if (!own) return Failure(own.error());
    const Result<MountTable> table = capture(kernel_, *proc, *own);
    if (!table) return Failure(table.error());
    const Result<Fd> store = open_folder(kernel_, pin_store);
    if (!store) return Failure(store.error());
    const Result<FileStatus> status = kernel_.statx(store->get(), "", 0);
    if (!status) return Failure(status.error());
    const Result<std::uint64_t> id = id_in_table(kernel_, *proc, *table, store->get(), *status);
    if (!id) return Failure(id.error());
    return std::ranges::any_of(table->mounts, [&](const LiveMount& mount) {
      return mount.id == *id && mount.peer_group != 0;
    });
  }

  Result<void> bind(const Fd& ns, const std::string& path) {
    const Result<Fd> mount = kernel_.open_tree(ns.get(), "", abi::open_tree_clone);
    if (!mount) return Failure(mount.error());
    Result<void> done = kernel_.move_mount(mount->get(), "", Kernel::at_fdcwd, path, 0);
    if (done) undo_.push_back({Made::Kind::mount, path});
    return done;
  }

  Kernel& kernel_;
  std::string container_;
  std::vector<Made> undo_;
};

PinnedNamespace read_pin(Kernel& kernel, const std::string& container, const std::string& name) {
  PinnedNamespace pinned{.name = name, .path = pin_path(container, name)};
  const Result<Fd> file = open_namespace_file(kernel, pinned.path);
  if (!file) return pinned;
  pinned.alive = true;
  if (const auto id = kernel.ioctl_ns_get_mntns_id(file->get())) pinned.id = *id;
  if (const auto status = kernel.statx(file->get(), "", 0)) pinned.inode = status->inode;
  return pinned;
}

Result<std::vector<std::string>> names_in(Kernel& kernel, const std::string& path) {
  const Result<Fd> folder = open_folder(kernel, path);
  if (!folder) return Failure(folder.error());
  Result<std::vector<std::string>> names = kernel.getdents(folder->get());
  if (names) std::ranges::sort(*names);
  return names;
}

}  // namespace

std::string pin_path(const std::string& container, const std::string& name) {
  return folder_of(container) + "/" + name;
}

bool pin(Kernel& kernel, const std::string& container, const Fd& ns, Diagnostics& diagnostics) {
  const NamedNamespace main{main_namespace, &ns};
  return pin(kernel, container, std::span(&main, 1), diagnostics);
}

bool pin(Kernel& kernel, const std::string& container, std::span<const NamedNamespace> namespaces,
         Diagnostics& diagnostics) {
  const Result<void> done = Pinner(kernel, container).run(namespaces);
  if (done) return true;
  if (done.error().number == EEXIST) {
    diagnostics
        .add(Code::E0703, {}, fmt::format("a container named `{}` is pinned already", container))
        .help(fmt::format("take another name, or remove it: mntcr delete {}", container));
  } else {
    diagnostics.add(Code::E0704, {},
                    fmt::format("cannot pin `{}`: {}", container, done.error().message));
  }
  return false;
}

bool is_pinned(Kernel& kernel, const std::string& container) {
  return open_folder(kernel, folder_of(container)).has_value();
}

Result<std::vector<PinnedContainer>> list_pins(Kernel& kernel) {
  const Result<std::vector<std::string>> containers = names_in(kernel, pin_store);
  std::vector<PinnedContainer> pins;
  if (!containers) {
    if (containers.error().number == ENOENT) return pins;
    return Failure(containers.error());
  }
  for (const std::string& container : *containers) {
    if (!is_container_name(container)) continue;
    PinnedContainer& pinned = pins.emplace_back(PinnedContainer{container, {}});
    Result<std::vector<std::string>> names = names_in(kernel, folder_of(container));
    if (!names) return Failure(names.error());
    std::ranges::sort(*names, {}, [](const std::string& name) {
      return std::pair(name != main_namespace, std::string_view(name));
    });
    for (const std::string& name : *names)
      pinned.namespaces.push_back(read_pin(kernel, container, name));
  }
  return pins;
}

bool remove_pin(Kernel& kernel, const std::string& container, Diagnostics& diagnostics) {
  const Result<std::vector<std::string>> names = names_in(kernel, folder_of(container));
  if (!names) {
    diagnostics
        .add(Code::E0701, {},
             fmt::format("no container named `{}` is pinned", path::printable(container)))
        .help("mntcr list shows what is pinned");
    return false;
  }
  Result<void> done;
  for (const std::string& name : *names) {
    const std::string file = pin_path(container, name);
    done = kernel.umount2(file, abi::mnt_detach | abi::umount_nofollow);
    if (!done && done.error().number != EINVAL) break;  // EINVAL: nothing is mounted there
    done = kernel.unlinkat(Kernel::at_fdcwd, file, 0);
    if (!done) break;
  }
  if (done) done = kernel.unlinkat(Kernel::at_fdcwd, folder_of(container), AT_REMOVEDIR);
  if (done) return true;
  diagnostics.add(Code::E0705, {},
                  fmt::format("cannot remove the pin `{}`: {}", container, done.error().message));
  return false;
}

}  // namespace mntcr
