#include "runtime/diff/inodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <tuple>

#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

/// The longest label that the language allows.
constexpr std::size_t most_label = 200;

DeviceNumber device_of(const LiveMount& mount) { return {mount.dev_major, mount.dev_minor}; }

/// What mounts show of a superblock.
struct ShownFilesystem {
  bool holds_files = false;
  std::set<std::string> parts;  ///< paths of the mounts' roots
};

std::map<DeviceNumber, ShownFilesystem> shown_filesystems(const MountTable& live) {
  std::map<DeviceNumber, ShownFilesystem> shown;
  for (const LiveMount& mount : live.mounts) {
    if (!live.needed.contains(device_of(mount))) continue;
    ShownFilesystem& filesystem = shown[device_of(mount)];
    filesystem.holds_files = what_holds(mount.fs_type) == Holds::everything;
    filesystem.parts.insert(path::relative_to(mount.root, "/"));
  }
  return shown;
}

std::uint32_t usual_mode(InodeKind kind) { return kind == InodeKind::directory ? 0755 : 0644; }

/// `mode`, `uid` and `gid` where they are not what they are by themselves. A symlink has no mode.
TomlKeys ownership(const InodeFacts& facts) {
  TomlKeys keys;
  if (facts.kind != InodeKind::symlink && facts.mode != usual_mode(facts.kind)) {
    keys.emplace_back("mode", fmt::format("\"{:04o}\"", facts.mode));
  }
  if (facts.uid != 0) keys.emplace_back("uid", std::to_string(facts.uid));
  if (facts.gid != 0) keys.emplace_back("gid", std::to_string(facts.gid));
  return keys;
}

/// Whether apply makes the inode as it is, by itself.
bool comes_back(const NeededInode& inode, const std::set<std::string>& parts) {
  const bool directory = inode.facts.kind == InodeKind::directory;
  const bool plain_file = inode.facts.kind == InodeKind::file && !parts.contains(inode.path);
  return (directory || plain_file) && ownership(inode.facts).empty();
}

std::string device_number(const InodeFacts& facts) {
  return fmt::format("{}:{}", facts.rdev_major, facts.rdev_minor);
}

/// What an entry of a tree says of the kind; a directory goes without saying.
TomlKeys kind_keys(const InodeFacts& facts) {
  switch (facts.kind) {
    case InodeKind::directory:
      return {};
    case InodeKind::file:
      return {{"kind", "\"file\""}};
    case InodeKind::symlink:
      return {{"symlink", toml_string(facts.target)}};
    case InodeKind::fifo:
      return {{"kind", "\"fifo\""}};
    case InodeKind::socket:
      return {{"kind", "\"socket\""}};
    case InodeKind::character:
      return {{"char", toml_string(device_number(facts))}};
    case InodeKind::block:
      return {{"block", toml_string(device_number(facts))}};
  }
  return {};
}

/// What a mount of a removed inode says of the kind: "dir", "char:1:3", "symlink:/target".
std::string kind_words(const InodeFacts& facts) {
  switch (facts.kind) {
    case InodeKind::directory:
      return "dir";
    case InodeKind::file:
      return "file";
    case InodeKind::symlink:
      return "symlink:" + facts.target;
    case InodeKind::fifo:
      return "fifo";
    case InodeKind::socket:
      return "socket";
    case InodeKind::character:
      return "char:" + device_number(facts);
    case InodeKind::block:
      return "block:" + device_number(facts);
  }
  return {};
}

std::string inline_table(const NeededInode& inode) {
  std::string text = "{ path = " + toml_string(inode.path);
  for (const TomlKeys& keys : {kind_keys(inode.facts), ownership(inode.facts)}) {
    for (const auto& [key, value] : keys) text += fmt::format(", {} = {}", key, value);
  }
  return text + " }";
}

/// What the removed inode was called last.
std::string last_name(std::string_view root) {
  constexpr std::string_view deleted = "//deleted";
  root.remove_suffix(deleted.size());
  const std::string_view name = root.substr(root.rfind('/') + 1);
  return name.empty() ? "root" : std::string(name.substr(0, most_label));
}

/// The names that are still free on one superblock.
class Labels {
 public:
  /// The label that the base gives the inode.
  void give(const LiveMount& mount, const std::string& label) {
    taken_.insert(label);
    known_.emplace(inode_at(mount), label);
  }

  /// The label of the inode that has this root: a new one unless it has one.
  const std::string& of(const LiveMount& mount) {
    const Inode inode = inode_at(mount);
    const auto known = known_.find(inode);
    return known != known_.end() ? known->second
                                 : known_.emplace(inode, fresh(mount)).first->second;
  }

 private:
  using Inode = std::pair<std::string, std::uint64_t>;

  static Inode inode_at(const LiveMount& mount) {
    return {mount.root, mount.root_inode ? mount.root_inode->inode : 0};
  }

  std::string fresh(const LiveMount& mount) {
    const std::string name = last_name(mount.root);
    std::string label = name;
    for (int number = 2; !taken_.insert(label).second; ++number) {
      const std::string ending = fmt::format("-{}", number);
      label = name.substr(0, most_label - ending.size()) + ending;
    }
    return label;
  }

  std::map<Inode, std::string> known_;
  std::set<std::string> taken_;
};

InodeKind kind_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::directory:
      return InodeKind::directory;
    case NodeKind::file:
      return InodeKind::file;
    case NodeKind::fifo:
      return InodeKind::fifo;
    case NodeKind::socket:
      return InodeKind::socket;
    case NodeKind::character:
      return InodeKind::character;
    case NodeKind::block:
      return InodeKind::block;
    case NodeKind::symlink:
      return InodeKind::symlink;
  }
  return InodeKind::directory;
}

/// Whether a tree says the same of both.
bool says_the_same(const InodeFacts& a, const InodeFacts& b) {
  return kind_keys(a) == kind_keys(b) && ownership(a) == ownership(b);
}

/// Adds to a tree what has become usual, while the plan makes it otherwise.
void add_usual(const MountTable& live, DeviceNumber device,
               const std::map<std::string_view, NeededInode>& made,
               std::vector<NeededInode>& tree) {
  const auto inodes = live.needed.find(device);
  if (inodes == live.needed.end()) return;
  for (const NeededInode& inode : inodes->second) {
    const auto found = made.find(inode.path);
    if (found == made.end() || says_the_same(found->second.facts, inode.facts)) continue;
    const bool there = std::ranges::find(tree, inode.path, &NeededInode::path) != tree.end();
    if (!there) tree.push_back(inode);
  }
  std::ranges::sort(tree, {}, &NeededInode::path);
}

bool shows_device(const MountTable& table, DeviceNumber device) {
  return std::ranges::any_of(table.mounts,
                             [&](const LiveMount& mount) { return device_of(mount) == device; });
}

/// Why a removed inode of a filesystem that a spec can make cannot be made again.
std::string why_not_again(const LiveMount& mount) {
  const bool directory = !mount.root_inode || mount.root_inode->kind == InodeKind::directory;
  const Holds holds = what_holds(mount.fs_type);
  if (holds == Holds::nothing || (holds == Holds::directories && !directory)) {
    return fmt::format("it was removed, and nothing like it can be made on {}", mount.fs_type);
  }
  if (!directory && mount.root_inode->kind == InodeKind::file && mount.root_inode->size > 0) {
    return fmt::format("it is a removed file, and its {} bytes would be lost",
                       mount.root_inode->size);
  }
  return {};
}

}  // namespace

NeededInodes trees_of(const MountTable& live, const std::vector<std::uint32_t>& mounts) {
  NeededInodes trees;
  if (live.needed.empty()) return trees;
  const auto needed = needed_paths(live, mounts);
  const auto shown = shown_filesystems(live);
  for (const auto& [device, inodes] : live.needed) {
    const auto paths = needed.find(device);
    const auto filesystem = shown.find(device);
    if (paths == needed.end() || filesystem == shown.end()) continue;
    for (const NeededInode& inode : inodes) {
      const bool missing = paths->second.contains(inode.path)
                               ? !comes_back(inode, filesystem->second.parts)
                               : live.needed_or_not;
      const bool directory = inode.facts.kind == InodeKind::directory;
      if (missing && (directory || filesystem->second.holds_files)) trees[device].push_back(inode);
    }
  }
  return trees;
}

NeededInode inode_of(const DesiredNode& node) {
  InodeFacts facts;
  facts.kind = kind_of(node.kind);
  facts.mode = node.mode;
  facts.uid = node.uid;
  facts.gid = node.gid;
  facts.rdev_major = node.dev_major;
  facts.rdev_minor = node.dev_minor;
  facts.target = node.target;
  return {node.path, facts};
}

NeededInodes trees_beyond(const MountTable& live, const Plan& plan,
                          const std::map<DeviceNumber, std::uint32_t>& superblocks,
                          const std::vector<bool>& taken) {
  std::vector<std::uint32_t> all(live.mounts.size());
  std::iota(all.begin(), all.end(), 0U);
  NeededInodes trees = trees_of(live, all);
  for (const auto& [device, superblock] : superblocks) {
    std::map<std::string_view, NeededInode> made;
    for (const DesiredNode& node : plan.nodes) {
      const bool goes = node.of != no_index && taken[node.of];
      if (node.superblock == superblock && !node.deleted && !goes)
        made.emplace(node.path, inode_of(node));
    }
    std::vector<NeededInode>& tree = trees[device];
    std::erase_if(tree, [&](const NeededInode& inode) {
      const auto found = made.find(inode.path);
      return found != made.end() && says_the_same(found->second.facts, inode.facts);
    });
    add_usual(live, device, made, tree);
    if (tree.empty()) trees.erase(device);
  }
  return trees;
}

std::string tree_text(const std::vector<NeededInode>& inodes) {
  if (inodes.empty()) return {};
  std::string text = "tree = [\n";
  for (const NeededInode& inode : inodes) text += "  " + inline_table(inode) + ",\n";
  return text + "]\n";
}

std::string lost_content(const std::vector<NeededInode>& inodes) {
  std::string text;
  for (const auto& [path, facts] : inodes) {
    if (facts.kind != InodeKind::file || facts.size == 0) continue;
    text += toml_comment(fmt::format("{}: {} bytes are not kept", path, facts.size));
  }
  return text;
}

std::map<std::uint32_t, std::string> label_deleted(
    const MountTable& live, const std::map<std::uint32_t, std::string>& known) {
  std::map<DeviceNumber, Labels> labels;
  for (const auto& [index, label] : known)
    labels[device_of(live.mounts[index])].give(live.mounts[index], label);
  std::map<std::uint32_t, std::string> all;
  for (std::uint32_t index = 0; index < live.mounts.size(); ++index) {
    const LiveMount& mount = live.mounts[index];
    if (is_deleted_root(mount.root)) all.emplace(index, labels[device_of(mount)].of(mount));
  }
  return all;
}

TomlKeys inode_keys(const LiveMount& mount, const ListedSource& from) {
  const InodeFacts facts = mount.root_inode.value_or(InodeFacts{.mode = 0755});
  if (from.label.empty()) {
    const bool symlink = mount.root_inode && facts.kind == InodeKind::symlink;
    if (!symlink || !from.source.starts_with("parent:")) return {};
    return {{"follow", "false"}};
  }
  TomlKeys keys = {{"deleted", toml_string(from.label)}, {"kind", toml_string(kind_words(facts))}};
  const TomlKeys rights = ownership(facts);
  keys.insert(keys.end(), rights.begin(), rights.end());
  return keys;
}

TomlKeys changed_inode_keys(const Plan& plan, const DesiredMount& desired, const LiveMount& mount) {
  const auto node = std::ranges::find_if(plan.nodes, [&](const DesiredNode& candidate) {
    return candidate.superblock == desired.superblock && candidate.path == desired.root;
  });
  if (!desired.deleted || node == plan.nodes.end() || !mount.root_inode) return {};
  const InodeFacts& facts = *mount.root_inode;
  TomlKeys keys;
  if (facts.kind != InodeKind::symlink && facts.mode != node->mode)
    keys.emplace_back("mode", fmt::format("\"{:04o}\"", facts.mode));
  if (facts.uid != node->uid) keys.emplace_back("uid", std::to_string(facts.uid));
  if (facts.gid != node->gid) keys.emplace_back("gid", std::to_string(facts.gid));
  return keys;
}

std::string why_untraced(const LiveMount& mount, const MountTable& parent) {
  if (mount.fs_type == "nsfs") {
    return fmt::format("the file of a {} namespace, which cannot be made again",
                       mount.root.substr(0, mount.root.find(':')));
  }
  const bool deleted = is_deleted_root(mount.root);
  if (deleted && shows_device(parent, device_of(mount))) {
    return "it was removed from a filesystem of the parent";
  }
  if (deleted && find_filesystem(mount.fs_type) == nullptr) {
    return "it was removed: no path leads to it, no spec brings it back";
  }
  if (find_filesystem(mount.fs_type) == nullptr) {
    return fmt::format("{} of {}: neither the parent nor the container shows where it came from",
                       mount.fs_type, mount.source);
  }
  if (shows_device(parent, device_of(mount)) && !is_singleton(mount.fs_type)) {
    return "a part of a filesystem of the parent that the parent shows nowhere";
  }
  return deleted ? why_not_again(mount) : std::string{};
}

}  // namespace mntcr
