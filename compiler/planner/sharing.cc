#include "compiler/planner/sharing.h"

namespace mntcr {

Sharing::Sharing(const Layout& layout, const Survey& survey, Anchors& anchors, Steps& steps)
    : layout_(layout),
      survey_(survey),
      anchors_(anchors),
      steps_(steps),
      groups_(layout.groups.size()) {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    const GroupUse& use = survey.groups[index];
    groups_[index].waiting = use.members + use.slave_helpers + use.slave_groups;
    groups_[index].span = layout.groups[index].span;
  }
  for (const auto& [key, count] : survey.slaves)
    slaves_[key] = {no_slot, count, layout.groups[key.first].span};
}

void Sharing::open_groups() {
  for (std::uint32_t index = 0; index < groups_.size(); ++index) {
    if (!is_crossing(layout_.groups[index]) || groups_[index].waiting == 0) continue;
    Op& op = steps_.emit(OpKind::open_group, groups_[index].span);
    op.dst = groups_[index].slot = steps_.new_slot();
    op.b = index;
  }
}

void Sharing::prepare(std::uint32_t mount) { static_cast<void>(giver_of(mount)); }

void Sharing::give(std::uint32_t index, Slot slot) {
  const LayoutMount& mount = layout_.mounts[index];
  const Span span = mount.propagation_span;
  if (mount.unbindable) set(slot, Propagation::unbindable, span, index);
  if (Giver* giver = giver_of(index)) {
    take(*giver, slot, span, index);
  } else if (mount.group != no_index) {
    set(slot, Propagation::shared, span, index);
  }
}

/// Nothing for a mount that has no group, or is alone in one.
Sharing::Giver* Sharing::giver_of(std::uint32_t index) {
  const LayoutMount& mount = layout_.mounts[index];
  if (mount.group != no_index) {
    const std::uint32_t group = mount.group;
    if (is_alone(layout_.groups[group], survey_.groups[group])) return nullptr;
    return &helper_of(group, index);
  }
  if (mount.master == no_index) return nullptr;
  return &slave_helper_of({mount.master, mount.superblock}, index);
}

/// Those of its masters come first. Not recursive: a chain may be as long as the spec.
Sharing::Giver& Sharing::helper_of(std::uint32_t group, std::uint32_t mount) {
  std::vector<std::uint32_t> missing;
  for (std::uint32_t above = group; above != no_index && groups_[above].slot == no_slot;
       above = layout_.groups[above].master)
    missing.push_back(above);
  for (; !missing.empty(); missing.pop_back()) make_helper(missing.back(), mount);
  return groups_[group];
}

void Sharing::make_helper(std::uint32_t group, std::uint32_t mount) {
  Giver& helper = groups_[group];
  helper.slot = clone_anchor(survey_.groups[group].superblock, helper.span, mount);
  if (const std::uint32_t master = layout_.groups[group].master; master != no_index) {
    take(groups_[master], helper.slot, helper.span, mount);
    set(helper.slot, Propagation::slave, helper.span, mount);
  }
  set(helper.slot, Propagation::shared, helper.span, mount);
}

Sharing::Giver& Sharing::slave_helper_of(const SlaveKey& key, std::uint32_t mount) {
  Giver& helper = slaves_[key];
  if (helper.slot != no_slot) return helper;
  Giver& master = helper_of(key.first, mount);
  helper.slot = clone_anchor(key.second, helper.span, mount);
  take(master, helper.slot, helper.span, mount);
  set(helper.slot, Propagation::slave, helper.span, mount);
  return helper;
}

Slot Sharing::clone_anchor(std::uint32_t superblock, Span span, std::uint32_t mount) {
  const Slot anchor = anchors_.at(superblock);
  Op& op = steps_.emit(OpKind::clone, span, mount);
  op.dst = steps_.new_slot();
  op.a = anchor;
  return op.dst;
}

void Sharing::set(Slot slot, Propagation propagation, Span span, std::uint32_t mount) {
  Op& op = steps_.emit(OpKind::set_propagation, span, mount);
  op.a = slot;
  op.b = static_cast<std::uint32_t>(propagation);
}

void Sharing::take(Giver& giver, Slot to, Span span, std::uint32_t mount) {
  Op& op = steps_.emit(OpKind::set_group, span, mount);
  op.a = giver.slot;
  op.b = to;
  if (--giver.waiting == 0) steps_.emit(OpKind::close, giver.span).a = giver.slot;
}

}  // namespace mntcr
