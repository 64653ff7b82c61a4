// See copies.h. The kernel would have made a copy when the mount was attached, one by one; here
// there is no order, so the set of copies is looked for that leaves itself as it is: with these
// copies in the tree, what its mounts imply are these copies. A mount has no copies on what lies on
// it or on a copy of it, as that cannot have stood before it.
#include "compiler/layout/copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "compiler/layout/forest.h"
#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

/// More than this a mount namespace does not hold (fs.mount-max).
constexpr std::size_t max_mounts = 100'000;

/// How many copies of so many mounts have an end: where no copy brings about others each mount has
/// one on each other mount at most, and this leaves room for those that do.
constexpr std::size_t max_copies(std::size_t mounts) {
  constexpr std::size_t room = 10'000;
  return mounts > max_mounts ? 0 : std::min(max_mounts - mounts, room + mounts * mounts);
}

/// Looks for the copies of one Layout.
class CopyFinder {
 public:
  CopyFinder(const spec::Spec& spec, Layout& layout, Diagnostics& diagnostics)
      : spec_(spec), layout_(layout), diagnostics_(diagnostics), forest_(spec, layout) {}

  void run() {
    if (!implies_any()) return;
    std::set<std::vector<Copy>> seen;
    for (;;) {
      const bool moved = forest_.rebuild(copies_);
      std::vector<Copy> next = find();
      if (too_many_) return report_endless();
      if (next == copies_ && !moved) break;
      if (!moved && !seen.insert(next).second) return report_unsettled();
      if (++rounds_ > max_rounds) return report_endless();
      if (!found_conflicts_.empty()) conflicts_ = found_conflicts_;
      copies_ = std::move(next);
    }
    conflicts_ = found_conflicts_;
    report_conflicts();
    if (!copies_.empty() && conflicts_.empty()) write();
  }

 private:
  /// Two mounts that peers have at one place.
  using Conflict = std::pair<MountId, MountId>;
  /// A part of the way from the group of a mount's parent down to slaves.
  struct Step {
    std::uint32_t group = 0;
    bool own = false;                 ///< the group of the parent itself
    std::uint32_t copies = no_index;  ///< the group of the copies at the group above
  };
  /// The mount that is spread: where it lies, and with what.
  struct Spread {
    MountId given = 0;
    std::uint32_t parent = 0;  ///< node
    std::string place;
    std::uint32_t group = no_index;
    std::uint32_t master = no_index;
  };
  static constexpr std::size_t max_rounds = 4096;

  /// Whether what lies on the mount's parent has copies by its entry.
  [[nodiscard]] bool propagates(MountId given) const {
    const LayoutMount& mount = layout_.mounts[given];
    if (mount.parent == no_index || mount.unbindable || mount.decl == no_index) return false;
    const spec::MountDecl& decl = spec_.mounts[mount.decl];
    return decl.propagate && !decl.listed_all;
  }

  [[nodiscard]] bool implies_any() const {
    for (MountId given = 0; given < layout_.mounts.size(); ++given) {
      if (propagates(given) && layout_.mounts[layout_.mounts[given].parent].group != no_index)
        return true;
    }
    return false;
  }

  std::vector<Copy> find() {
    found_.clear();
    found_conflicts_.clear();
    at_place_.clear();
    for (MountId given = 0; given < layout_.mounts.size() && !too_many_; ++given) {
      const Node& node = forest_.nodes()[given];
      if (!propagates(given) || forest_.nodes()[node.parent].group == no_index) continue;
      const Node& parent = forest_.nodes()[node.parent];
      spread(
          {given, node.parent, forest_.place_in(parent, node.mountpoint), node.group, node.master});
    }
    std::ranges::sort(found_);
    drop_orphans();
    return std::move(found_);
  }

  /// Copies whose receiver is no more.
  void drop_orphans() {
    std::set<MountId> standing;
    std::erase_if(found_, [&](const Copy& copy) {
      const bool stands = copy.receiver < layout_.mounts.size() || standing.contains(copy.receiver);
      if (stands) standing.insert(copy.id);
      return !stands;
    });
  }

  /// Finds the copies of one mount: at the peers of its parent, then down from slave to slave.
  void spread(const Spread& from) {
    const std::uint32_t own = forest_.nodes()[from.parent].group;
    std::vector<Step> pending = {{own, true, from.group}};
    while (!pending.empty() && !too_many_) {
      const Step step = pending.back();
      pending.pop_back();
      const auto members = receivers(from, forest_.members(step.group));
      const std::uint32_t copies = step.own ? from.group : group_of_copies(from, step, members);
      const std::uint32_t master = step.own || from.group == no_index ? from.master : step.copies;
      for (const std::uint32_t member : members) add(from, step.own, member, copies, master);
      const bool enslaves = from.group != no_index;
      for (const std::uint32_t slave : receivers(from, forest_.slaves(step.group)))
        add(from, false, slave, no_index, enslaves ? copies : from.master);
      for (const std::uint32_t group : forest_.slave_groups(step.group))
        pending.push_back({group, false, copies});
    }
  }

  /// Those that show the place where the mount lies and that can have stood before it.
  [[nodiscard]] std::vector<std::uint32_t> receivers(const Spread& from,
                                                     std::span<const std::uint32_t> nodes) const {
    std::vector<std::uint32_t> result;
    for (const std::uint32_t node : nodes) {
      const std::string root = forest_.place_in(forest_.nodes()[node], "");
      if (node != from.parent && path::is_at_or_below(from.place, root) &&
          !forest_.comes_after(node, from.given))
        result.push_back(node);
    }
    return result;
  }

  /// The group of the copies at members of a slave group: that of one that is listed there, else a
  /// new one. Where no member shows the place it is that of the group above.
  std::uint32_t group_of_copies(const Spread& from, const Step& step,
                                const std::vector<std::uint32_t>& members) {
    if (from.group == no_index) return no_index;
    if (members.empty()) return step.copies;
    for (const std::uint32_t member : members) {
      const auto listed = find_listed(from, member);
      if (!listed) continue;
      const Node& node = forest_.nodes()[*listed];
      if (node.group != no_index && node.master == step.copies) return node.group;
    }
    const auto next = static_cast<std::uint32_t>(layout_.groups.size() + groups_.size());
    return groups_.try_emplace({from.given, step.group}, next).first->second;
  }

  [[nodiscard]] std::string mountpoint_at(const Spread& from, std::uint32_t receiver) const {
    return path::relative_to(from.place, forest_.place_in(forest_.nodes()[receiver], ""));
  }

  /// A mount of the Layout that stands where the copy would, and shows the same: it is the copy.
  [[nodiscard]] std::optional<std::uint32_t> find_listed(const Spread& from,
                                                         std::uint32_t receiver) const {
    const Node& own = forest_.nodes()[from.given];
    auto at = forest_.child(receiver, mountpoint_at(from, receiver));
    for (; at; at = forest_.child(*at, "")) {
      const Node& node = forest_.nodes()[*at];
      if (!node.is_copy() && node.superblock == own.superblock && node.root == own.root) return at;
    }
    return std::nullopt;
  }

  void add(const Spread& from, bool peer, std::uint32_t receiver, std::uint32_t group,
           std::uint32_t master) {
    if (find_listed(from, receiver)) return;
    const std::string mountpoint = mountpoint_at(from, receiver);
    if (peer) note_conflict(from, receiver, mountpoint);
    const Node& node = forest_.nodes()[receiver];
    const Node& own = forest_.nodes()[from.given];
    if (!at_place_.emplace(receiver, mountpoint, own.superblock, own.root).second) return;
    const auto next = static_cast<MountId>(layout_.mounts.size() + ids_.size());
    const MountId id = ids_.try_emplace({from.given, node.id}, next).first->second;
    found_.push_back(
        {id, from.given, node.id, node.ns, path::join(node.target, mountpoint), group, master});
    if (found_.size() > max_copies(layout_.mounts.size())) too_many_ = from.given;
  }

  void note_conflict(const Spread& from, std::uint32_t receiver, const std::string& mountpoint) {
    const auto other = forest_.child(receiver, mountpoint);
    if (!other || forest_.nodes()[*other].is_copy() || !propagates(*other)) return;
    found_conflicts_.insert(std::minmax(from.given, *other));
  }

  void report_conflicts() {
    for (const auto& [first, second] : conflicts_) {
      const LayoutMount& mount = layout_.mounts[second];
      diagnostics_
          .add(Code::E0281, mount.target_span,
               fmt::format("{} and {} are one place of two peers",
                           path::printable(layout_.mounts[first].target),
                           path::printable(mount.target)))
          .label(layout_.mounts[first].target_span, "another mount is declared for it here")
          .label(layout_.mounts[mount.parent].propagation_span, "the second lies on this")
          .note("each of both would also appear where the other is")
          .help("write propagate = false in those that were there before the group was");
    }
  }

  /// The copies change for ever. Where peers have two mounts at one place, that is why.
  void report_unsettled() {
    if (conflicts_.empty()) conflicts_ = found_conflicts_;
    if (conflicts_.empty()) return report_endless();
    report_conflicts();
  }

  void report_endless() {
    const MountId given = too_many_.value_or(copies_.empty() ? 0 : copies_.front().given);
    const LayoutMount& mount = layout_.mounts[given];
    Diagnostic& diagnostic = diagnostics_.add(
        Code::E0282, mount.target_span,
        fmt::format("there is no end of the copies of {}", path::printable(mount.target)));
    if (mount.parent != no_index)
      diagnostic.label(layout_.mounts[mount.parent].propagation_span, "it lies on this");
    diagnostic.note("mounts of a group that lie on others of it bring about copies of each other")
        .help("write propagate = false in mounts that were there before the group was");
  }

  void write();
  void write_groups();
  [[nodiscard]] LayoutMount write_mount(const Node& node) const;

  const spec::Spec& spec_;
  Layout& layout_;
  Diagnostics& diagnostics_;
  Forest forest_;
  std::vector<Copy> copies_;
  std::set<Conflict> conflicts_;                        ///< of the last round that had any
  std::map<std::pair<MountId, MountId>, MountId> ids_;  ///< given, receiver
  std::map<std::pair<MountId, std::uint32_t>, std::uint32_t> groups_;  ///< given, slave group
  std::size_t rounds_ = 0;
  std::optional<MountId> too_many_;
  // Of the round that runs.
  std::vector<Copy> found_;
  std::set<Conflict> found_conflicts_;
  std::set<std::tuple<std::uint32_t, std::string, std::uint32_t, std::string>> at_place_;
  // While the result is written: new groups by their numbers.
  std::map<std::uint32_t, std::uint32_t> written_;
};

LayoutMount CopyFinder::write_mount(const Node& node) const {
  LayoutMount mount = layout_.mounts[node.given];
  mount.superblock = node.superblock;
  mount.root = node.root;
  if (!node.is_copy()) return mount;
  mount.target = node.target;
  mount.name.clear();
  mount.self.clear();
  mount.on = false;
  mount.of = no_index;
  mount.ns = node.ns;
  mount.implied = Implied::sharing;
  const auto number = [&](std::uint32_t group) {
    const auto fresh = written_.find(group);
    return fresh == written_.end() ? group : fresh->second;
  };
  mount.group = number(node.group);
  mount.master = number(node.master);
  return mount;
}

/// Adds the groups that copies are in, masters first.
void CopyFinder::write_groups() {
  std::map<std::uint32_t, const Node*> fresh;
  for (const Node& node : forest_.nodes()) {
    if (node.is_copy() && node.group != no_index && node.group >= layout_.groups.size())
      fresh.emplace(node.group, &node);
  }
  for (const auto& [number, node] : fresh) {
    std::vector<const Node*> line;
    for (auto at = fresh.find(number); at != fresh.end() && !written_.contains(at->first);
         at = fresh.find(at->second->master))
      line.push_back(at->second);
    for (; !line.empty(); line.pop_back()) {
      const Node& first = *line.back();
      const auto master = written_.find(first.master);
      written_.emplace(first.group, static_cast<std::uint32_t>(layout_.groups.size()));
      layout_.groups.push_back({.name = {},
                                .master = master == written_.end() ? first.master : master->second,
                                .parent = {},
                                .exact = false,
                                .span = layout_.mounts[first.given].propagation_span});
    }
  }
}

void CopyFinder::write() {
  write_groups();
  const std::vector<std::uint32_t> order = forest_.tree_order();
  std::vector<std::uint32_t> written(order.size(), no_index);
  std::vector<LayoutMount> mounts;
  for (const std::uint32_t at : order) {
    const Node& node = forest_.nodes()[at];
    written[at] = static_cast<std::uint32_t>(mounts.size());
    LayoutMount& mount = mounts.emplace_back(write_mount(node));
    mount.parent = node.parent == no_index ? no_index : written[node.parent];
    mount.mountpoint = node.mountpoint;
  }
  for (LayoutMount& mount : mounts) {
    if (mount.of != no_index) mount.of = written[mount.of];
  }
  for (DesiredNode& node : layout_.nodes) {
    if (node.of != no_index) node.of = written[node.of];
  }
  layout_.mounts = std::move(mounts);
}

}  // namespace

void add_copies(const spec::Spec& spec, Layout& layout, Diagnostics& diagnostics) {
  CopyFinder(spec, layout, diagnostics).run();
}

}  // namespace mntcr::layout
