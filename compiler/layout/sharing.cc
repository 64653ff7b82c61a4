// See sharing.h. Groups are drafted in the order in which the mounts of the tree come to them, then
// checked, then written down, masters first.
#include "compiler/layout/sharing.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <utility>

#include "compiler/spec/groups.h"

namespace mntcr::layout {
namespace {

/// What a `propagation` calls a group: a name, the parent's group at a path, or that of one entry.
struct GroupKey {
  enum class Kind : std::uint8_t { named, parents, own };
  Kind kind{};
  std::string text;
  std::uint32_t decl = 0;
  auto operator<=>(const GroupKey&) const = default;
};

/// Drafts the groups of one Layout.
class Drafter {
 public:
  Drafter(const spec::Spec& spec, Layout& layout, Diagnostics& diagnostics)
      : spec_(spec), layout_(layout), diagnostics_(diagnostics) {
    for (const spec::GroupDecl& group : spec.groups) declared_.emplace(group.name, &group);
  }

  std::vector<GroupDraft> draft() {
    for (std::uint32_t mount = 0; mount < layout_.mounts.size(); ++mount) {
      LayoutMount& to = layout_.mounts[mount];
      to.propagation_span = to.span;
      if (to.decl == no_index) continue;
      if (const auto& says = spec_.mounts[to.decl].propagation) enter(mount, *says);
    }
    return std::move(drafts_);
  }

 private:
  void enter(std::uint32_t mount, const spec::PropagationDecl& says) {
    LayoutMount& to = layout_.mounts[mount];
    to.propagation_span = says.span;
    to.unbindable = says.unbindable;
    std::optional<std::size_t> master;
    if (!says.master.value.empty()) {
      master = group(mount, says.master);
      if (!master) return;
    }
    if (!says.shared) {
      if (master) drafts_[*master].slaves.push_back(mount);
      return;
    }
    const auto own =
        says.group.value.empty()
            ? std::optional(draft_of({GroupKey::Kind::own, {}, original(to.decl)}, says.span))
            : group(mount, says.group);
    if (!own) return;
    drafts_[*own].members.push_back(mount);
    drafts_[*own].masters.push_back(master);
    if (!master) return;
    if (linked_.emplace(*master, *own).second) drafts_[*master].slave_groups.push_back(*own);
  }

  /// Mounts that are copies by `clone` are in one group with what they are copies of.
  [[nodiscard]] std::uint32_t original(std::uint32_t decl) const {
    return spec_.mounts[decl].original.value_or(decl);
  }

  /// The group that a mount names; nothing after a complaint.
  std::optional<std::size_t> group(std::uint32_t mount, const spec::Str& name) {
    if (name.value != spec::parent_group)
      return draft_of({GroupKey::Kind::named, name.value, 0}, name.span);
    const LayoutMount& to = layout_.mounts[mount];
    const DesiredSuperblock& source = layout_.superblocks[to.superblock];
    if (source.kind == DesiredSuperblock::Kind::parent)
      return draft_of({GroupKey::Kind::parents, source.path, 0}, name.span);
    diagnostics_.add(Code::E0274, name.span, "the source of this mount has no group in the parent")
        .label(to.source_span, "this is a filesystem of the container's own")
        .help("name a group of the container: \"shared:NAME\", \"slave:NAME\"");
    return std::nullopt;
  }

  std::size_t draft_of(const GroupKey& key, Span span) {
    const auto [entry, fresh] = numbers_.try_emplace(key, drafts_.size());
    if (!fresh) return entry->second;
    DesiredGroup& group = drafts_.emplace_back().group;
    group.span = span;
    if (key.kind == GroupKey::Kind::parents) {
      group.name = spec::parent_group;
      group.parent = key.text;
    } else if (key.kind == GroupKey::Kind::named) {
      const spec::GroupDecl& declared = *declared_.at(key.text);
      group = {declared.name, no_index, declared.parent.value, declared.exact, declared.span};
    }
    return entry->second;
  }

  const spec::Spec& spec_;
  Layout& layout_;
  Diagnostics& diagnostics_;
  std::map<std::string, const spec::GroupDecl*, std::less<>> declared_;
  std::map<GroupKey, std::size_t> numbers_;
  std::set<std::pair<std::size_t, std::size_t>> linked_;  ///< master and slave, as drafts
  std::vector<GroupDraft> drafts_;
};

/// Writes drafts that were checked into a Layout.
class DraftWriter {
 public:
  DraftWriter(const std::vector<GroupDraft>& drafts, Layout& layout)
      : drafts_(drafts), layout_(layout), numbers_(drafts.size(), no_index) {}

  void write() {
    for (std::size_t draft = 0; draft < drafts_.size(); ++draft) write_with_masters(draft);
  }

 private:
  [[nodiscard]] std::optional<std::size_t> master_of(std::size_t draft) const {
    const auto& masters = drafts_[draft].masters;
    return masters.empty() ? std::nullopt : masters.front();
  }

  /// Masters are no ring.
  void write_with_masters(std::size_t draft) {
    std::vector<std::size_t> line;
    for (std::optional at = draft; at && numbers_[*at] == no_index; at = master_of(*at))
      line.push_back(*at);
    for (; !line.empty(); line.pop_back()) write_one(line.back());
  }

  void write_one(std::size_t draft) {
    const auto number = static_cast<std::uint32_t>(layout_.groups.size());
    numbers_[draft] = number;
    DesiredGroup group = drafts_[draft].group;
    if (const auto master = master_of(draft)) group.master = numbers_[*master];
    for (const std::uint32_t member : drafts_[draft].members) {
      layout_.mounts[member].group = number;
      layout_.mounts[member].master = group.master;
    }
    for (const std::uint32_t slave : drafts_[draft].slaves) layout_.mounts[slave].master = number;
    layout_.groups.push_back(std::move(group));
  }

  const std::vector<GroupDraft>& drafts_;
  Layout& layout_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace

void add_sharing(const spec::Spec& spec, Layout& layout, Diagnostics& diagnostics) {
  layout.escape = spec.policy.escape;
  const std::vector<GroupDraft> drafts = Drafter(spec, layout, diagnostics).draft();
  if (diagnostics.has_errors()) return;
  check_drafts(spec, layout, drafts, diagnostics);
  if (!diagnostics.has_errors()) DraftWriter(drafts, layout).write();
}

}  // namespace mntcr::layout
