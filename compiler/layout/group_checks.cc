// See sharing.h. A group that the kernel cannot hold is an error; one that does nothing, or not
// what its name promises, is a warning. What a base declares is for whoever extends it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/layout/sharing.h"
#include "compiler/spec/keys.h"
#include "runtime/base/path.h"

namespace mntcr::layout {
namespace {

using Kind = DesiredSuperblock::Kind;

/// What people call a group.
std::string words(const DesiredGroup& group) {
  if (group.name.empty()) return "the group of this mount";
  return group.name == "parent" ? "the parent's group" : fmt::format("the group `{}`", group.name);
}

/// Checks the drafts of one Layout.
class DraftChecker {
 public:
  DraftChecker(const spec::Spec& spec, const Layout& layout, const std::vector<GroupDraft>& drafts,
               Diagnostics& diagnostics)
      : spec_(spec), layout_(layout), drafts_(drafts), diagnostics_(diagnostics) {}

  void check() {
    for (const GroupDraft& draft : drafts_) check_masters(draft);
    if (diagnostics_.has_errors()) return;
    for (const GroupDraft& draft : drafts_) {
      const bool crosses = !draft.group.parent.empty();
      if (crosses) {
        check_paths(draft);
      } else if (!draft.members.empty()) {
        check_superblocks(draft);
      } else {
        report_nobody(draft);
      }
    }
    if (!diagnostics_.has_errors()) find_rings();
  }

 private:
  [[nodiscard]] const LayoutMount& mount(std::uint32_t index) const {
    return layout_.mounts[index];
  }

  void check_masters(const GroupDraft& draft) {
    for (std::size_t at = 0; at < draft.members.size(); ++at) {
      const Span span = mount(draft.members[at]).propagation_span;
      if (!draft.group.parent.empty() && draft.masters[at]) {
        diagnostics_.add(Code::E0277, span, "a slave that is a member of a group of the parent")
            .label(draft.group.span, "the group is the parent's")
            .note(
                "all members of a group have one master; what that of the parent's is, is the "
                "parent's affair")
            .help("take `slave` or `shared` away");
      } else if (draft.masters[at] != draft.masters.front()) {
        report_masters(draft, draft.members[at]);
      }
    }
  }

  void report_masters(const GroupDraft& draft, std::uint32_t member) {
    diagnostics_
        .add(Code::E0276, mount(member).propagation_span,
             fmt::format("{} has another master here", words(draft.group)))
        .label(mount(draft.members.front()).propagation_span, "this is a member, too")
        .note("all members of a group are slaves of one group, or all of none")
        .help(R"(write the same "slave:…" in each of them, or name another group)");
  }

  /// Mounts that have the group as their master, directly or as members of a group.
  [[nodiscard]] std::vector<std::uint32_t> receivers(const GroupDraft& draft) const {
    std::vector<std::uint32_t> result = draft.slaves;
    for (const std::size_t group : draft.slave_groups) {
      const auto& members = drafts_[group].members;
      result.insert(result.end(), members.begin(), members.end());
    }
    return result;
  }

  void report_nobody(const GroupDraft& draft) {
    const auto slaves = receivers(draft);
    if (slaves.empty()) return;
    const LayoutMount& slave = mount(slaves.front());
    Diagnostic& diagnostic = diagnostics_.add(
        Code::E0275, slave.propagation_span,
        fmt::format("no mount is a member of {}", words(draft.group)), "so nothing comes from it");
    std::vector<std::string_view> names = {"parent"};
    for (const spec::GroupDecl& group : spec_.groups) {
      if (group.name != draft.group.name) names.push_back(group.name);
    }
    spec::suggest(diagnostic, draft.group.name, names);
    diagnostic.help(
        fmt::format("write propagation = \"shared:{0}\" in a mount, or for a group of the "
                    "parent [group.{0}] with parent = \"/path\"",
                    draft.group.name));
  }

  /// All members show one filesystem, and the slaves that of the first member.
  void check_superblocks(const GroupDraft& draft) {
    const LayoutMount& first = mount(draft.members.front());
    std::vector<std::uint32_t> others = draft.members;
    const auto slaves = receivers(draft);
    others.insert(others.end(), slaves.begin(), slaves.end());
    for (const std::uint32_t other : others) {
      if (mount(other).superblock != first.superblock && reported_.insert(other).second)
        report_superblocks(draft, first, mount(other));
    }
  }

  void report_superblocks(const GroupDraft& draft, const LayoutMount& first,
                          const LayoutMount& other) {
    Diagnostic& diagnostic =
        diagnostics_
            .add(Code::E0278, other.propagation_span,
                 fmt::format("{} is one of another filesystem", words(draft.group)))
            .label(other.source_span, "this mount shows this")
            .label(first.source_span, "and a member of the group this")
            .note("what is mounted on one must have a place on the other");
    const DesiredSuperblock& a = layout_.superblocks[first.superblock];
    const DesiredSuperblock& b = layout_.superblocks[other.superblock];
    if (a.kind != Kind::parent || b.kind != Kind::parent) {
      diagnostic.help(
          fmt::format("show the same in both: source = \"self:{}\", or a [filesystem] "
                      "by \"fs:NAME\"",
                      path::printable(first.target)));
      return;
    }
    const std::string common =
        path::is_at_or_below(b.path, a.path) ? a.path : path::common_parent(a.path, b.path);
    diagnostic.note("two `parent:` paths are taken for two filesystems")
        .help(fmt::format("if they are one, name it: [filesystem.NAME] with parent = \"{}\", and "
                          "source = \"fs:NAME/{}\"",
                          path::printable(common),
                          path::printable(path::relative_to(b.path, common))));
  }

  /// All that belong to a group of the parent show what its mount there may show.
  void check_paths(const GroupDraft& draft) {
    std::vector<std::uint32_t> all = draft.members;
    const auto slaves = receivers(draft);
    all.insert(all.end(), slaves.begin(), slaves.end());
    for (const std::uint32_t index : all) {
      const LayoutMount& at = mount(index);
      const DesiredSuperblock& source = layout_.superblocks[at.superblock];
      if (source.kind == Kind::parent &&
          (path::is_at_or_below(path::join(source.path, at.root), draft.group.parent) ||
           is_named(source)))
        continue;
      const std::string folder = path::printable(draft.group.parent);
      diagnostics_
          .add(Code::E0279, at.propagation_span,
               fmt::format("the source of this mount does not lie in {}", folder))
          .label(at.source_span, "this is what it shows")
          .label(draft.group.span, fmt::format("the group is that of the parent's {}", folder))
          .note("a mount can only be in a group of mounts of its own filesystem")
          .help(fmt::format(
              "write source = \"parent:{0}\" or a path below it, or name the filesystem: "
              "[filesystem.NAME] with parent = \"{0}\"",
              folder));
    }
  }

  /// Whether a [filesystem] with `parent` names it: then apply finds out whether it is the group's.
  [[nodiscard]] bool is_named(const DesiredSuperblock& source) const {
    return std::ranges::any_of(spec_.filesystems, [&](const spec::FilesystemDecl& filesystem) {
      return !filesystem.parent.value.empty() && filesystem.parent.value == source.path;
    });
  }

  /// Reports each ring of masters once, at its first group.
  void find_rings() {
    constexpr std::size_t unseen = SIZE_MAX;
    std::vector<std::size_t> seen_by(drafts_.size(), unseen);
    const auto master_of = [&](std::size_t draft) -> std::optional<std::size_t> {
      const auto& masters = drafts_[draft].masters;
      return masters.empty() ? std::nullopt : masters.front();
    };
    for (std::size_t start = 0; start < drafts_.size(); ++start) {
      std::optional at = start;
      while (at && seen_by[*at] == unseen) {
        seen_by[*at] = start;
        at = master_of(*at);
      }
      if (!at || seen_by[*at] != start) continue;
      std::size_t first = *at;
      for (std::size_t next = *master_of(*at); next != *at; next = *master_of(next)) {
        if (drafts_[next].members.front() < drafts_[first].members.front()) first = next;
      }
      Diagnostic& diagnostic =
          diagnostics_.add(Code::E0280, member_span(first), "groups that are each other's masters");
      for (std::size_t next = *master_of(first); next != first; next = *master_of(next))
        diagnostic.label(member_span(next), "and this");
      diagnostic.help("let one of them be a slave of a group outside of the ring, or of none");
    }
  }

  [[nodiscard]] Span member_span(std::size_t draft) const {
    return mount(drafts_[draft].members.front()).propagation_span;
  }

  const spec::Spec& spec_;
  const Layout& layout_;
  const std::vector<GroupDraft>& drafts_;
  Diagnostics& diagnostics_;
  std::set<std::uint32_t> reported_;  ///< mounts that show another filesystem
};

bool is_compiled(Span span) { return span.known() && span.file == 0; }

/// How many members and slaves each group has.
struct Census {
  std::vector<std::size_t> members;
  std::vector<std::size_t> slaves;
  std::vector<const LayoutMount*> first;

  explicit Census(const Layout& layout)
      : members(layout.groups.size()), slaves(layout.groups.size()), first(layout.groups.size()) {
    for (const LayoutMount& mount : layout.mounts) {
      if (mount.master != no_index) ++slaves[mount.master];
      if (mount.group == no_index || ++members[mount.group] > 1) continue;
      first[mount.group] = &mount;
    }
  }
};

void check_unused_groups(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics) {
  std::set<std::string_view> used;
  for (const DesiredGroup& group : layout.groups) used.insert(group.name);
  for (const spec::GroupDecl& group : spec.groups) {
    if (used.contains(group.name) || !is_compiled(group.span)) continue;
    diagnostics
        .add(Code::W0270, group.span, fmt::format("no mount names the group `{}`", group.name))
        .help(fmt::format("name it in a mount: propagation = \"shared:{0}\" or \"slave:{0}\"; or "
                          "take it away",
                          group.name));
  }
}

/// A group that somebody named has one member: probably another one's name was slipped.
void check_lonely(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics) {
  const Census census(layout);
  for (std::size_t index = 0; index < layout.groups.size(); ++index) {
    const DesiredGroup& group = layout.groups[index];
    if (group.name.empty() || !group.parent.empty() || census.members[index] != 1 ||
        census.slaves[index] != 0 || !is_compiled(census.first[index]->propagation_span))
      continue;
    Diagnostic& diagnostic =
        diagnostics.add(Code::W0271, census.first[index]->propagation_span,
                        fmt::format("the group `{}` has no other member and no slave", group.name));
    std::vector<std::string_view> names;
    for (const spec::GroupDecl& other : spec.groups) {
      if (other.name != group.name) names.push_back(other.name);
    }
    spec::suggest(diagnostic, group.name, names, R"(write "shared" for a group of its own)");
  }
}

void check_unseen(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics) {
  for (const LayoutMount& mount : layout.mounts) {
    if (mount.implied != Implied::no || mount.parent == no_index || mount.decl == no_index)
      continue;
    const LayoutMount& parent = layout.mounts[mount.parent];
    const spec::MountDecl& decl = spec.mounts[mount.decl];
    const bool crosses = parent.group != no_index && !layout.groups[parent.group].parent.empty();
    if (!crosses || !decl.propagate || decl.listed_all) continue;
    diagnostics
        .add(Code::W0272, mount.target_span,
             fmt::format("the parent will not see {}", path::printable(mount.target)))
        .label(parent.propagation_span, "it lies on a mount that is shared with the parent")
        .note(
            "the container's own mounts are made before anything is shared, so none reaches the "
            "parent")
        .help(
            "write propagate = false in the mount if that is what shall be; else let the parent "
            "mount it");
  }
}

}  // namespace

void check_drafts(const spec::Spec& spec, const Layout& layout,
                  const std::vector<GroupDraft>& drafts, Diagnostics& diagnostics) {
  DraftChecker(spec, layout, drafts, diagnostics).check();
}

void check_sharing(const spec::Spec& spec, const Layout& layout, Diagnostics& diagnostics) {
  check_unused_groups(spec, layout, diagnostics);
  check_lonely(spec, layout, diagnostics);
  check_unseen(spec, layout, diagnostics);
  check_reach(spec, layout, diagnostics);
}

}  // namespace mntcr::layout
