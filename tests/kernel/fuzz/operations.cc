#include "tests/kernel/fuzz/operations.h"

#include <fmt/format.h>

#include <array>

#include "runtime/kernel/linux_abi.h"

namespace mntcr::fuzz {
namespace {

constexpr std::array<const char*, kind_count> names = {"mount_new",
                                                       "bind",
                                                       "change",
                                                       "read_only",
                                                       "read_write",
                                                       "move",
                                                       "umount",
                                                       "clone",
                                                       "pivot_root",
                                                       "set_group",
                                                       "set_group_detached",
                                                       "open_tree",
                                                       "attach",
                                                       "change_detached",
                                                       "close",
                                                       "hold",
                                                       "release",
                                                       "open_held",
                                                       "move_held",
                                                       "attach_to_held",
                                                       "attach_into",
                                                       "new_detached",
                                                       "idmap",
                                                       "idmap_detached",
                                                       "remove_directory"};

std::string propagation_name(std::uint64_t propagation) {
  switch (propagation) {
    case abi::ms_shared:
      return "shared";
    case abi::ms_slave:
      return "slave";
    case abi::ms_private:
      return "private";
    default:
      return "unbindable";
  }
}

std::string shown(const std::string& path) { return path.empty() ? "/" : path; }

std::string objects(const Operation& op) {
  switch (op.kind) {
    case Kind::mount_new:
    case Kind::read_only:
    case Kind::read_write:
    case Kind::umount:
    case Kind::idmap:
    case Kind::remove_directory:
      return shown(op.path);
    case Kind::bind:
    case Kind::move:
    case Kind::pivot_root:
      return fmt::format("{} {}", shown(op.path), shown(op.to));
    case Kind::change:
      return fmt::format("{} {}", propagation_name(op.propagation), shown(op.path));
    case Kind::clone_namespace:
      return fmt::format("as ns{}", op.other_ns);
    case Kind::set_group:
      return fmt::format("{} to ns{} {}", shown(op.path), op.other_ns, shown(op.to));
    case Kind::set_group_detached:
      return fmt::format("{} to tree{}", shown(op.path), op.tree);
    case Kind::open_tree:
      return fmt::format("{} as tree{}", shown(op.path), op.tree);
    case Kind::attach:
      return fmt::format("tree{} {}", op.tree, shown(op.to));
    case Kind::change_detached:
      return fmt::format("{} tree{} {}", propagation_name(op.propagation), op.tree, shown(op.path));
    case Kind::close:
    case Kind::idmap_detached:
      return fmt::format("tree{}", op.tree);
    case Kind::hold:
      return fmt::format("{} as held{}", shown(op.path), op.held);
    case Kind::release:
      return fmt::format("held{}", op.held);
    case Kind::open_held:
      return fmt::format("held{} as tree{}", op.held, op.tree);
    case Kind::move_held:
      return fmt::format("held{} {}", op.held, shown(op.to));
    case Kind::attach_to_held:
      return fmt::format("tree{} held{}", op.tree, op.held);
    case Kind::attach_into:
      return fmt::format("tree{} tree{} {}", op.tree, op.other_tree, shown(op.to));
    case Kind::new_detached:
      return fmt::format("as tree{}", op.tree);
  }
  return {};
}

}  // namespace

std::string name_of(Kind kind) { return names.at(static_cast<std::size_t>(kind)); }

std::string to_line(const Operation& operation) {
  return fmt::format("ns{} {}{}{}{}{} {}", operation.ns, name_of(operation.kind),
                     operation.recursive ? " recursive" : "", operation.beneath ? " beneath" : "",
                     operation.lazy ? " lazy" : "", operation.new_user ? " new-user" : "",
                     objects(operation));
}

}  // namespace mntcr::fuzz
