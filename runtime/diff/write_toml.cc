// The delta as a spec: what `mntcr compile` makes the live state of again. A whole capture is the
// same against nothing: every mount is listed.
//
// Beneath the obvious: a mount that covers another says `cover`, so that the base's mounts keep
// their parents; and whatever a walk then cannot meet is named by `on`.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "runtime/diff/align.h"
#include "runtime/diff/delta.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/expected.h"
#include "runtime/diff/expected_layers.h"
#include "runtime/diff/groups.h"
#include "runtime/diff/idmaps.h"
#include "runtime/diff/inodes.h"
#include "runtime/diff/layer_sources.h"
#include "runtime/diff/mount_tree.h"
#include "runtime/diff/names.h"
#include "runtime/diff/namespaces.h"
#include "runtime/diff/toml_changes.h"
#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

std::vector<std::uint32_t> all_mounts(const MountTable& table) {
  std::vector<std::uint32_t> all(table.mounts.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

class TomlWriter {
 public:
  /// `name` is the container's for a whole spec, empty for a delta.
  explicit TomlWriter(const DiffReport& report, std::string name = {},
                      const std::set<std::uint32_t>& relisted = {})
      : report_(report),
        name_(std::move(name)),
        tree_(report.live),
        delta_(make_delta(report, tree_, relisted)),
        trees_(trees_of(report.live, all_mounts(report.live))),
        layers_(layers_of(report.plan)),
        live_of_(counterparts(report.plan, report.live, report.changes)),
        groups_(report.plan, report.sources, report.live, tree_, live_of_, delta_.taken),
        idmaps_(report, delta_, desired_of_),
        changes_(report, delta_, live_of_, groups_, idmaps_) {
    for (std::uint32_t mount = 0; mount < live_of_.size(); ++mount) {
      if (live_of_[mount] != no_index) desired_of_[live_of_[mount]] = mount;
    }
    listed_.insert(delta_.mounts.begin(), delta_.mounts.end());
    names_.take("root");  // what [root] is called
    for (const DesiredMount& mount : report.plan.mounts) names_.take(mount.name);
  }

  std::string write() {
    changes_.gather();
    for (const std::uint32_t mount : delta_.mounts) place(mount);
    for (const auto& [live, desired] : desired_of_) reparent(live, desired);
    std::string text =
        removals() + changes_.filesystem_text() + changes_.text(layers_) + new_filesystems();
    for (const std::uint32_t mount : delta_.mounts) text += listed(mount);
    return head() + policy() + group_tables() + text;
  }

  /// The copies of sharing, desired, that write() has said something about in a [[change]], which
  /// finds none of them.
  [[nodiscard]] std::set<std::uint32_t> changed_copies() const { return changes_.copies(); }

 private:
  const DesiredMount& desired(std::uint32_t mount) const { return report_.plan.mounts[mount]; }
  const LiveMount& live(std::uint32_t mount) const { return report_.live.mounts[mount]; }

  [[nodiscard]] bool whole() const { return !name_.empty(); }

  std::string head() const {
    if (whole()) return fmt::format("spec = 1\nname = {}\n", toml_string(name_)) + unknown();
    return fmt::format("spec = 1\nextends = [{}]\n", toml_string(report_.extends)) + unknown() +
           checkpoint();
  }

  /// What the spec says nothing about because nobody could look.
  [[nodiscard]] std::string unknown() const {
    const std::string& why = report_.live.inodes_unknown;
    if (why.empty()) return {};
    return toml_comment("the directories that mounts need could not be looked at: " + why) +
           toml_comment("their modes and owners are not in this spec");
  }

  std::string checkpoint() const {
    if (!report_.checkpoint) return {};
    const CheckpointRecord& record = *report_.checkpoint;
    std::string text = "\n[checkpoint]\n";
    if (!record.digest.empty()) text += "digest = " + toml_string(record.digest) + '\n';
    text += fmt::format("sequence = {}\ntime = {}\nhost = {}\nkernel = {}\n", record.sequence,
                        record.time, toml_string(record.host), toml_string(record.kernel));
    std::string settings;
    for (const PlanSetting& setting : record.settings) {
      settings += settings.empty() ? "" : ", ";
      settings += fmt::format("{} = {}", setting.name, toml_string(setting.value));
    }
    return settings.empty() ? text : text + fmt::format("set = {{ {} }}\n", settings);
  }

  /// All mounts are listed, so sharing shall imply no others.
  std::string policy() const {
    const bool shares = std::ranges::any_of(report_.live.mounts, [](const LiveMount& mount) {
      return mount.peer_group != 0 || mount.master != 0;
    });
    const bool lists = !delta_.mounts.empty();
    return lists && shares ? "\n[policy]\ncopies = \"listed\"\n" : "";
  }

  std::string removals() const {
    std::string text;
    for (const std::uint32_t mount : delta_.removals) {
      const auto& superblock = report_.plan.superblocks[desired(mount).superblock];
      text += '\n' + toml_comment("gone: " + desired_source(desired(mount), superblock)) +
              "[[remove]]\n" + toml_address(report_.plan, layers_, mount);
    }
    return text;
  }

  // --- Where listed mounts stand.

  /// Says `on` for a listed mount that the rules of the language would place elsewhere.
  void place(std::uint32_t mount) {
    std::vector<bool> unseen = delta_.unseen;
    unseen[mount] = true;
    const std::uint32_t parent = tree_.parent(mount);
    if (parent == no_index || walks_to(mount, unseen) == parent) return;
    on_.emplace(mount, name_of(parent));
  }

  [[nodiscard]] std::uint32_t walks_to(std::uint32_t mount, const std::vector<bool>& unseen) const {
    return tree_.walk(live(mount).ns, live(mount).mountpoint, unseen);
  }

  /// Says `on` for a mount of the base that now lies on a mount which walks pass.
  void reparent(std::uint32_t mount, std::uint32_t desired_mount) {
    const std::uint32_t parent = tree_.parent(mount);
    const bool on_new = parent != no_index && listed_.contains(parent) && delta_.unseen[parent];
    if (listed_.contains(mount) || !on_new || stays_above(mount, desired_mount)) return;
    ChangeEntry& entry = changes_.of(desired_mount);
    entry.comments.emplace_back("lies on a mount that appeared beneath it");
    entry.keys.emplace_back("on", toml_string(name_of(parent)));
  }

  /// Whether a mount of the base comes to lie on the new ones beneath it by itself: it says `on`,
  /// and the lowest of them says the same.
  bool stays_above(std::uint32_t mount, std::uint32_t desired_mount) const {
    if (!desired(desired_mount).on) return false;
    std::uint32_t lowest = tree_.parent(mount);
    while (listed_.contains(tree_.parent(lowest)) && tree_.place(lowest).empty())
      lowest = tree_.parent(lowest);
    const std::uint32_t below = live_of_[desired(desired_mount).parent];
    return on_.contains(lowest) && tree_.parent(lowest) == below;
  }

  /// The name by which `on` means a mount; one of the base gets it by a [[change]].
  std::string name_of(std::uint32_t mount) {
    if (tree_.is_root(mount)) return "root";  // of its namespace
    const auto known = mount_names_.find(mount);
    if (known != mount_names_.end()) return known->second;
    const auto base = desired_of_.find(mount);
    const bool is_base = base != desired_of_.end() && !listed_.contains(mount);
    if (is_base && !desired(base->second).name.empty()) return desired(base->second).name;
    std::string name = names_.derive(live(mount).mountpoint);
    mount_names_.emplace(mount, name);
    if (is_base) {
      ChangeEntry& entry = changes_.of(base->second);
      entry.comments.emplace_back("gets a name for what lies on it");
      entry.keys.emplace_back("name", toml_string(name));
    }
    return name;
  }

  // --- Text.

  std::string new_filesystems() const {
    std::string text;
    for (const ListedFilesystem& filesystem : delta_.filesystems) {
      const LiveMount& shown = live(filesystem.live);
      const std::vector<NeededInode> tree = filesystem.parent.empty()
                                                ? tree_on(shown, filesystem.of.empty())
                                                : std::vector<NeededInode>{};
      text += '\n' + lost_content(tree) + fmt::format("[filesystem.{}]\n", filesystem.name);
      if (!filesystem.parent.empty()) {
        text += "parent = " + toml_string(filesystem.parent) + '\n';
        continue;
      }
      if (!filesystem.of.empty()) {
        if (filesystem.of_ns != main_namespace)
          text += "namespace = " + toml_string(filesystem.of_ns) + '\n';
        text += "of = " + toml_string(filesystem.of) + '\n';
        if (filesystem.layer != no_index) text += fmt::format("layer = {}\n", filesystem.layer);
        text += tree_text(tree);
        continue;
      }
      text += "type = " + toml_string(shown.fs_type) + '\n' + layers(filesystem.live);
      const std::vector<std::string> words = filesystem_words(shown, report_.live.ids_are_ours);
      if (!words.empty()) text += "options = " + toml_array(words) + '\n';
      text += fsname(shown) + tree_text(tree);
    }
    return text;
  }

  /// What mounts need on the filesystem of `shown`: of one of the base what it lacks.
  [[nodiscard]] std::vector<NeededInode> tree_on(const LiveMount& shown, bool made_here) const {
    const NeededInodes& trees = made_here ? trees_ : delta_.trees;
    const auto found = trees.find({shown.dev_major, shown.dev_minor});
    return found == trees.end() ? std::vector<NeededInode>{} : found->second;
  }

  std::string listed(std::uint32_t mount) {
    const ListedSource& from = delta_.sources.at(mount);
    const std::vector<std::uint32_t> covered = tree_.covered_by(mount);
    std::string text = "\n";
    if (!whole()) {
      const bool again = desired_of_.contains(mount);
      const std::string what = from.type.empty() ? from.source : from.type;
      text += toml_comment((again ? "still there: " : "appeared: ") + what);
    }
    if (!from.note.empty()) text += toml_comment(from.note);
    const bool makes = !from.type.empty();
    const std::vector<NeededInode> tree =
        makes ? tree_on(live(mount), true) : std::vector<NeededInode>{};
    text += lost_content(tree);
    if (!covered.empty()) text += toml_comment(describe_covered(report_.live, covered));
    if (const std::string lack = groups_.lacks(mount); !lack.empty()) text += toml_comment(lack);
    const std::string keys = source_keys(mount, from) + tree_text(tree);
    if (!tree_.is_root(mount)) return text + placement(mount, !covered.empty()) + keys;
    if (is_in_main(report_.live, live(mount))) return text + "[root]\n" + keys;
    return text + fmt::format("[[namespace]]\nname = {}\nroot = {}\n", toml_string(ns_of(mount)),
                              inline_table(keys));
  }

  [[nodiscard]] const std::string& ns_of(std::uint32_t mount) const {
    return report_.live.namespaces[live(mount).ns];
  }

  /// Lines of keys as an inline table. A line break is never within a value, save between the
  /// entries of a tree, each of which ends with a comma.
  static std::string inline_table(const std::string& keys) {
    std::string text;
    for (std::size_t at = 0; at < keys.size(); ++at) {
      if (keys[at] != '\n') {
        text += keys[at];
      } else if (text.ends_with('[') || text.ends_with(',')) {
        text += ' ';
      } else if (at + 1 < keys.size()) {
        text += ", ";
      }
    }
    return "{ " + text + " }";
  }

  std::string placement(std::uint32_t mount, bool covers) const {
    std::string text = "[[mount]]\n";
    if (!is_in_main(report_.live, live(mount)))
      text += "namespace = " + toml_string(ns_of(mount)) + '\n';
    text += "target = " + toml_string(live(mount).mountpoint) + '\n';
    if (const auto name = mount_names_.find(mount); name != mount_names_.end()) {
      text += "name = " + toml_string(name->second) + '\n';
    }
    if (const auto on = on_.find(mount); on != on_.end()) {
      text += "on = " + toml_string(on->second) + '\n';
    }
    if (covers) text += "cover = true\n";
    return text;
  }

  /// The layers of an overlay that the mount makes.
  std::string layers(std::uint32_t mount) const {
    const auto found = delta_.layers.find(mount);
    return found == delta_.layers.end() ? std::string{} : toml_lines(layer_keys(found->second));
  }

  std::string source_keys(std::uint32_t mount, const ListedSource& from) {
    const LiveMount& found = live(mount);
    std::vector<std::string> options = flag_words(found);
    std::string text;
    if (from.type.empty()) {
      text += "source = " + toml_string(from.source) + '\n';
      text += toml_lines(inode_keys(found, from));
    } else {
      text += "type = " + toml_string(from.type) + '\n' + layers(mount) + fsname(found);
      const auto words = filesystem_words(found, report_.live.ids_are_ours);
      options.insert(options.end(), words.begin(), words.end());
    }
    if (!options.empty()) text += "options = " + toml_array(options) + '\n';
    if (const std::string value = idmaps_.value(mount); !value.empty()) {
      text += "idmap = " + value + '\n';
    }
    const std::string words = groups_.words(mount);
    if (words != "private") text += "propagation = " + toml_string(words) + '\n';
    return text;
  }

  static std::string fsname(const LiveMount& mount) {
    const std::string name = fsname_word(mount);
    return name.empty() ? "" : "fsname = " + toml_string(name) + '\n';
  }

  std::string group_tables() const {
    std::string text;
    for (const GroupNames::Crossing& group : groups_.crossings()) {
      text +=
          fmt::format("\n[group.{}]\nparent = {}\n", group.name, toml_string(group.outside.path));
      if (group.outside.exact) text += "exact = true\n";
    }
    return text;
  }

  const DiffReport& report_;
  const std::string name_;
  const MountTree tree_;
  const Delta delta_;
  const NeededInodes trees_;
  const std::vector<std::uint32_t> layers_;
  const std::vector<std::uint32_t> live_of_;
  GroupNames groups_;
  UniqueNames names_;
  IdmapWords idmaps_;
  std::map<std::uint32_t, std::uint32_t> desired_of_;
  std::set<std::uint32_t> listed_;
  TomlChanges changes_;
  std::map<std::uint32_t, std::string> on_;
  std::map<std::uint32_t, std::string> mount_names_;
};

std::vector<Change> all_added(const MountTable& live) {
  std::vector<Change> changes;
  for (std::uint32_t mount = 0; mount < live.mounts.size(); ++mount) {
    changes.push_back({Change::Kind::added, no_index, mount, {}});
  }
  return changes;
}

std::string write_whole(const std::string& name, const DiffReport& report) {
  return TomlWriter(report, name).write();
}

}  // namespace

std::string write_toml(const DiffReport& report) {
  std::set<std::uint32_t> relisted;
  for (;;) {
    TomlWriter writer(report, {}, relisted);
    std::string text = writer.write();
    const std::size_t before = relisted.size();
    relisted.merge(writer.changed_copies());
    if (relisted.size() == before) return text;
  }
}

std::string write_spec(const std::string& name, const MountTable& live, const MountTable& parent) {
  const Plan nothing;
  ResolvedSources sources;
  sources.outside = find_outside(parent, &live);
  return write_whole(name, {nothing, live, parent, sources, all_added(live), {}});
}

std::string write_flat(const Plan& plan) {
  const Plan nothing = hidden_names(plan);
  const MountTable parent = expected_parent(plan);
  const MountTable table = expected_table(plan);
  ResolvedSources sources;
  sources.outside = expected_outside(plan);
  DiffReport report{nothing, table, parent, sources, all_added(table), {}};
  for (const DesiredMount& mount : plan.mounts) {
    const DesiredSuperblock& superblock = plan.superblocks[mount.superblock];
    const bool of_parent = superblock.kind == DesiredSuperblock::Kind::parent;
    report.known_sources.push_back(of_parent ? desired_source(mount, superblock) : "");
  }
  return write_whole(plan.name, report) + hidden_filesystems(plan);
}

}  // namespace mntcr
