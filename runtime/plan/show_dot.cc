// A plan as a picture, for Graphviz: the trees with solid edges, peer groups as ellipses, what
// several mounts show, and what lies in the parent.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/path.h"
#include "runtime/plan/show.h"
#include "runtime/plan/show_sharing.h"

namespace mntcr {
namespace {

/// A double-quoted string of Graphviz. Lines are joined by what it takes for a new line, `\n`; a
/// backslash of a text is doubled, so that it means itself and no escape of a label.
std::string quoted(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text += "\\n";
    for (const char byte : line) {
      if (byte == '"' || byte == '\\') text += '\\';
      text += byte;
    }
  }
  return '"' + text + '"';
}

/// Draws one plan.
class Drawing {
 public:
  explicit Drawing(const Plan& plan) : plan_(plan), shown_(plan.superblocks.size()) {
    for (const DesiredMount& mount : plan.mounts) ++shown_[mount.superblock];
  }

  std::string draw() {
    line("digraph {} {{", quoted({path::printable(plan_.name)}));
    line("  rankdir=LR;");
    line("  node [shape=box, fontname=monospace];");
    for (std::uint32_t ns = 0; ns < plan_.namespaces.size(); ++ns) draw_namespace(ns);
    draw_parent();
    draw_superblocks();
    draw_groups();
    for (std::size_t at = 0; at < plan_.mounts.size(); ++at) draw_edges(at);
    line("}}");
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    out_ += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  void draw_namespace(std::uint32_t ns) {
    line("  subgraph cluster_ns{} {{", ns);
    line("    label={};", quoted({namespace_words(plan_, ns)}));
    for (std::size_t at = 0; at < plan_.mounts.size(); ++at) {
      const DesiredMount& mount = plan_.mounts[at];
      if (mount.ns != ns) continue;
      std::vector<std::string> lines = {path::printable(mount.target)};
      if (!is_drawn(mount.superblock)) lines.push_back(source_words(plan_, mount));
      if (mount.unbindable) lines.emplace_back("unbindable");
      line("    m{} [label={}{}];", at, quoted(lines),
           mount.implied != Implied::no ? ", style=dashed" : "");
    }
    line("  }}");
  }

  /// What the border separates: the parent's filesystems and groups.
  void draw_parent() {
    line("  subgraph cluster_parent {{");
    line("    label={}; style=dashed;", quoted({"the parent"}));
    for (std::size_t at = 0; at < plan_.superblocks.size(); ++at) {
      if (is_of_parent(at) && is_drawn(at)) draw_superblock(at, "    ");
    }
    for (std::uint32_t at = 0; at < plan_.groups.size(); ++at) {
      if (!plan_.groups[at].parent.empty()) draw_group(at, "    ");
    }
    line("  }}");
  }

  void draw_superblocks() {
    for (std::size_t at = 0; at < plan_.superblocks.size(); ++at) {
      if (!is_of_parent(at) && is_drawn(at)) draw_superblock(at, "  ");
    }
  }

  void draw_superblock(std::size_t at, std::string_view indent) {
    line("{}s{} [shape=cylinder, label={}];", indent, at,
         quoted({superblock_words(plan_.superblocks[at])}));
  }

  void draw_groups() {
    for (std::uint32_t at = 0; at < plan_.groups.size(); ++at) {
      if (plan_.groups[at].parent.empty()) draw_group(at, "  ");
    }
    for (std::uint32_t at = 0; at < plan_.groups.size(); ++at) {
      const std::uint32_t master = plan_.groups[at].master;
      if (master != no_index) line("  g{} -> g{} [style=dashed];", master, at);
    }
  }

  void draw_group(std::uint32_t at, std::string_view indent) {
    const DesiredGroup& group = plan_.groups[at];
    std::vector<std::string> lines = {group_words(plan_, at)};
    if (!group.parent.empty())
      lines.push_back((group.exact ? "at " : "holds ") + path::printable(group.parent));
    line("{}g{} [shape=ellipse, label={}];", indent, at, quoted(lines));
  }

  void draw_edges(std::size_t at) {
    const DesiredMount& mount = plan_.mounts[at];
    if (mount.parent != no_index) line("  m{} -> m{};", mount.parent, at);
    if (is_drawn(mount.superblock)) {
      line("  m{} -> s{} [style=dotted, label={}];", at, mount.superblock,
           quoted({part_words(mount)}));
    }
    if (mount.group != no_index) {
      line("  m{} -> g{} [dir=both, color=blue];", at, mount.group);
    } else if (mount.master != no_index) {
      line("  g{} -> m{} [style=dashed, color=blue];", mount.master, at);
    }
  }

  static std::string part_words(const DesiredMount& mount) {
    if (mount.deleted) return "deleted " + path::printable(deleted_label(mount.root));
    return path::printable(mount.root);
  }

  [[nodiscard]] bool is_of_parent(std::size_t superblock) const {
    return plan_.superblocks[superblock].kind == DesiredSuperblock::Kind::parent;
  }

  /// What one mount alone shows and the plan makes stands in that mount's box.
  [[nodiscard]] bool is_drawn(std::size_t superblock) const {
    return shown_[superblock] > 1 || (is_of_parent(superblock) && shown_[superblock] > 0);
  }

  const Plan& plan_;
  std::vector<std::size_t> shown_;  ///< by superblock, how many mounts show it
  std::string out_;
};

}  // namespace

std::string show_dot(const Plan& plan) { return Drawing(plan).draw(); }

}  // namespace mntcr
