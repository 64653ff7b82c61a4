#include "tests/kernel/fuzz/observe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string_view>
#include <utility>

#include "runtime/kernel/linux_abi.h"

namespace mntcr::fuzz {
namespace {

constexpr std::uint64_t mount_attr_rdonly = 1;

/// How many mounts of a namespace are compared; a sequence that has more ends.
constexpr std::size_t most_mounts = 8192;

constexpr unsigned bits_of_minor = 32;

/// Numbers in order of appearance, from 1; 0 stays 0.
class Renaming {
 public:
  std::size_t operator()(std::uint64_t number) {
    if (number == 0) return 0;
    return names_.try_emplace(number, names_.size() + 1).first->second;
  }

 private:
  std::unordered_map<std::uint64_t, std::size_t> names_;
};

/// Positions in `mounts` and their depths, parents first and siblings by mountpoint.
template <class Mounts>
std::vector<std::pair<std::size_t, unsigned>> tree_order(const Mounts& mounts) {
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> children;
  std::unordered_map<std::uint64_t, std::size_t> position;
  for (std::size_t i = 0; i < mounts.size(); ++i) position.emplace(mounts[i].status.id, i);
  std::vector<std::pair<std::size_t, unsigned>> waiting;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (position.contains(mounts[i].status.parent_id)) {
      children[mounts[i].status.parent_id].push_back(i);
    } else {
      waiting.emplace_back(i, 0);
    }
  }
  std::vector<std::pair<std::size_t, unsigned>> order;
  while (!waiting.empty()) {
    const auto [at, depth] = waiting.back();
    waiting.pop_back();
    order.emplace_back(at, depth);
    const auto below = children.find(mounts[at].status.id);
    if (below == children.end()) continue;
    std::ranges::sort(below->second, std::greater{},
                      [&](std::size_t i) -> const auto& { return mounts[i].status.mountpoint; });
    for (const std::size_t child : below->second) waiting.emplace_back(child, depth + 1);
  }
  return order;
}

void mix(std::uint64_t& sum, std::uint64_t value) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
  constexpr unsigned shift = 29;
  sum = (sum ^ value) * factor;
  sum ^= sum >> shift;
}

/// Groups by the machine's numbers, as the state's rows name them.
std::unordered_map<std::uint64_t, std::size_t> group_names(const State& state) {
  std::unordered_map<std::uint64_t, std::size_t> names;
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    names.emplace(state.identities[i].group, state.rows[i].group);
    names.emplace(state.identities[i].master, state.rows[i].master);
  }
  return names;
}

}  // namespace

std::string to_line(const Row& row) {
  std::string line = fmt::format("ns{} {} {} sb{}:{}", row.ns, row.depth, row.mountpoint,
                                 row.superblock, row.root);
  if (row.group != 0) line += fmt::format(" shared:{}", row.group);
  if (row.master != 0) line += fmt::format(" master:{}", row.master);
  if (row.unbindable) line += " unbindable";
  if (row.read_only) line += " ro";
  if (row.idmapped) line += " idmapped";
  return line;
}

std::string differences(const State& left, const State& right) {
  std::string text;
  if (left.error != right.error)
    text += fmt::format("reading fails with {} and {}\n", left.error, right.error);
  const auto only = [&](const State& here, const State& there, char mark) {
    constexpr int most_lines = 20;
    int lines = 0;
    for (const Row& row : here.rows) {
      if (lines == most_lines || std::ranges::find(there.rows, row) != there.rows.end()) continue;
      text += fmt::format("{} {}\n", mark, to_line(row));
      ++lines;
    }
  };
  only(left, right, '-');
  only(right, left, '+');
  return text;
}

std::uint64_t digest(const State& state) {
  std::uint64_t sum = static_cast<std::uint64_t>(state.error) + 1;
  const std::hash<std::string> hash;
  for (const Row& row : state.rows) {
    mix(sum, row.ns);
    mix(sum, row.depth);
    mix(sum, hash(row.mountpoint));
    mix(sum, row.superblock);
    mix(sum, hash(row.root));
    mix(sum, row.group);
    mix(sum, row.master);
    mix(sum, (row.idmapped ? 4U : 0U) + (row.unbindable ? 2U : 0U) + (row.read_only ? 1U : 0U));
  }
  return sum;
}

Observer::Observer(Kernel& kernel) : kernel_(kernel), ids_(most_mounts) {}

State Observer::observe(const World& world) {
  State state;
  Renaming superblock;
  Renaming group;
  for (const auto& [number, ns] : world.namespaces()) {
    const auto mounts = read_namespace(ns.id);
    if (!mounts) {
      state.error = mounts.error().number;
      return state;
    }
    for (const auto& [at, depth] : tree_order(*mounts)) {
      const MountStatus& status = (*mounts)[at].status;
      const Constant& constant = *(*mounts)[at].constant;
      state.rows.push_back({.ns = number,
                            .depth = depth,
                            .mountpoint = status.mountpoint,
                            .superblock = superblock(constant.superblock),
                            .root = constant.root,
                            .group = group(status.peer_group),
                            .master = group(status.master),
                            .unbindable = (status.propagation & abi::ms_unbindable) != 0,
                            .read_only = (status.attrs & mount_attr_rdonly) != 0,
                            .idmapped = (status.attrs & abi::mount_attr_idmap) != 0});
      state.identities.push_back({status.id, status.parent_id, status.peer_group, status.master});
    }
  }
  return state;
}

std::string Observer::look_inside(World& world, const State& state) {
  const auto names = group_names(state);
  constexpr std::string_view key = " propagate_from:";
  constexpr std::size_t mountpoint_field = 4;
  std::vector<std::string> found;
  for (const auto& [number, ns] : world.namespaces()) {
    const auto text = world.mountinfo(number);
    if (!text) return text.error().message;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t at = line.find(key);
      if (at == std::string::npos) continue;
      const auto name = names.find(std::strtoull(line.c_str() + at + key.size(), nullptr, 10));
      std::istringstream fields(line);
      std::string mountpoint;
      for (std::size_t field = 0; field <= mountpoint_field; ++field) fields >> mountpoint;
      found.push_back(fmt::format("ns{} {} from:{}\n", number, mountpoint,
                                  name == names.end() ? 0 : name->second));
    }
  }
  std::ranges::sort(found);
  return fmt::format("{}", fmt::join(found, ""));
}

Result<std::vector<Observer::Mount>> Observer::read_namespace(std::uint64_t ns) {
  const auto count = kernel_.listmount(ns, Kernel::lsmt_root, 0, ids_);
  if (!count) return Failure(count.error());
  // Which of them are listed first is the machine's affair.
  if (*count == ids_.size()) return fail("too many mounts to compare", E2BIG);
  std::vector<Mount> mounts;
  mounts.reserve(*count);
  for (std::size_t i = 0; i < *count; ++i) {
    auto mount = read_mount(ids_[i], ns);
    if (!mount) return Failure(mount.error());
    mounts.push_back(std::move(*mount));
  }
  return mounts;
}

Result<Observer::Mount> Observer::read_mount(std::uint64_t id, std::uint64_t ns) {
  const auto known = constant_.find(id);
  const auto part = known == constant_.end() ? StatmountPart::everything : StatmountPart::placement;
  auto status = kernel_.statmount(id, ns, part);
  if (!status) return Failure(status.error());
  if (known != constant_.end()) return Mount{std::move(*status), &known->second};
  const std::uint64_t superblock =
      (std::uint64_t{status->dev_major} << bits_of_minor) + status->dev_minor;
  const auto& entry = *constant_.emplace(id, Constant{status->root, superblock}).first;
  return Mount{std::move(*status), &entry.second};
}

}  // namespace mntcr::fuzz
