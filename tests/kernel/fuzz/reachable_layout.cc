#include "tests/kernel/fuzz/reachable_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/mount_options.h"
#include "runtime/kernel/model/model_kernel.h"
#include "tests/kernel/fuzz/fuzz_run.h"
#include "tests/kernel/fuzz/model_machine.h"
#include "tests/kernel/fuzz/observe.h"
#include "tests/unit/planner/layouts.h"

namespace mntcr::fuzz {
namespace {

constexpr std::size_t most_mounts = 400;
constexpr std::size_t shortest = 14;
constexpr std::size_t longest = 40;

/// The model's user namespace of the fuzzer (machine.cc).
const IdMap fuzz_idmap{{{0, 100000, 65536}}, {{0, 100000, 65536}}};

using Verdict = std::optional<Obstacle>;

/// Reads the mounts of namespaces into a Layout.
class Reader {
 public:
  explicit Reader(Layout& layout) : layout_(layout) {}

  Verdict read(const model::MountModel& state, std::span<const std::uint64_t> namespaces) {
    layout_.name = "reached";
    layout_.namespaces.clear();
    for (const std::uint64_t id : namespaces) {
      const model::Namespace* ns = state.find_namespace(id);
      if (ns == nullptr || ns->root->children.size() != 1) return Obstacle::no_root;
      if (model::tree_of(*ns->root).size() + layout_.mounts.size() > most_mounts)
        return Obstacle::too_many;
      layout_.namespaces.push_back(
          {layout_.namespaces.empty() ? main_namespace : fmt::format("ns{}", id), no_index, {}});
      if (Verdict verdict = read_tree(*ns->root->children.begin()->second)) return verdict;
    }
    return read_groups();
  }

 private:
  /// Depth first, siblings by the bytes of their mountpoints.
  Verdict read_tree(const model::Mount& root) {
    std::vector<std::pair<const model::Mount*, std::uint32_t>> todo{{&root, no_index}};
    while (!todo.empty()) {
      const auto [mount, parent] = todo.back();
      todo.pop_back();
      if (mount->locked) return Obstacle::locked;
      if (is_deleted(*mount->root)) return Obstacle::deleted_root;
      const auto index = static_cast<std::uint32_t>(layout_.mounts.size());
      add(*mount, parent);
      std::map<std::string, const model::Mount*> children;
      for (const auto& [inode, child] : mount->children)
        children.emplace(model::mountpoint_below_parent(*child), child);
      for (auto child = children.rbegin(); child != children.rend(); ++child)
        todo.emplace_back(child->second, index);
    }
    return std::nullopt;
  }

  static bool is_deleted(const model::Inode& inode) {
    for (const model::Inode* at = &inode; at != nullptr; at = at->parent) {
      if (at->deleted) return true;
    }
    return false;
  }

  void add(const model::Mount& mount, std::uint32_t parent) {
    const std::uint32_t superblock = superblock_of(mount);
    const std::string root = model::path_in_filesystem(*mount.root).substr(1);
    if (mount.root->kind == model::InodeKind::file) add_file(superblock, root);
    LayoutMount& added = test::add_mount(
        layout_, parent, superblock,
        parent == no_index ? std::string{} : model::mountpoint_below_parent(mount), root);
    added.attrs = {mount.attrs & mount_attr::rdonly, mount_attr::rdonly};
    added.unbindable = mount.unbindable;
    if (!mount.idmap) return;
    if (layout_.idmaps.empty()) layout_.idmaps.push_back(fuzz_idmap);
    added.idmap = 0;
  }

  std::uint32_t superblock_of(const model::Mount& mount) {
    const auto next = static_cast<std::uint32_t>(layout_.superblocks.size());
    const auto [known, is_new] = superblocks_.emplace(mount.superblock.get(), next);
    if (is_new) layout_.superblocks.push_back(test::made("tmpfs"));
    sources_.push_back(&mount);
    return known->second;
  }

  /// A file that mounts show has to be there before them.
  void add_file(std::uint32_t superblock, const std::string& path) {
    constexpr std::uint32_t file_mode = 0644;
    if (!files_.emplace(superblock, path).second) return;
    layout_.nodes.push_back(
        {.superblock = superblock, .kind = NodeKind::file, .mode = file_mode, .path = path});
  }

  /// Those with members, masters before their slaves.
  Verdict read_groups() {
    std::ranges::sort(layout_.nodes, {}, [](const DesiredNode& node) {
      return std::pair(node.superblock, node.path);
    });
    for (const model::Mount* mount : sources_) {
      if (mount->group != nullptr) masters_.emplace(mount->group, model::master_group(*mount));
    }
    for (const auto& [group, master] : masters_) {
      if (!number(group)) return Obstacle::memberless;
    }
    for (std::size_t index = 0; index < sources_.size(); ++index) {
      const model::Mount& mount = *sources_[index];
      const model::PeerGroup* master = model::master_group(mount);
      if (master != nullptr && !numbers_.contains(master)) return Obstacle::memberless;
      if (mount.group != nullptr) layout_.mounts[index].group = numbers_.at(mount.group);
      if (master != nullptr) layout_.mounts[index].master = numbers_.at(master);
    }
    return std::nullopt;
  }

  /// Gives the group a number, and before it the groups above it; false where one has no member.
  bool number(const model::PeerGroup* group) {
    std::vector<const model::PeerGroup*> chain;
    while (group != nullptr && !numbers_.contains(group)) {
      if (!masters_.contains(group)) return false;
      chain.push_back(group);
      group = masters_.at(group);
    }
    for (; !chain.empty(); chain.pop_back()) {
      const model::PeerGroup* master = masters_.at(chain.back());
      const std::uint32_t above = master == nullptr ? no_index : numbers_.at(master);
      const std::string name = fmt::format("g{}", layout_.groups.size());
      numbers_.emplace(chain.back(), test::add_group(layout_, name, above));
    }
    return true;
  }

  Layout& layout_;
  std::vector<const model::Mount*> sources_;  ///< of Layout::mounts
  std::map<const model::Superblock*, std::uint32_t> superblocks_;
  std::set<std::pair<std::uint32_t, std::string>> files_;
  std::map<const model::PeerGroup*, const model::PeerGroup*> masters_;  ///< of groups with members
  std::map<const model::PeerGroup*, std::uint32_t> numbers_;
};

/// Closes what is in no namespace: a detached tree's members would be in no Layout.
void let_go(World& world) {
  while (!world.trees().empty()) {
    const unsigned tree = world.trees().begin()->first;
    static_cast<void>(world.perform({.kind = Kind::close, .tree = tree}));
  }
  while (!world.held().empty()) {
    const unsigned held = world.held().begin()->first;
    static_cast<void>(world.perform({.kind = Kind::release, .held = held}));
  }
}

}  // namespace

std::expected<Layout, Obstacle> layout_of(const model::MountModel& state,
                                          std::span<const std::uint64_t> namespaces) {
  Layout layout{.name = {}, .superblocks = {}, .mounts = {}, .filesystem_names = {}};
  if (const Verdict verdict = Reader(layout).read(state, namespaces))
    return std::unexpected(*verdict);
  return layout;
}

std::expected<Layout, Obstacle> reach_layout(std::uint64_t seed) {
  const auto machine = make_model_machine();
  if (!machine) return std::unexpected(Obstacle::machine);
  auto world = World::make(**machine);
  if (!world) return std::unexpected(Obstacle::machine);
  Generator generator = generator_of(seed);
  Observer observer((*machine)->kernel());
  for (std::size_t left = shortest + seed % (longest - shortest + 1); left > 0; --left) {
    const State state = observer.observe(*world);
    if (state.error == E2BIG) return std::unexpected(Obstacle::too_many);
    if (state.error != 0) return std::unexpected(Obstacle::machine);
    if (state.rows.size() > most_mounts) return std::unexpected(Obstacle::too_many);
    const Operation operation = generator.next(*world, state);
    static_cast<void>(world->perform(operation));
    if (operation.kind == Kind::remove_directory) observer.forget();
  }
  let_go(*world);
  std::vector<std::uint64_t> ids;
  for (const auto& [number, ns] : world->namespaces()) ids.push_back(ns.id);
  auto* kernel = dynamic_cast<ModelKernel*>(&(*machine)->kernel());
  if (kernel == nullptr) return std::unexpected(Obstacle::machine);
  return layout_of(kernel->state(), ids);
}

Layout ReachableLayouts::next() {
  for (;;) {
    std::expected<Layout, Obstacle> layout = reach_layout(next_++);
    if (layout) return std::move(*layout);
    ++passed_over_.at(static_cast<std::size_t>(layout.error()));
  }
}

std::string ReachableLayouts::text() const {
  const auto count = [&](Obstacle why) { return passed_over_.at(static_cast<std::size_t>(why)); };
  return fmt::format(
      "passed over: {} with locked mounts, {} with deleted roots, {} with a memberless master, "
      "{} with too many mounts, {} without a root, {} by failures of the model\n",
      count(Obstacle::locked), count(Obstacle::deleted_root), count(Obstacle::memberless),
      count(Obstacle::too_many), count(Obstacle::no_root), count(Obstacle::machine));
}

}  // namespace mntcr::fuzz
