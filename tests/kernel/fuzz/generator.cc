#include "tests/kernel/fuzz/generator.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "runtime/kernel/linux_abi.h"

namespace mntcr::fuzz {
namespace {

constexpr std::size_t shortest_sequence = 10;
constexpr std::size_t longest_sequence = 60;
constexpr unsigned most_namespaces = 4;

/// Above this the sequence rather unmounts: propagation doubles what is there, again and again.
constexpr std::size_t many_mounts = 90;

/// Deeper places are too many to be met twice.
constexpr std::ptrdiff_t deepest_path = 4;

using Weights = std::array<unsigned, kind_count>;

struct Weight {
  Kind kind;
  unsigned weight;
};

Weights weights(std::initializer_list<Weight> list) {
  Weights all{};
  for (const Weight& entry : list) all.at(static_cast<std::size_t>(entry.kind)) = entry.weight;
  return all;
}

bool is_propagated(const Row& row) { return row.group != 0 || row.master != 0; }

std::ptrdiff_t depth_of(const std::string& path) { return std::ranges::count(path, '/'); }

/// "/" of a state is the empty path of an operation.
std::string as_path(const std::string& mountpoint) { return mountpoint == "/" ? "" : mountpoint; }

/// The rows that a path leads to: nothing lies over their root.
std::vector<std::size_t> uncovered(const State& state) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    const Row& row = state.rows[i];
    const bool covered = std::ranges::any_of(state.rows, [&](const Row& other) {
      return other.ns == row.ns && other.depth > row.depth && other.mountpoint == row.mountpoint;
    });
    if (!covered && depth_of(row.mountpoint) <= deepest_path) rows.push_back(i);
  }
  return rows;
}

/// The row that another one stands on; none where that is the hidden root.
const Row* parent_of(const State& state, std::size_t row) {
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    if (state.identities[i].id == state.identities[row].parent) return &state.rows[i];
  }
  return nullptr;
}

bool is_at_or_below(const std::string& path, const std::string& above) {
  return above == "/" || path == above || path.starts_with(above + "/");
}

/// Once `to` is private.
bool can_share_group(const Row& from, const Row& to) {
  return is_propagated(from) && from.superblock == to.superblock &&
         is_at_or_below(to.root, from.root);
}

bool adds_mounts(Kind kind) {
  return kind == Kind::bind || kind == Kind::mount_new || kind == Kind::attach ||
         kind == Kind::open_tree || kind == Kind::move || kind == Kind::clone_namespace;
}

bool wants_tree(Kind kind) {
  return kind == Kind::attach || kind == Kind::change_detached || kind == Kind::close ||
         kind == Kind::set_group_detached || kind == Kind::attach_to_held ||
         kind == Kind::idmap_detached;
}

bool wants_held(Kind kind) {
  return kind == Kind::release || kind == Kind::open_held || kind == Kind::move_held ||
         kind == Kind::attach_to_held;
}

std::vector<Profile> make_profiles() {
  using enum Kind;
  const Weight nothing{close, 1};
  return {
      {"base",
       weights({{bind, 22},
                {mount_new, 8},
                {change, 20},
                {move, 9},
                {umount, 12},
                {clone_namespace, 5},
                {set_group, 5},
                {set_group_detached, 1},
                {open_tree, 6},
                {attach, 6},
                {change_detached, 3},
                nothing,
                {pivot_root, 3},
                {read_only, 3},
                {read_write, 1},
                {remove_directory, 1}}),
       false},
      {"propagation",
       weights({{bind, 26},
                {mount_new, 10},
                {change, 10},
                {move, 9},
                {umount, 14},
                {clone_namespace, 4},
                {set_group, 4},
                {open_tree, 5},
                {attach, 5},
                {change_detached, 2},
                nothing,
                {pivot_root, 1}}),
       true},
      {"umount",
       weights({{bind, 24},
                {mount_new, 8},
                {change, 8},
                {move, 5},
                {umount, 30},
                {clone_namespace, 6},
                {open_tree, 4},
                {attach, 4},
                {close, 3}}),
       true},
      {"groups",
       weights({{bind, 20},
                {change, 30},
                {umount, 10},
                {clone_namespace, 5},
                {set_group, 25},
                {set_group_detached, 4},
                {open_tree, 6},
                {attach, 6},
                {change_detached, 6},
                {close, 2}}),
       true},
      {"files", weights({{bind, 14},           {mount_new, 5},
                         {change, 10},         {move, 4},
                         {umount, 14},         {clone_namespace, 4},
                         {set_group, 4},       {set_group_detached, 2},
                         {open_tree, 6},       {attach, 5},
                         {change_detached, 3}, nothing,
                         {hold, 10},           {release, 2},
                         {open_held, 7},       {move_held, 5},
                         {attach_to_held, 6},  {attach_into, 6},
                         {new_detached, 4},    {idmap, 1},
                         {idmap_detached, 2},  {remove_directory, 2}}),
       true},
  };
}

}  // namespace

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = make_profiles();
  return all;
}

Generator::Generator(std::uint64_t seed, const Profile& profile)
    : random_(seed), profile_(profile) {
  length_ = shortest_sequence + below(longest_sequence - shortest_sequence + 1);
  if (profile.begins_shared) draw_opening();
}

Operation Generator::next(const World& world, const State& state) {
  constexpr unsigned percent_of_scenarios = 2;
  if (planned_.empty() && chance(percent_of_scenarios)) plan_scenario(world, state);
  if (!planned_.empty()) {
    Operation op = planned_.front();
    planned_.pop_front();
    return op;
  }
  Operation op = draw(draw_kind(world, state), world, state);
  if (!before_) return op;
  planned_.push_back(std::move(op));
  return *std::exchange(before_, std::nullopt);
}

/// Not by std::uniform_int_distribution, which may differ between libraries.
std::size_t Generator::below(std::size_t n) { return random_() % n; }

bool Generator::chance(unsigned percent) {
  constexpr std::size_t hundred = 100;
  return below(hundred) < percent;
}

/// Without it most sequences would end before there is anything to propagate to.
void Generator::draw_opening() {
  const auto change = [&](std::string path, std::uint64_t to, bool recursive) {
    planned_.push_back(
        {.kind = Kind::change, .path = std::move(path), .propagation = to, .recursive = recursive});
  };
  if (chance(80)) change("", abi::ms_shared, false);
  constexpr std::size_t most_binds = 5;
  for (std::size_t binds = below(most_binds); binds > 0; --binds) {
    const std::string at = random_path(1);
    const std::vector<std::string> sources = {at, at, "", random_path(1)};
    planned_.push_back({.kind = Kind::bind, .path = pick(sources), .to = at});
    const std::vector<std::uint64_t> types = {abi::ms_private, abi::ms_shared, abi::ms_slave};
    if (chance(50)) change(at, pick(types), false);
    if (chance(30)) change(at, abi::ms_shared, false);
  }
  if (chance(50)) {
    planned_.push_back({.kind = Kind::clone_namespace, .other_ns = 1, .new_user = chance(30)});
  }
  if (chance(40)) {
    change("", abi::ms_slave, true);
    change("", abi::ms_shared, true);
  }
}

/// One that has what it speaks of.
Kind Generator::draw_kind(const World& world, const State& state) {
  const std::size_t sum = std::accumulate(profile_.weights.begin(), profile_.weights.end(), 0U);
  for (;;) {
    std::size_t left = below(sum);
    std::size_t at = 0;
    while (left >= profile_.weights.at(at)) left -= profile_.weights.at(at++);
    const Kind kind = static_cast<Kind>(at);
    if (kind == Kind::clone_namespace && world.namespaces().size() >= most_namespaces) continue;
    if (wants_tree(kind) && world.trees().empty()) continue;
    if (wants_held(kind) && world.held().empty()) continue;
    if (kind == Kind::attach_into && world.trees().size() < 2) continue;
    if (adds_mounts(kind) && state.rows.size() > many_mounts) return Kind::umount;
    return kind;
  }
}

unsigned Generator::free_namespace(const State& state) {
  const unsigned next = state.rows.empty() ? most_namespaces : state.rows.back().ns + 1;
  return next < most_namespaces ? next : 0;
}

unsigned Generator::draw_namespace(const World& world) {
  const auto at = static_cast<std::ptrdiff_t>(below(world.namespaces().size()));
  return std::next(world.namespaces().begin(), at)->first;
}

std::string Generator::random_path(std::size_t shortest) {
  const std::vector<std::size_t> lengths = {0, 1, 1, 1, 2, 2, 3};
  std::string path;
  for (std::size_t left = std::max(pick(lengths), shortest); left > 0; --left)
    path += chance(50) ? "/a" : "/b";
  return path;
}

/// Of a mount that is there, but the root.
std::string Generator::mount_path(unsigned ns, const State& state) {
  std::vector<const Row*> rows;
  for (const Row& row : state.rows) {
    if (row.ns == ns && row.mountpoint.size() > 1 && depth_of(row.mountpoint) <= deepest_path)
      rows.push_back(&row);
  }
  return rows.empty() ? random_path(1) : pick(rows)->mountpoint;
}

/// Where there may be a mount, or only a directory.
std::string Generator::any_path(unsigned ns, const State& state) {
  if (chance(3)) return {};
  if (chance(3)) return "/c";
  return chance(30) ? mount_path(ns, state) : random_path(1);
}

std::uint64_t Generator::draw_propagation() {
  const std::vector<std::uint64_t> types = {abi::ms_shared,    abi::ms_shared, abi::ms_shared,
                                            abi::ms_slave,     abi::ms_slave,  abi::ms_private,
                                            abi::ms_unbindable};
  return pick(types);
}

unsigned Generator::draw_number(const std::map<unsigned, Fd>& files) {
  return std::next(files.begin(), static_cast<std::ptrdiff_t>(below(files.size())))->first;
}

Operation Generator::draw(Kind kind, const World& world, const State& state) {
  Operation op{.kind = kind, .ns = draw_namespace(world)};
  const auto source = [&] { return chance(70) ? mount_path(op.ns, state) : random_path(0); };
  switch (kind) {
    case Kind::mount_new:
      op.path = any_path(op.ns, state);
      break;
    case Kind::bind:
      op.path = chance(40) ? mount_path(op.ns, state) : chance(3) ? "/c" : random_path(0);
      op.to = any_path(op.ns, state);
      op.recursive = chance(50);
      break;
    case Kind::change:
      op.path = source();
      op.propagation = draw_propagation();
      op.recursive = chance(35);
      break;
    case Kind::read_only:
    case Kind::read_write:
    case Kind::idmap:
      op.path = source();
      op.recursive = chance(30);
      break;
    case Kind::move:
      draw_movable(op, state);
      op.beneath = chance(35);
      op.to = op.beneath && chance(80) ? mount_path(op.ns, state) : any_path(op.ns, state);
      break;
    case Kind::umount:
      op.path = chance(3) ? "" : chance(75) ? mount_path(op.ns, state) : random_path(1);
      op.lazy = op.path.empty() || chance(60);
      break;
    case Kind::remove_directory:
      op.path = chance(40) ? mount_path(op.ns, state) + random_path(1) : random_path(3);
      break;
    case Kind::clone_namespace:
      op.other_ns = world.namespaces().rbegin()->first + 1;
      op.new_user = chance(30);
      break;
    case Kind::pivot_root:
      draw_movable(op, state);
      op.to = chance(60) ? op.path + random_path(0) : random_path(1);
      break;
    case Kind::set_group:
      draw_set_group(op, world, state);
      break;
    default:
      if (wants_held(kind) || kind == Kind::hold) {
        draw_with_held(op, world, state);
      } else {
        draw_with_tree(op, world, state);
      }
  }
  return op;
}

void Generator::draw_with_tree(Operation& op, const World& world, const State& state) {
  if (op.kind == Kind::new_detached || op.kind == Kind::open_tree) {
    op.tree = new_number();
  } else {
    op.tree = draw_number(world.trees());
  }
  switch (op.kind) {
    case Kind::open_tree:
      op.path = chance(60) ? mount_path(op.ns, state) : random_path(0);
      op.recursive = chance(60);
      break;
    case Kind::attach:
      op.beneath = chance(25);
      op.to = op.beneath ? mount_path(op.ns, state) : any_path(op.ns, state);
      break;
    case Kind::attach_into:
      op.other_tree = draw_number(world.trees());
      op.to = chance(40) ? "" : random_path(0);
      break;
    case Kind::change_detached:
      op.path = chance(20) ? random_path(1) : "";
      op.propagation = draw_propagation();
      op.recursive = chance(40);
      break;
    case Kind::set_group_detached:
      op.path = chance(80) ? mount_path(op.ns, state) : random_path(0);
      make_private_before(op);
      break;
    default:
      break;
  }
}

/// A clone of something shared is shared, and then takes no other group.
void Generator::make_private_before(const Operation& op) {
  if (chance(20)) return;
  before_ = op;
  before_->kind = Kind::change_detached;
  before_->path.clear();
  before_->propagation = abi::ms_private;
}

void Generator::draw_with_held(Operation& op, const World& world, const State& state) {
  if (op.kind == Kind::hold) {
    op.held = new_number();
    op.path = chance(75) ? mount_path(op.ns, state) : random_path(0);
    if (chance(20)) draw_movable(op, state);
    namespace_of_held_[op.held] = op.ns;
    return;
  }
  op.held = draw_number(world.held());
  if (chance(80)) op.ns = namespace_of_held_[op.held];
  if (op.kind == Kind::open_held) op.tree = new_number();
  if (op.kind == Kind::attach_to_held) op.tree = draw_number(world.trees());
  if (op.kind == Kind::move_held) {
    op.beneath = chance(25);
    op.to = op.beneath ? mount_path(op.ns, state) : any_path(op.ns, state);
  }
  op.recursive = op.kind == Kind::open_held && chance(60);
}

/// A mount that nothing shared holds in its place. Where there is none, one is made: what it stands
/// on becomes private before.
void Generator::draw_movable(Operation& op, const State& state) {
  op.path = chance(50) ? mount_path(op.ns, state) : random_path(1);
  if (chance(25)) return;
  std::vector<std::size_t> movable;
  std::vector<std::size_t> others;
  for (const std::size_t row : uncovered(state)) {
    if (state.rows[row].depth == 0) continue;
    const Row* parent = parent_of(state, row);
    (parent != nullptr && parent->group != 0 ? others : movable).push_back(row);
  }
  const bool change_parent = movable.empty() || (!others.empty() && chance(30));
  if (change_parent && others.empty()) return;
  const std::size_t chosen = pick(change_parent ? others : movable);
  op.ns = state.rows[chosen].ns;
  op.path = as_path(state.rows[chosen].mountpoint);
  if (!change_parent) return;
  before_ = {.kind = Kind::change,
             .ns = op.ns,
             .path = as_path(parent_of(state, chosen)->mountpoint),
             .propagation = chance(50) ? abi::ms_private : abi::ms_slave};
}

/// Between two mounts that may share a group, if there are such; at times the second one has to be
/// made private before.
void Generator::draw_set_group(Operation& op, const World& world, const State& state) {
  op.other_ns = draw_namespace(world);
  op.path = random_path(0);
  op.to = random_path(0);
  if (chance(15)) return;
  std::vector<std::pair<const Row*, const Row*>> pairs;
  std::vector<std::pair<const Row*, const Row*>> others;
  const std::vector<std::size_t> rows = uncovered(state);
  for (const std::size_t from_row : rows) {
    for (const std::size_t to_row : rows) {
      const Row& from = state.rows[from_row];
      const Row& to = state.rows[to_row];
      if (from_row == to_row || !can_share_group(from, to)) continue;
      (is_propagated(to) ? others : pairs).emplace_back(&from, &to);
    }
  }
  const bool change_taker = pairs.empty() || (!others.empty() && chance(40));
  if (change_taker && others.empty()) return;
  const auto& [from, to] = pick(change_taker ? others : pairs);
  op.ns = from->ns;
  op.other_ns = to->ns;
  op.path = as_path(from->mountpoint);
  op.to = as_path(to->mountpoint);
  if (!change_taker || chance(5)) return;
  before_ = {.kind = Kind::change, .ns = to->ns, .path = op.to, .propagation = abi::ms_private};
}

}  // namespace mntcr::fuzz
