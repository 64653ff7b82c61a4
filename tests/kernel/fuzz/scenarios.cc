// What random drawing hardly meets: rules that show only after several steps that have nothing to
// do with each other. Each scenario is a few operations in a row, among random ones, on places
// that are drawn; in most states it still does not show its rule.
#include <array>
#include <utility>

#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/fuzz/generator.h"

namespace mntcr::fuzz {

void Generator::plan_scenario(const World& world, const State& state) {
  using Scenario = void (Generator::*)(unsigned, const State&);
  constexpr std::array<Scenario, 11> scenarios = {&Generator::plan_unbindable_tree,
                                                  &Generator::plan_dying_group,
                                                  &Generator::plan_removed_root,
                                                  &Generator::plan_locked_read_only,
                                                  &Generator::plan_locked_child,
                                                  &Generator::plan_change_inside,
                                                  &Generator::plan_covered_tree,
                                                  &Generator::plan_covered_source,
                                                  &Generator::plan_own_peer_beneath,
                                                  &Generator::plan_slave_below_master,
                                                  &Generator::plan_gap};
  const Scenario scenario = scenarios.at(below(scenarios.size()));
  (this->*scenario)(draw_namespace(world), state);
}

void Generator::plan(Operation operation) { planned_.push_back(std::move(operation)); }

void Generator::plan_change(unsigned ns, const std::string& path, std::uint64_t propagation) {
  plan({.kind = Kind::change, .ns = ns, .path = path, .propagation = propagation});
}

/// A bind of a directory that is removed while it is bound.
void Generator::plan_removed_root(unsigned ns, const State& /*state*/) {
  const std::string removed = random_path(3);
  const std::string bound = random_path(1);
  plan({.kind = Kind::bind, .ns = ns, .path = removed, .to = bound});
  plan({.kind = Kind::remove_directory, .ns = ns, .path = removed});
  plan({.kind = Kind::bind, .ns = ns, .path = bound, .to = random_path(1)});
}

/// What was read-only when another user namespace got it.
void Generator::plan_locked_read_only(unsigned ns, const State& state) {
  const std::string path = mount_path(ns, state);
  const unsigned copy = free_namespace(state);
  if (copy == 0) return;
  plan({.kind = Kind::read_only, .ns = ns, .path = path});
  plan({.kind = Kind::clone_namespace, .ns = ns, .other_ns = copy, .new_user = true});
  plan({.kind = Kind::read_write, .ns = copy, .path = path});
}

/// A locked mount that becomes unbindable, in a tree that is cloned.
void Generator::plan_locked_child(unsigned ns, const State& state) {
  const std::string path = mount_path(ns, state);
  const unsigned copy = free_namespace(state);
  if (copy == 0) return;
  plan({.kind = Kind::clone_namespace, .ns = ns, .other_ns = copy, .new_user = true});
  plan_change(copy, path, abi::ms_unbindable);
  plan({.kind = Kind::open_tree, .ns = copy, .tree = new_number(), .recursive = true});
}

/// A mount within a detached tree.
void Generator::plan_change_inside(unsigned ns, const State& state) {
  const unsigned tree = new_number();
  const std::string path = mount_path(ns, state);
  plan({.kind = Kind::open_tree, .ns = ns, .tree = tree, .recursive = true});
  plan({.kind = Kind::change_detached,
        .ns = ns,
        .path = path,
        .tree = tree,
        .propagation = draw_propagation()});
}

/// A tree with a mount over its root, attached where copies of it find their places taken.
void Generator::plan_covered_tree(unsigned ns, const State& state) {
  const unsigned upper = new_number();
  const unsigned lower = new_number();
  const std::string at = chance(50) ? mount_path(ns, state) : random_path(1);
  plan_change(ns, "", abi::ms_shared);
  plan({.kind = Kind::bind, .ns = ns, .to = "/b"});
  plan_change(ns, "/b", abi::ms_private);
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/b" + at});
  plan({.kind = Kind::set_group, .ns = ns, .other_ns = ns, .to = "/b"});
  plan({.kind = Kind::new_detached, .ns = ns, .tree = upper});
  plan({.kind = Kind::new_detached, .ns = ns, .tree = lower});
  plan({.kind = Kind::attach_into, .ns = ns, .tree = upper, .other_tree = lower});
  plan({.kind = Kind::attach, .ns = ns, .to = at, .tree = lower});
}

/// A mount with another over its root, moved beneath.
void Generator::plan_covered_source(unsigned ns, const State& state) {
  const unsigned held = new_number();
  const std::string path = mount_path(ns, state);
  plan({.kind = Kind::hold, .ns = ns, .path = path, .held = held});
  plan({.kind = Kind::mount_new, .ns = ns, .path = path});
  plan({.kind = Kind::move_held,
        .ns = ns,
        .to = mount_path(ns, state),
        .held = held,
        .beneath = true});
}

/// A mount that is moved beneath what stands on its peer, at the place that is its own root: it
/// would get a copy of itself on its root.
void Generator::plan_own_peer_beneath(unsigned ns, const State& /*state*/) {
  const std::string place = chance(50) ? "/a" : "/a/b";
  plan_change(ns, "", abi::ms_private);
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/b"});
  plan({.kind = Kind::bind, .ns = ns, .path = place, .to = "/b/a"});
  plan_change(ns, "/b/a", abi::ms_private);
  plan({.kind = Kind::mount_new, .ns = ns, .path = place});
  plan_change(ns, "", abi::ms_shared);
  plan({.kind = Kind::set_group, .ns = ns, .other_ns = ns, .to = "/b/a"});
  if (chance(30)) plan_change(ns, "/b/a", abi::ms_slave);
  plan({.kind = Kind::move, .ns = ns, .path = "/b/a", .to = place, .beneath = true});
}

/// A tree with an unbindable mount, attached where it would have to be shared.
void Generator::plan_unbindable_tree(unsigned ns, const State& state) {
  const unsigned tree = new_number();
  plan({.kind = Kind::open_tree, .ns = ns, .path = mount_path(ns, state), .tree = tree});
  plan({.kind = Kind::change_detached, .ns = ns, .tree = tree, .propagation = abi::ms_unbindable});
  plan_change(ns, "", abi::ms_shared);
  plan({.kind = Kind::attach, .ns = ns, .to = any_path(ns, state), .tree = tree});
}

/// A group that is master and slave loses its only member.
void Generator::plan_dying_group(unsigned ns, const State& /*state*/) {
  if (chance(70)) plan_change(ns, "", abi::ms_shared);
  plan({.kind = Kind::bind, .ns = ns, .to = "/a"});
  plan_change(ns, "/a", abi::ms_slave);
  plan_change(ns, "/a", abi::ms_shared);
  plan({.kind = Kind::bind, .ns = ns, .path = "/a", .to = "/b/a"});
  plan_change(ns, "/b/a", abi::ms_slave);
  if (chance(50)) {
    plan({.kind = Kind::umount, .ns = ns, .path = "/a", .lazy = true});
  } else {
    plan_change(ns, "/a", draw_propagation());
  }
}

/// A slave that is moved to a place below its master: it receives a copy of itself.
void Generator::plan_slave_below_master(unsigned ns, const State& /*state*/) {
  const std::string inside = random_path(1);
  plan_change(ns, "", abi::ms_private);
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/a"});
  plan_change(ns, "/a", abi::ms_shared);
  plan({.kind = Kind::bind, .ns = ns, .path = "/a", .to = "/b"});
  plan_change(ns, "/b", abi::ms_slave);
  plan({.kind = Kind::move, .ns = ns, .path = "/b", .to = "/a" + inside});
}

/// A slave beyond a group that does not show the place, among others that do.
void Generator::plan_gap(unsigned ns, const State& /*state*/) {
  const auto add_slave = [&](const std::string& from, const std::string& to, bool shared) {
    plan({.kind = Kind::bind, .ns = ns, .path = from, .to = to});
    plan_change(ns, to, abi::ms_slave);
    if (shared) plan_change(ns, to, abi::ms_shared);
  };
  plan_change(ns, "", abi::ms_private);
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/a"});
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/a/a/a"});
  plan_change(ns, "/a/a/a", abi::ms_shared);
  add_slave("/a/a/a", "/a/a/b", true);
  add_slave("/a/a/b", "/a/b/a", chance(30));
  add_slave("/a/a/b", "/a/b/b", true);
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/b"});
  plan({.kind = Kind::bind, .ns = ns, .path = "/a/b/b/b", .to = "/b/a/a"});
  add_slave("/a/b/b", "/b/a/b", chance(30));
  plan({.kind = Kind::umount, .ns = ns, .path = "/a/b/b", .lazy = true});
  add_slave("/a/a/b", "/b/b/a", chance(30));
  plan({.kind = Kind::mount_new, .ns = ns, .path = "/a/a/a/a"});
}

}  // namespace mntcr::fuzz
