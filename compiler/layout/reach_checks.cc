// See sharing.h. What is mounted on a member of a group appears on the others where they show that
// place, so mounts that have no place in common share nothing, though they are in one group. That
// can be told of groups of the container alone: what the parent's mounts show is known to apply.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/layout/sharing.h"
#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

/// The parts of one filesystem that several mounts show, each with the number of those mounts.
class Parts {
 public:
  void add(const LayoutMount& mount) { ++counts_[place(mount)]; }

  /// Whether one of the mounts, but for `but` of them at the same place, shows what `mount` shows,
  /// or a part of it, or more.
  [[nodiscard]] bool meets(const LayoutMount& mount, std::size_t but) const {
    const std::string at = place(mount);
    const auto same = counts_.find(at);
    if (same != counts_.end() && same->second > but) return true;
    const auto below = counts_.upper_bound(at == "/" ? at : at + "/");
    if (below != counts_.end() && path::is_at_or_below(below->first, at)) return true;
    for (std::string_view above = at; above != "/";) {
      above = path::parent(above);
      if (counts_.contains(above)) return true;
    }
    return false;
  }

 private:
  static std::string place(const LayoutMount& mount) { return path::join("/", mount.root); }

  std::map<std::string, std::size_t, std::less<>> counts_;
};

/// See the top of the file.
class ReachChecker {
 public:
  ReachChecker(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics)
      : spec_(spec), layout_(layout), diagnostics_(diagnostics), groups_(layout.groups.size()) {
    for (std::uint32_t index = 0; index < groups_.size(); ++index) {
      const std::uint32_t master = layout.groups[index].master;
      if (master != no_index) groups_[master].slave_groups.push_back(index);
    }
    for (const LayoutMount& mount : layout.mounts) enter(mount);
  }

  void check() {
    std::set<std::uint32_t> told;  // groups about whose slaves there was a complaint
    for (const LayoutMount& mount : layout_.mounts) {
      const bool slave = mount.master != no_index && mount.group == no_index;
      if (!slave || !is_declared(mount) || receives(mount, mount.master, 0)) continue;
      report_slave(mount);
      told.insert(mount.master);
    }
    for (const LayoutMount& mount : layout_.mounts) {
      const bool member = mount.group != no_index && !told.contains(mount.group);
      if (member && is_declared(mount)) check_member(mount);
    }
  }

 private:
  struct Group {
    Parts members;
    Parts slaves;          ///< those that are in no group
    std::size_t size = 0;  ///< of both
    const LayoutMount* first = nullptr;
    std::vector<std::uint32_t> slave_groups;
  };

  void enter(const LayoutMount& mount) {
    const bool member = mount.group != no_index;
    if (!member && mount.master == no_index) return;
    Group& group = groups_[member ? mount.group : mount.master];
    (member ? group.members : group.slaves).add(mount);
    ++group.size;
    if (member && group.first == nullptr) group.first = &mount;
  }

  /// Whether somebody wrote it, here, as what shall be: not a copy, nor a record of what was found.
  [[nodiscard]] bool is_declared(const LayoutMount& mount) const {
    const Span span = mount.propagation_span;
    return mount.implied == Implied::no && mount.decl != no_index &&
           !spec_.mounts[mount.decl].listed_all && span.known() && span.file == 0;
  }

  /// Whether something on a member of `group`, or of its masters, has a place on `mount`.
  [[nodiscard]] bool receives(const LayoutMount& mount, std::uint32_t group,
                              std::size_t but) const {
    for (; group != no_index; group = layout_.groups[group].master, but = 0) {
      if (!layout_.groups[group].parent.empty()) return true;
      if (groups_[group].members.meets(mount, but)) return true;
    }
    return false;
  }

  /// Whether something on `mount` has a place on a slave of `group`, or of its slaves.
  [[nodiscard]] bool hands_on(const LayoutMount& mount, std::uint32_t group) const {
    std::vector<std::uint32_t> left = {group};
    while (!left.empty()) {
      const Group& next = groups_[left.back()];
      const bool met =
          next.slaves.meets(mount, 0) || (left.back() != group && next.members.meets(mount, 0));
      if (met) return true;
      left.pop_back();
      left.insert(left.end(), next.slave_groups.begin(), next.slave_groups.end());
    }
    return false;
  }

  void check_member(const LayoutMount& mount) {
    const Group& group = groups_[mount.group];
    const bool alone = group.size == 1 && group.slave_groups.empty() && mount.master == no_index;
    if (!alone && !receives(mount, mount.group, 1) && !hands_on(mount, mount.group))
      report(Code::W0274, "this mount has no place in common with others of its group", mount,
             mount.group);
  }

  void report_slave(const LayoutMount& mount) {
    report(Code::W0273, "this slave shows nothing that a member of its group shows", mount,
           mount.master);
  }

  void report(Code code, std::string message, const LayoutMount& mount, std::uint32_t group) {
    Diagnostic& item = diagnostics_.add(code, mount.propagation_span, std::move(message))
                           .label(mount.source_span, "this is what it shows");
    const LayoutMount* first = groups_[group].first;
    if (first != nullptr && first != &mount)
      item.label(first->source_span, "and this a member of the group");
    item.note("what is mounted on one appears on another where that shows the same directory")
        .help("show a directory that lies above what the others show, or take the group away");
  }

  const spec::Spec& spec_;
  const Layout& layout_;
  Diagnostics& diagnostics_;
  std::vector<Group> groups_;
};

}  // namespace

void check_reach(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics) {
  ReachChecker(spec, layout, diagnostics).check();
}

}  // namespace mntcr::layout
