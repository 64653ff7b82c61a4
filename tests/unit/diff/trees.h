// Desired and live mount trees written as text, for tests of diff: a line a mount, indented below
// the mount that it lies on, its place on that mount's root first ("." is the root itself).
//
//   desired    .       parent:/srv/web  nosuid
//                proc  proc             nosuid,hidepid=2
//                tmp   tmpfs@t
//                tmp2  tmpfs@t#sub
//
// A source is parent:PATH, TYPE (a new filesystem), TYPE@LABEL (one of several mounts of it) or
// TYPE=NAME (named in the spec); #ROOT is the part that the mount shows, and !LABEL an inode
// without a name.
//
//   live       .       8:1  /srv/web  ext4
//                proc  0:50 /         proc   nosuid,hidepid=invisible
//
// Words are flags, shared:N, master:N, unbindable, sb=ro, those of filesystem_flags.def, src=NAME,
// idmap=RANGE+RANGE… (users and groups alike; without ranges an unknown one) and parameters. What a
// parent path leads to may be followed by an idmap, too.
//
// On the desired side propagation is slave:G, shared:G, shared and unbindable, and `implied` marks
// a copy of sharing, `cloned` one of a clone. "[group] NAME /path exact" before all mounts declares
// a group across the border. On either side "[worker]" begins the tree of another namespace; on the
// desired side "[worker] main" that of a clone.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/path.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/mount_tree.h"

namespace mntcr::test {

/// A line of a tree: its depth and its columns.
struct TreeLine {
  std::size_t indent = 0;
  std::vector<std::string> columns;
};

inline std::vector<TreeLine> tree_lines(const std::string& text) {
  std::vector<TreeLine> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    TreeLine parsed{line.find_first_not_of(' '), {}};
    std::istringstream columns(line);
    for (std::string column; columns >> column;) parsed.columns.push_back(column);
    lines.push_back(parsed);
  }
  return lines;
}

inline std::vector<std::string> words_of(const TreeLine& line, std::size_t column) {
  std::vector<std::string> words;
  if (line.columns.size() <= column) return words;
  std::istringstream stream(line.columns[column]);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

/// "idmap=0:5:1+7:9:2", or "idmap" for an unknown one; nothing when `word` is another.
inline std::optional<IdMap> idmap_word(const std::string& word) {
  if (word == "idmap") return IdMap{};
  if (!word.starts_with("idmap=")) return std::nullopt;
  IdMap map;
  std::istringstream stream(word.substr(6));
  for (std::string text; std::getline(stream, text, '+');)
    map.uid.push_back(idmap::parse_range(text, ':').value());
  map.gid = map.uid;
  return map;
}

/// Finds the parents of lines from their indents.
class Nesting {
 public:
  std::uint32_t enter(std::size_t indent, std::uint32_t mount) {
    while (!open_.empty() && open_.back().first >= indent) open_.pop_back();
    const std::uint32_t parent = open_.empty() ? no_index : open_.back().second;
    open_.emplace_back(indent, mount);
    return parent;
  }

 private:
  std::vector<std::pair<std::size_t, std::uint32_t>> open_;
};

inline std::string place_of(const TreeLine& line) {
  return line.columns.at(0) == "." ? "" : line.columns.at(0);
}

/// Superblocks of a desired tree by what its lines call them.
class SuperblockMaker {
 public:
  explicit SuperblockMaker(Plan& plan) : plan_(plan) {}

  std::uint32_t get(const std::string& source, const std::vector<std::string>& params) {
    const bool fresh =
        source.find_first_of("@=") == std::string::npos && !source.starts_with("parent:");
    if (!fresh && known_.contains(source)) return known_.at(source);
    DesiredSuperblock superblock;
    if (source.starts_with("parent:")) {
      superblock.kind = DesiredSuperblock::Kind::parent;
      superblock.path = source.substr(7);
    } else {
      superblock.kind = DesiredSuperblock::Kind::made;
      superblock.type = source.substr(0, source.find_first_of("@="));
      if (const auto at = source.find('='); at != std::string::npos)
        superblock.name = source.substr(at + 1);
    }
    for (const std::string& word : params) {
      if (const FilesystemFlag* flag = find_filesystem_flag(word)) {
        superblock.flags.value |= flag->demand.value;
        superblock.flags.mask |= flag->demand.mask;
      } else if (word.starts_with("src=")) {
        superblock.fsname = word.substr(4);
      } else {
        superblock.params.push_back(word);
      }
    }
    plan_.superblocks.push_back(superblock);
    const auto index = static_cast<std::uint32_t>(plan_.superblocks.size() - 1);
    if (!fresh) known_.emplace(source, index);
    return index;
  }

 private:
  Plan& plan_;
  std::map<std::string, std::uint32_t> known_;
};

/// "worker" of "[worker]"; empty for lines of other kinds.
inline std::string heading(const TreeLine& line) {
  const std::string& word = line.columns.at(0);
  return word.starts_with('[') ? word.substr(1, word.size() - 2) : "";
}

/// Groups of a desired tree by what its lines call them.
class GroupMaker {
 public:
  explicit GroupMaker(Plan& plan) : plan_(plan) {}

  void declare(const TreeLine& line) {
    DesiredGroup& group = plan_.groups.at(get(line.columns.at(1)));
    group.parent = line.columns.at(2);
    group.exact = line.columns.size() > 3;
  }

  /// Whether `word` is one of propagation.
  bool apply(DesiredMount& mount, const std::string& word) {
    if (word.starts_with("slave:")) {
      mount.master = get(word.substr(6));
    } else if (word == "shared" || word.starts_with("shared:")) {
      mount.group = get(word == "shared" ? "" : word.substr(7));
      if (mount.master != no_index) plan_.groups.at(mount.group).master = mount.master;
    } else if (word == "unbindable") {
      mount.unbindable = true;
    } else if (word == "implied") {
      mount.implied = Implied::sharing;
    } else if (word == "cloned") {
      mount.implied = Implied::clone;
    } else {
      return false;
    }
    return true;
  }

 private:
  std::uint32_t get(const std::string& name) {
    const auto found = std::ranges::find(plan_.groups, name, &DesiredGroup::name);
    if (!name.empty() && found != plan_.groups.end())
      return static_cast<std::uint32_t>(found - plan_.groups.begin());
    plan_.groups.emplace_back().name = name;
    return static_cast<std::uint32_t>(plan_.groups.size() - 1);
  }

  Plan& plan_;
};

/// Begins a namespace of a desired tree, or declares a group; false for lines of mounts.
inline bool is_heading(Plan& plan, GroupMaker& groups, const TreeLine& line) {
  const std::string name = heading(line);
  if (name == "group") {
    groups.declare(line);
  } else if (!name.empty()) {
    DesiredNamespace& ns = plan.namespaces.emplace_back();
    ns.name = name;
    if (line.columns.size() > 1) ns.clone = 0;
  }
  return !name.empty();
}

inline Plan desired(const std::string& text) {
  Plan plan;
  plan.name = "web";
  Nesting nesting;
  SuperblockMaker superblocks(plan);
  GroupMaker groups(plan);
  for (const TreeLine& line : tree_lines(text)) {
    if (is_heading(plan, groups, line)) {
      nesting = {};
      continue;
    }
    DesiredMount mount;
    mount.ns = static_cast<std::uint32_t>(plan.namespaces.size() - 1);
    mount.parent = nesting.enter(line.indent, static_cast<std::uint32_t>(plan.mounts.size()));
    mount.mountpoint = place_of(line);
    mount.target = mount.parent == no_index
                       ? "/"
                       : path::join(plan.mounts.at(mount.parent).target, mount.mountpoint);
    std::vector<std::string> params;
    for (const std::string& word : words_of(line, 2)) {
      if (const MountOption* option = find_mount_option(word)) {
        mount.attrs.value |= option->demand.value;
        mount.attrs.mask |= option->demand.mask;
      } else if (const auto map = idmap_word(word)) {
        mount.idmap = static_cast<std::uint32_t>(plan.idmaps.size());
        plan.idmaps.push_back(*map);
      } else if (!groups.apply(mount, word)) {
        params.push_back(word);
      }
    }
    const std::string& source = line.columns.at(1);
    const auto hash = source.find_first_of("#!");
    if (hash != std::string::npos) mount.root = source.substr(hash + 1);
    if (hash != std::string::npos && source[hash] == '!') {
      mount.root = deleted_place(mount.root);
      mount.deleted = true;
    }
    mount.superblock = superblocks.get(source.substr(0, hash), params);
    plan.mounts.push_back(mount);
  }
  return plan;
}

inline void apply_live_word(LiveMount& mount, const std::string& word) {
  if (const MountOption* option = find_mount_option(word)) {
    mount.attrs = (mount.attrs & ~option->demand.mask) | option->demand.value;
  } else if (const auto map = idmap_word(word)) {
    mount.idmap = map;
  } else if (word.starts_with("shared:")) {
    mount.peer_group = std::stoul(word.substr(7));
  } else if (word.starts_with("master:")) {
    mount.master = std::stoul(word.substr(7));
  } else if (word == "unbindable") {
    mount.unbindable = true;
  } else if (word == "sb=ro") {
    mount.sb_rdonly = true;
  } else if (const FilesystemFlag* flag = find_filesystem_flag(word)) {
    mount.sb_flags |= flag->demand.value;
  } else if (word.starts_with("src=")) {
    mount.source = word.substr(4);
  } else {
    mount.fs_options.push_back(word);
  }
}

inline MountTable live(const std::string& text) {
  MountTable table;
  Nesting nesting;
  for (const TreeLine& line : tree_lines(text)) {
    if (const std::string name = heading(line); !name.empty()) {
      table.namespaces.push_back(name);
      nesting = {};
      continue;
    }
    LiveMount mount;
    mount.id = table.mounts.size() + 100;
    mount.ns = static_cast<std::uint32_t>(table.namespaces.size() - 1);
    mount.parent = nesting.enter(line.indent, static_cast<std::uint32_t>(table.mounts.size()));
    mount.below_parent = place_of(line);
    mount.mountpoint =
        mount.parent == no_index
            ? "/"
            : path::join(table.mounts.at(mount.parent).mountpoint, mount.below_parent);
    const std::string& device = line.columns.at(1);
    mount.dev_major = static_cast<std::uint32_t>(std::stoul(device));
    mount.dev_minor = static_cast<std::uint32_t>(std::stoul(device.substr(device.find(':') + 1)));
    mount.root = line.columns.at(2);
    mount.fs_type = line.columns.at(3);
    mount.source = mount.fs_type;
    for (const std::string& word : words_of(line, 4)) apply_live_word(mount, word);
    table.mounts.push_back(mount);
  }
  return table;
}

/// What parent paths lead to: "/srv/web = 8:1 /srv/web", a line each. A path not listed is missing;
/// "/srv/old - 8:1 /srv/old" says where a missing one would be.
inline ResolvedSources sources(const Plan& plan, const std::string& text) {
  ResolvedSources resolved;
  for (std::uint32_t index = 0; index < plan.superblocks.size(); ++index) {
    if (plan.superblocks[index].kind != DesiredSuperblock::Kind::parent) continue;
    resolved.by_superblock.emplace(index, fail("no such file or directory", 2));
    for (const TreeLine& line : tree_lines(text)) {
      if (line.columns.at(0) != plan.superblocks[index].path) continue;
      const std::string& device = line.columns.at(2);
      const SourceIdentity identity{
          static_cast<std::uint32_t>(std::stoul(device)),
          static_cast<std::uint32_t>(std::stoul(device.substr(device.find(':') + 1))),
          line.columns.at(3),
          line.columns.size() > 4 ? idmap_word(line.columns.at(4)) : std::nullopt};
      if (line.columns.at(1) == "-") {
        resolved.former.emplace(index, identity);
      } else {
        resolved.by_superblock.insert_or_assign(index, identity);
      }
    }
  }
  return resolved;
}

/// What resolve_sources() finds out about groups, by the table of the parent alone.
inline ResolvedSources with_groups(ResolvedSources resolved, const Plan& plan,
                                   const MountTable& live, const MountTable& parent) {
  const MountTree tree(parent);
  for (std::uint32_t index = 0; index < plan.groups.size(); ++index) {
    const DesiredGroup& group = plan.groups[index];
    if (group.parent.empty()) continue;
    const MountTree::Met met = tree.meet(0, group.parent);
    const bool is_it = met.mount != no_index && (met.rest.empty() || !group.exact);
    resolved.groups.emplace(index, is_it ? parent.mounts[met.mount].peer_group : 0);
  }
  resolved.outside = find_outside(parent, &live);
  return resolved;
}

/// Everything that a comparison needs, and the comparison itself, checked for what always holds.
struct Case {
  Plan plan;
  MountTable table;
  MountTable parent;
  ResolvedSources resolved;
  std::vector<Change> changes;

  Case(const std::string& desired_text, const std::string& live_text,
       const std::string& sources_text = "", const std::string& parent_text = "")
      : Case(desired(desired_text), live(live_text), sources_text, live(parent_text)) {}

  Case(Plan wanted, MountTable found, const std::string& sources_text, MountTable outside = {})
      : plan(std::move(wanted)),
        table(std::move(found)),
        parent(std::move(outside)),
        resolved(with_groups(sources(plan, sources_text), plan, table, parent)),
        changes(diff(plan, resolved, table)) {
    check_invariants();
  }

  [[nodiscard]] DiffReport report() const {
    return {plan, table, parent, resolved, changes, "web.toml"};
  }
  [[nodiscard]] std::string text() const { return write_text(report()); }
  [[nodiscard]] std::string toml() const { return write_toml(report()); }
  [[nodiscard]] std::string json() const { return write_json(report()); }

 private:
  /// Every mount is told of at most once, and as many remain unchanged on one side as on the other.
  void check_invariants() const {
    std::vector<int> told_desired(plan.mounts.size(), 0);
    std::vector<int> told_live(table.mounts.size(), 0);
    std::size_t removed = 0;
    std::size_t added = 0;
    for (const Change& change : changes) {
      if (change.desired != no_index) CHECK(++told_desired.at(change.desired) == 1);
      if (change.live != no_index) CHECK(++told_live.at(change.live) == 1);
      if (change.kind == Change::Kind::removed) ++removed;
      if (change.kind == Change::Kind::added) ++added;
      CHECK((change.kind == Change::Kind::changed) == !change.differences.empty());
    }
    CHECK(plan.mounts.size() - removed == table.mounts.size() - added);
    CHECK(text() == text());
    CHECK_FALSE(toml().empty());
    CHECK_FALSE(json().empty());
  }
};

}  // namespace mntcr::test
