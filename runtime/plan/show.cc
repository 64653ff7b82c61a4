#include "runtime/plan/show.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/path.h"
#include "runtime/plan/show_sharing.h"

namespace mntcr {
namespace {

std::string_view phase_title(Phase phase) {
  switch (phase) {
    case Phase::enter:
      return "enter: leave the parent, whose mounts nothing below can reach";
    case Phase::sources:
      return "sources: what the mounts will show";
    case Phase::namespaces:
      return "namespaces: all of them, before anything stands in one";
    case Phase::trees:
      return "trees: all private, parents first, until what hangs on a mount stands";
    case Phase::sharing:
      return "sharing";
    case Phase::root:
      return "root: the tree becomes the namespace's";
  }
  return "";
}

std::string flag_words(const AttrDemand& attrs) {
  return fmt::format("{}", fmt::join(attr_words(attrs.value, attrs.mask), ","));
}

/// "idmap uid 0:100000:65536 gid 0:100000:65536", empty for none.
std::string idmap_words(const Plan& plan, std::uint32_t index) {
  return index < plan.idmaps.size() ? "idmap " + idmap::words(plan.idmaps[index]) : "";
}

/// Both with `separator` between, or the one that is not empty.
std::string both(std::string first, std::string_view separator, const std::string& second) {
  if (!first.empty() && !second.empty()) first += separator;
  return first + second;
}

std::string_view create_word(Create create) {
  switch (create) {
    case Create::automatic:
      return "auto";
    case Create::dir:
      return "dir";
    case Create::file:
      return "file";
    case Create::never:
      return "never";
  }
  return "";
}

std::string quoted(const std::string& path) { return "`" + path::printable(path) + "`"; }

/// "dir 0755 0:0"; a symlink has no mode.
std::string owned_words(const DesiredNode& node) {
  const std::string words = path::printable(node_words(node));
  if (node.kind == NodeKind::symlink) return fmt::format("{} {}:{}", words, node.uid, node.gid);
  return fmt::format("{} {:04o} {}:{}", words, node.mode, node.uid, node.gid);
}

/// What a step does to which registers.
std::string operands(const Plan& plan, const Op& op) {
  const auto slot = [](Slot number) { return fmt::format("s{}", number); };
  switch (op.kind) {
    case OpKind::unshare:
    case OpKind::make_private:
    case OpKind::stage:
    case OpKind::drop_staging:
    case OpKind::drop_parent:
      return "";
    case OpKind::new_namespace:
    case OpKind::enter_namespace:
      return path::printable(plan.namespaces.at(op.b).name);
    case OpKind::open_group:
      return fmt::format("{} = the group at {}", slot(op.dst), quoted(plan.groups.at(op.b).parent));
    case OpKind::reopen:
      return slot(op.dst) + " = " + slot(op.a);
    case OpKind::set_propagation:
      return fmt::format("{} {}", slot(op.a), propagation_name(static_cast<Propagation>(op.b)));
    case OpKind::set_group:
      return slot(op.b) + " as " + slot(op.a);
    case OpKind::open_source:
    case OpKind::new_filesystem:
    case OpKind::open_overlay:
      return slot(op.dst) + " = " + superblock_words(plan.superblocks.at(op.b));
    case OpKind::add_layer:
      return slot(op.a) + (op.text.empty() ? "" : " at " + quoted(op.text)) + " for " + slot(op.b);
    case OpKind::new_overlay:
      return slot(op.dst) + " = " + slot(op.a);
    case OpKind::make_node:
      return fmt::format("{} in {}, {}", quoted(plan.nodes.at(op.b).path), slot(op.a),
                         owned_words(plan.nodes.at(op.b)));
    case OpKind::remove_node:
      return fmt::format("{} in {}", quoted(plan.nodes.at(op.b).path), slot(op.a));
    case OpKind::make_layer:
    case OpKind::make_directory:
      return fmt::format("{} in {}", quoted(op.text), slot(op.a));
    case OpKind::clone:
      return slot(op.dst) + " = " + slot(op.a) + (op.text.empty() ? "" : " at " + quoted(op.text));
    case OpKind::set_attributes:
      return slot(op.a) + " " + both(flag_words(op.attrs), " ", idmap_words(plan, op.b));
    case OpKind::make_mountpoint:
      return fmt::format("{} in {}, as {} is, create {}", quoted(op.text), slot(op.a), slot(op.b),
                         create_word(op.create));
    case OpKind::attach:
      return fmt::format("{} on {}{}", slot(op.a), slot(op.b),
                         op.text.empty() ? "" : " at " + quoted(op.text));
    case OpKind::anchor:
    case OpKind::attach_root:
    case OpKind::make_read_only:
    case OpKind::close:
    case OpKind::pivot:
      return slot(op.a);
  }
  return "";
}

/// Children of each mount, ordered by mountpoint.
std::vector<std::vector<std::uint32_t>> children_of(const Plan& plan) {
  std::vector<std::vector<std::uint32_t>> children(plan.mounts.size());
  for (std::uint32_t index = 0; index < plan.mounts.size(); ++index) {
    const std::uint32_t parent = plan.mounts[index].parent;
    if (parent != no_index) children[parent].push_back(index);
  }
  for (auto& list : children) {
    std::ranges::sort(list, {}, [&](std::uint32_t child) -> const std::string& {
      return plan.mounts[child].mountpoint;
    });
  }
  return children;
}

/// A line of the tree before its columns are set.
struct TreeLine {
  std::string where;
  std::string what;
  std::string how;
};

std::string how_words(const Plan& plan, const DesiredMount& mount, const std::vector<bool>& lone) {
  const DesiredSuperblock& superblock = plan.superblocks[mount.superblock];
  std::string how = flag_words(mount.attrs);
  const AttrDemand& flags = superblock.flags;
  for (const std::string_view word : filesystem_flag_words(flags.value, flags.mask)) {
    how += fmt::format("{}{}", how.empty() ? "" : ",", word);
  }
  for (const std::string& param : superblock.params) {
    how += (how.empty() ? "" : ",") + path::printable(param);
  }
  return both(both(how, "  ", idmap_words(plan, mount.idmap)), "  ",
              propagation_words(plan, mount, lone));
}

std::string namespace_title(const Plan& plan, std::uint32_t ns) {
  return (ns == 0 ? "namespace " : "\nnamespace ") + namespace_words(plan, ns);
}

std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::string pad(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, shown_width(text)), ' ');
}

std::string align(const std::vector<TreeLine>& lines) {
  std::size_t where = 0;
  std::size_t what = 0;
  for (const TreeLine& line : lines) {
    if (line.what.empty()) continue;  // a title
    where = std::max(where, shown_width(line.where));
    what = std::max(what, shown_width(line.what));
  }
  std::string out;
  for (const TreeLine& line : lines) {
    std::string text = pad(line.where, where) + "  " + pad(line.what, what) + "  " + line.how;
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

}  // namespace

std::string superblock_words(const DesiredSuperblock& superblock) {
  if (superblock.kind == DesiredSuperblock::Kind::parent) {
    return "parent:" + path::printable(superblock.path) +
           (superblock.follow ? "" : " (the link itself)");
  }
  return superblock.name.empty() ? superblock.type
                                 : fmt::format("fs:{} ({})", superblock.name, superblock.type);
}

std::string source_words(const Plan& plan, const DesiredMount& mount) {
  const DesiredSuperblock& superblock = plan.superblocks[mount.superblock];
  const std::string words = superblock_words(superblock);
  if (mount.deleted) return words + " deleted " + quoted(std::string(deleted_label(mount.root)));
  return mount.root.empty() ? words : words + " at " + quoted(mount.root);
}

std::string place_words(const Plan& plan, Span span) {
  if (!plan.sources.has(span.file)) return "";
  return fmt::format("{}:{}", path::printable(plan.sources.at(span.file).name),
                     plan.sources.position(span.file, span.begin).line);
}

std::string show_text(const Plan& plan) {
  std::string out = fmt::format("plan of {}: {} mounts, {} steps\n", path::printable(plan.name),
                                plan.mounts.size(), plan.ops.size());
  const std::size_t digits = std::to_string(plan.ops.size()).size();
  std::optional<Phase> shown;
  for (std::size_t index = 0; index < plan.ops.size(); ++index) {
    const Op& op = plan.ops[index];
    const Phase phase = describe(op.kind).phase;
    if (op.kind == OpKind::enter_namespace) {
      shown = phase;
      out += fmt::format("\ntrees of {}\n", path::printable(plan.namespaces.at(op.b).name));
    } else if (phase != shown && phase != Phase::sharing) {
      // Steps of sharing come among those of trees and root, and have no title.
      shown = phase;
      out += fmt::format("\n{}\n", phase_title(phase));
    }
    const std::string for_mount =
        op.mount < plan.mounts.size() ? path::printable(plan.mounts[op.mount].target) : "";
    std::string line =
        fmt::format("{:>{}}  {:<15}  {}  {}  {}", index + 1, digits + 2, describe(op.kind).name,
                    pad(operands(plan, op), 36), pad(for_mount, 16), place_words(plan, op.span));
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string show_tree(const Plan& plan) {
  const auto children = children_of(plan);
  std::vector<TreeLine> lines;
  struct Visit {
    std::uint32_t mount;
    std::string lead;  ///< drawn before the mount
    std::string next;  ///< drawn before those below it
  };
  std::vector<Visit> todo;
  for (std::uint32_t index = static_cast<std::uint32_t>(plan.mounts.size()); index-- > 0;) {
    if (plan.mounts[index].parent == no_index) todo.push_back({index, "", ""});
  }
  const std::vector<bool> lone = lone_groups(plan);
  while (!todo.empty()) {
    const Visit visit = std::move(todo.back());
    todo.pop_back();
    const DesiredMount& mount = plan.mounts[visit.mount];
    const bool is_root = mount.parent == no_index;
    if (is_root && plan.namespaces.size() > 1)
      lines.push_back({namespace_title(plan, mount.ns), "", ""});
    const bool covers = !is_root && mount.mountpoint.empty();
    lines.push_back({visit.lead + path::printable(mount.target) + (covers ? " (on top)" : "") +
                         (mount.implied != Implied::no ? " (copy)" : ""),
                     source_words(plan, mount), how_words(plan, mount, lone)});
    const auto& below = children[visit.mount];
    for (std::size_t left = below.size(); left-- > 0;) {
      const bool last = left + 1 == below.size();
      todo.push_back(
          {below[left], visit.next + (last ? "└─ " : "├─ "), visit.next + (last ? "   " : "│  ")});
    }
  }
  return align(lines) + sharing_text(plan);
}

}  // namespace mntcr
