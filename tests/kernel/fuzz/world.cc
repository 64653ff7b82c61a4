#include "tests/kernel/fuzz/world.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/kernel/linux_abi.h"

namespace mntcr::fuzz {
namespace {

constexpr std::uint64_t mount_attr_rdonly = 1;

/// Paths of operations are below the root; the root itself is the empty one.
std::string absolute(const std::string& path) { return path.empty() ? "/" : path; }

/// Within a directory.
std::string relative(const std::string& path) { return path.empty() ? path : path.substr(1); }

unsigned clone_flags(const Operation& op) {
  return abi::open_tree_clone | (op.recursive ? abi::at_recursive : 0U);
}

unsigned move_flags(const Operation& op) { return op.beneath ? abi::move_mount_beneath : 0U; }

/// The operations that a number makes possible, or that want it to be new.
bool needs_tree(Kind kind) {
  return kind == Kind::set_group_detached || kind == Kind::attach ||
         kind == Kind::change_detached || kind == Kind::close || kind == Kind::attach_to_held ||
         kind == Kind::idmap_detached || kind == Kind::attach_into;
}

bool makes_tree(Kind kind) {
  return kind == Kind::open_tree || kind == Kind::open_held || kind == Kind::new_detached;
}

bool needs_held(Kind kind) {
  return kind == Kind::release || kind == Kind::open_held || kind == Kind::move_held ||
         kind == Kind::attach_to_held;
}

Result<void> make_places_below_root(Kernel& kernel) {
  const auto root = kernel.openat2(Kernel::at_fdcwd, "/", {.flags = O_PATH | O_DIRECTORY});
  if (!root) return Failure(root.error());
  return make_places(kernel, root->get());
}

}  // namespace

Result<World> World::make(Machine& machine) {
  World world(machine);
  if (auto entered = world.leave(); !entered) return Failure(entered.error());
  // An earlier world may have removed some.
  if (auto made = make_places_below_root(world.kernel()); !made) return Failure(made.error());
  if (auto copied = world.kernel().unshare(abi::clone_newns); !copied)
    return Failure(copied.error());
  if (auto added = world.add_namespace(0, machine.current_namespace()); !added)
    return Failure(added.error());
  if (auto left = world.leave(); !left) return Failure(left.error());
  return world;
}

Outcome World::perform(const Operation& operation) {
  if (!has_objects(operation)) return {.skipped = true};
  if (operation.kind == Kind::umount && operation.path.empty()) {
    const auto lowest = is_lowest_root(operation.ns);
    if (!lowest || *lowest) return {.skipped = true};
  }
  Result<void> result = run(operation);
  if (const auto left = leave(); !left && result) result = left;
  if (result) return {};
  return {.error = result.error().number, .message = result.error().message};
}

Result<std::string> World::mountinfo(unsigned ns) {
  if (auto entered = enter(ns); !entered) return Failure(entered.error());
  const auto file = kernel().openat2(machine_->proc(), "thread-self/mountinfo", OpenHow{});
  auto text = file ? kernel().read_all(file->get()) : Failure(file.error());
  if (auto left = leave(); !left) return Failure(left.error());
  return text;
}

bool World::has_objects(const Operation& op) const {
  if (!namespaces_.contains(op.ns)) return false;
  if (op.kind == Kind::clone_namespace && namespaces_.contains(op.other_ns)) return false;
  if (op.kind == Kind::set_group && !namespaces_.contains(op.other_ns)) return false;
  if (needs_tree(op.kind) && !trees_.contains(op.tree)) return false;
  if (makes_tree(op.kind) && trees_.contains(op.tree)) return false;
  if (needs_held(op.kind) && !held_.contains(op.held)) return false;
  if (op.kind == Kind::hold && held_.contains(op.held)) return false;
  return op.kind != Kind::attach_into || trees_.contains(op.other_tree);
}

Result<void> World::enter(unsigned ns) {
  return kernel().setns(namespaces_.at(ns).file.get(), abi::clone_newns);
}

Result<void> World::leave() { return kernel().setns(machine_->base(), abi::clone_newns); }

Result<void> World::run(const Operation& op) {
  if (auto entered = enter(op.ns); !entered) return entered;
  switch (op.kind) {
    case Kind::mount_new:
      return mount_new(op);
    case Kind::bind:
      return bind(op);
    case Kind::change:
      return change(Kernel::at_fdcwd, absolute(op.path), op);
    case Kind::read_only:
      return set_attributes(op, {.attr_set = mount_attr_rdonly});
    case Kind::read_write:
      return set_attributes(op, {.attr_clr = mount_attr_rdonly});
    case Kind::idmap:
      return set_attributes(op, idmap());
    case Kind::remove_directory:
      return kernel().unlinkat(Kernel::at_fdcwd, absolute(op.path), abi::at_removedir);
    case Kind::move:
      return kernel().move_mount(Kernel::at_fdcwd, absolute(op.path), Kernel::at_fdcwd,
                                 absolute(op.to), move_flags(op));
    case Kind::umount:
      return kernel().umount2(absolute(op.path), op.lazy || op.path.empty() ? abi::mnt_detach : 0);
    case Kind::clone_namespace:
      return clone_namespace(op);
    case Kind::pivot_root:
      return kernel().pivot_root(absolute(op.path), absolute(op.to));
    case Kind::set_group:
      return set_group(op);
    case Kind::open_tree:
      return keep(trees_, op.tree,
                  kernel().open_tree(Kernel::at_fdcwd, absolute(op.path), clone_flags(op)));
    case Kind::hold:
      return keep(held_, op.held, kernel().open_tree(Kernel::at_fdcwd, absolute(op.path), 0));
    case Kind::new_detached:
      return keep(trees_, op.tree, new_filesystem(kernel()));
    default:
      return needs_held(op.kind) ? run_with_held(op) : run_with_tree(op);
  }
}

Result<void> World::run_with_tree(const Operation& op) {
  switch (op.kind) {
    case Kind::set_group_detached: {
      const auto from = kernel().open_tree(Kernel::at_fdcwd, absolute(op.path), 0);
      if (!from) return Failure(from.error());
      return kernel().move_mount(from->get(), "", trees_.at(op.tree).get(), "",
                                 abi::move_mount_set_group);
    }
    case Kind::attach:
      return attach(op.tree, Kernel::at_fdcwd, absolute(op.to), move_flags(op));
    case Kind::attach_into:
      return attach(op.tree, trees_.at(op.other_tree).get(), relative(op.to), 0);
    case Kind::change_detached:
      return change(trees_.at(op.tree).get(), relative(op.path), op);
    case Kind::idmap_detached:
      return kernel().mount_setattr(trees_.at(op.tree).get(), "", 0, idmap());
    default:
      trees_.erase(op.tree);
      return {};
  }
}

Result<void> World::run_with_held(const Operation& op) {
  const Fd& held = held_.at(op.held);
  switch (op.kind) {
    case Kind::open_held:
      return keep(trees_, op.tree, kernel().open_tree(held.get(), "", clone_flags(op)));
    case Kind::move_held:
      return kernel().move_mount(held.get(), "", Kernel::at_fdcwd, absolute(op.to), move_flags(op));
    case Kind::attach_to_held:
      return attach(op.tree, held.get(), "", 0);
    default:
      held_.erase(op.held);
      return {};
  }
}

Result<void> World::add_namespace(unsigned number, Result<Fd> file) {
  if (!file) return Failure(file.error());
  const auto id = kernel().ioctl_ns_get_mntns_id(file->get());
  if (!id) return Failure(id.error());
  namespaces_.emplace(number, WorldNamespace{std::move(*file), *id});
  return {};
}

Result<void> World::mount_new(const Operation& op) {
  const auto filesystem = new_filesystem(kernel());
  if (!filesystem) return Failure(filesystem.error());
  return kernel().move_mount(filesystem->get(), "", Kernel::at_fdcwd, absolute(op.path), 0);
}

Result<void> World::bind(const Operation& op) {
  const auto tree = kernel().open_tree(Kernel::at_fdcwd, absolute(op.path), clone_flags(op));
  if (!tree) return Failure(tree.error());
  return kernel().move_mount(tree->get(), "", Kernel::at_fdcwd, absolute(op.to), 0);
}

Result<void> World::change(int dir, const std::string& path, const Operation& op) {
  return kernel().mount_setattr(dir, path, op.recursive ? abi::at_recursive : 0U,
                                {.propagation = op.propagation});
}

Result<void> World::set_attributes(const Operation& op, const MountAttr& attributes) {
  return kernel().mount_setattr(Kernel::at_fdcwd, absolute(op.path),
                                op.recursive ? abi::at_recursive : 0U, attributes);
}

MountAttr World::idmap() const {
  return {.attr_set = abi::mount_attr_idmap, .userns = machine_->user_namespace()};
}

Result<void> World::clone_namespace(const Operation& op) {
  if (op.new_user) {
    return add_namespace(op.other_ns,
                         machine_->clone_in_new_user_namespace(namespaces_.at(op.ns).file.get()));
  }
  if (auto copied = kernel().unshare(abi::clone_newns); !copied) return copied;
  return add_namespace(op.other_ns, machine_->current_namespace());
}

Result<void> World::set_group(const Operation& op) {
  const auto from = kernel().open_tree(Kernel::at_fdcwd, absolute(op.path), 0);
  if (!from) return Failure(from.error());
  if (auto entered = enter(op.other_ns); !entered) return entered;
  const auto to = kernel().open_tree(Kernel::at_fdcwd, absolute(op.to), 0);
  if (!to) return Failure(to.error());
  return kernel().move_mount(from->get(), "", to->get(), "", abi::move_mount_set_group);
}

Result<void> World::keep(std::map<unsigned, Fd>& files, unsigned number, Result<Fd> file) {
  if (!file) return Failure(file.error());
  files.emplace(number, std::move(*file));
  return {};
}

/// The file of what is attached is given up, as it no longer is a tree.
Result<void> World::attach(unsigned tree, int to, const std::string& path, unsigned flags) {
  auto attached = kernel().move_mount(trees_.at(tree).get(), "", to, path, flags);
  if (attached) trees_.erase(tree);
  return attached;
}

/// Whether nothing but the hidden root lies below the namespace's "/". Without that mount the
/// namespace could not be read any more.
Result<bool> World::is_lowest_root(unsigned ns) {
  if (auto entered = enter(ns); !entered) return Failure(entered.error());
  const auto root = kernel().statx(Kernel::at_fdcwd, "/", 0);
  if (auto left = leave(); !left) return Failure(left.error());
  if (!root) return Failure(root.error());
  const std::uint64_t id = namespaces_.at(ns).id;
  const auto status = kernel().statmount(root->mount_id, id, StatmountPart::basics);
  if (!status) return Failure(status.error());
  constexpr std::size_t most_mounts = 8192;
  std::vector<std::uint64_t> ids(most_mounts);
  const auto count = kernel().listmount(id, Kernel::lsmt_root, 0, ids);
  if (!count) return Failure(count.error());
  ids.resize(*count);
  return std::ranges::find(ids, status->parent_id) == ids.end();
}

}  // namespace mntcr::fuzz
