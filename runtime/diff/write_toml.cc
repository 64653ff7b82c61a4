// The delta as a spec: what `mntcr compile` makes the live state of again. A whole capture is the
// same against nothing: every mount is listed.
//
// Beneath the obvious: a mount that covers another says `cover`, so that the base's mounts keep
// their parents; whatever a walk then cannot meet is named by `on`; and a parameter of a filesystem
// is changed where the base wrote it, which need not be the mount that shows the change.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
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
#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

/// A [[change]] while it is gathered.
struct ChangeEntry {
  std::vector<std::string> comments;
  std::vector<std::string> options;
  bool all_options = false;  ///< `options` holds all, not only what differs
  std::vector<std::pair<std::string, std::string>> keys;  ///< other keys with their values as TOML
  std::vector<std::string> unset;
};

/// A [filesystem.NAME] of the base while its changes are gathered.
struct FilesystemEntry {
  std::vector<std::string> comments;
  std::optional<std::vector<std::string>> options;
  std::optional<std::string> fsname;
  TomlKeys layers;
};

std::vector<std::string> to_strings(const std::vector<std::string_view>& words) {
  return {words.begin(), words.end()};
}

/// The mount of a superblock that the spec wrote `type` in: of those that begin before the word,
/// the nearest. Without spans the first.
std::uint32_t owner_of(const Plan& plan, std::uint32_t superblock) {
  const Span word = plan.superblocks[superblock].span;
  std::uint32_t owner = no_index;
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const DesiredMount& candidate = plan.mounts[mount];
    if (candidate.superblock != superblock) continue;
    const auto written_at = [&](const DesiredMount& it) {
      const bool before = it.span.file == word.file && it.span.begin <= word.begin;
      return before ? std::int64_t{it.span.begin} : -1;
    };
    if (owner == no_index || written_at(candidate) > written_at(plan.mounts[owner])) owner = mount;
  }
  return owner;
}

std::vector<std::uint32_t> all_mounts(const MountTable& table) {
  std::vector<std::uint32_t> all(table.mounts.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

class TomlWriter {
 public:
  /// `name` is the container's for a whole spec, empty for a delta.
  explicit TomlWriter(const DiffReport& report, std::string name = {})
      : report_(report),
        name_(std::move(name)),
        tree_(report.live),
        delta_(make_delta(report, tree_)),
        trees_(trees_of(report.live, all_mounts(report.live))),
        layers_(layers_of(report.plan)),
        live_of_(counterparts(report.plan, report.live, report.changes)),
        groups_(report.live, report.parent),
        idmaps_(report, delta_, desired_of_) {
    for (std::uint32_t mount = 0; mount < live_of_.size(); ++mount) {
      if (live_of_[mount] != no_index) desired_of_[live_of_[mount]] = mount;
    }
    listed_.insert(delta_.mounts.begin(), delta_.mounts.end());
    names_.take("root");  // what [root] is called
    for (const DesiredMount& mount : report.plan.mounts) names_.take(mount.name);
  }

  std::string write() {
    for (const Change* change : delta_.changes) gather(*change);
    for (const std::uint32_t mount : delta_.resourced) {
      const auto& superblock = report_.plan.superblocks[desired(mount).superblock];
      gather_source(
          mount, live_of_[mount],
          "shows the same, by another way: was " + desired_source(desired(mount), superblock));
    }
    for (const auto& [found, mount] : desired_of_) gather_inode(found, mount);
    for (const std::uint32_t mount : delta_.mounts) place(mount);
    for (const auto& [live, desired] : desired_of_) reparent(live, desired);
    std::string text = removals() + filesystem_changes() + changes() + new_filesystems();
    for (const std::uint32_t mount : delta_.mounts) text += listed(mount);
    return head() + group_tables() + text;
  }

 private:
  const DesiredMount& desired(std::uint32_t mount) const { return report_.plan.mounts[mount]; }
  const LiveMount& live(std::uint32_t mount) const { return report_.live.mounts[mount]; }

  [[nodiscard]] bool whole() const { return !name_.empty(); }

  std::string head() const {
    if (whole()) return fmt::format("spec = 1\nname = {}\n", toml_string(name_));
    return fmt::format("spec = 1\nextends = [{}]\n", toml_string(report_.extends)) + checkpoint();
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

  std::string address(std::uint32_t mount) const {
    std::string text = "target = " + toml_string(desired(mount).target) + '\n';
    if (layers_[mount] != no_index) text += fmt::format("layer = {}\n", layers_[mount]);
    return text;
  }

  std::string removals() const {
    std::string text;
    for (const std::uint32_t mount : delta_.removals) {
      const auto& superblock = report_.plan.superblocks[desired(mount).superblock];
      text += '\n' + toml_comment("gone: " + desired_source(desired(mount), superblock)) +
              "[[remove]]\n" + address(mount);
    }
    return text;
  }

  // --- What changed, gathered by the entry of the base that it belongs to.

  void gather(const Change& change) {
    const LiveMount& found = live(change.live);
    ChangeEntry& entry = changes_[change.desired];
    for (const Difference& difference : change.differences) {
      const std::string was = fmt::format("{}: was {}", difference.what, difference.was);
      if (difference.what == "options") {
        entry.comments.push_back(was);
        const AttrDemand& demand = desired(change.desired).attrs;
        for (const std::string_view word : attr_words(found.attrs, demand.mask)) {
          const MountOption* option = find_mount_option(word);
          const bool differs =
              option != nullptr && ((found.attrs ^ demand.value) & option->demand.mask) != 0;
          if (differs && !entry.all_options) entry.options.emplace_back(word);
        }
      } else if (difference.what == "propagation") {
        entry.comments.push_back(was);
        entry.keys.emplace_back("propagation", toml_string(groups_.words(found)));
      } else if (difference.what == "idmap") {
        entry.comments.push_back(was);
        gather_idmap(entry, change);
      } else if (difference.what == "source") {
        gather_source(change.desired, change.live,
                      is_deleted(found) ? was + ", is " + difference.is : was);
      } else {
        gather_superblock(change, difference, was);
      }
    }
  }

  /// Another source. A mount that made its filesystem, or makes one now, writes its options anew:
  /// some of them are the filesystem's.
  void gather_source(std::uint32_t mount, std::uint32_t found, const std::string& was) {
    const ListedSource& from = delta_.sources.at(found);
    ChangeEntry& entry = changes_[mount];
    entry.comments.push_back(was);
    if (!from.note.empty()) entry.comments.push_back(from.note);
    const DesiredSuperblock& superblock = report_.plan.superblocks[desired(mount).superblock];
    const bool made_here = superblock.kind == DesiredSuperblock::Kind::made &&
                           superblock.name.empty() && desired(mount).self.empty() &&
                           desired(mount).of == no_index;
    if (made_here != !from.type.empty()) entry.unset.emplace_back(made_here ? "type" : "source");
    if (made_here && superblock.fsname != superblock.type) entry.unset.emplace_back("fsname");
    if (made_here && superblock.type != from.type) unset_layers(superblock, entry.unset);
    if (made_here || !from.type.empty()) {
      const bool has_options = desired(mount).attrs.mask != 0 || !superblock.params.empty();
      if (has_options) entry.unset.emplace_back("options");
      entry.all_options = true;
      entry.options = flag_words(live(found));
      if (!from.type.empty()) append_filesystem_words(entry.options, live(found));
    }
    if (from.type.empty()) {
      entry.keys.emplace_back("source", toml_string(from.source));
      const TomlKeys more = inode_keys(live(found), from);
      entry.keys.insert(entry.keys.end(), more.begin(), more.end());
    } else {
      entry.keys.emplace_back("type", toml_string(from.type));
      const auto layers = delta_.layers.find(found);
      if (layers != delta_.layers.end()) {
        const TomlKeys keys = layer_keys(layers->second);
        entry.keys.insert(entry.keys.end(), keys.begin(), keys.end());
      }
      if (const std::string name = fsname_of(live(found)); !name.empty())
        entry.keys.emplace_back("fsname", toml_string(name));
    }
  }

  /// Mode and owner of a removed inode that a mount of the base shows.
  void gather_inode(std::uint32_t found, std::uint32_t mount) {
    if (delta_.taken[mount] || delta_.sources.contains(found)) return;
    const TomlKeys keys = changed_inode_keys(report_.plan, desired(mount), live(found));
    if (keys.empty()) return;
    ChangeEntry& entry = changes_[mount];
    entry.comments.emplace_back("the removed inode changed");
    entry.keys.insert(entry.keys.end(), keys.begin(), keys.end());
  }

  void gather_idmap(ChangeEntry& entry, const Change& change) const {
    if (const std::string value = idmaps_.value(change.live); !value.empty()) {
      entry.keys.emplace_back("idmap", value);
    } else if (desired(change.desired).idmap != no_index) {
      entry.unset.emplace_back("idmap");
    }
  }

  /// All flags that are known, as words.
  static std::vector<std::string> flag_words(const LiveMount& found) {
    return to_strings(attr_words(found.attrs, found.attrs_known));
  }

  void append_filesystem_words(std::vector<std::string>& options, const LiveMount& found) const {
    const std::vector<std::string> words = filesystem_words(found, report_.live.ids_are_ours);
    options.insert(options.end(), words.begin(), words.end());
  }

  void gather_superblock(const Change& change, const Difference& difference,
                         const std::string& was) {
    const LiveMount& found = live(change.live);
    const std::uint32_t index = desired(change.desired).superblock;
    const DesiredSuperblock& superblock = report_.plan.superblocks[index];
    const bool is_name = difference.what == "fsname";
    if (!superblock.name.empty()) {
      FilesystemEntry& entry = filesystems_[superblock.name];
      entry.comments.push_back(was);
      if (is_name) {
        entry.fsname = found.source;
      } else if (is_layer_key(difference.what)) {
        const TomlKeys values = layer_values(change, difference);
        entry.layers.insert(entry.layers.end(), values.begin(), values.end());
      } else {
        entry.options = filesystem_words(found, report_.live.ids_are_ours);
      }
      return;
    }
    const std::uint32_t owner = owner_of(report_.plan, index);
    if (delta_.taken[owner]) return;  // those that still show it get it as it is now
    ChangeEntry& entry = changes_[owner];
    entry.comments.push_back(was);
    if (is_name) {
      entry.keys.emplace_back("fsname", toml_string(found.source));
    } else if (is_layer_key(difference.what)) {
      gather_layers(entry, change, difference);
    } else if (const FilesystemFlag* flag = find_filesystem_flag(difference.what)) {
      const std::uint64_t flags = filesystem_flags_of(found);
      entry.options.emplace_back(filesystem_flag_words(flags, flag->demand.mask).front());
    } else if (difference.is == "default") {
      entry.comments.push_back(
          fmt::format("{}: back at the kernel's default, which has no word", difference.what));
    } else {
      entry.options.push_back(param_word(superblock.type, difference));
    }
  }

  void gather_layers(ChangeEntry& entry, const Change& change, const Difference& difference) {
    const auto values = layer_values(change, difference);
    if (difference.is == "none") {
      entry.unset.push_back(difference.what);
    } else if (values.empty()) {
      entry.comments.push_back(
          fmt::format("{}: now {}, which has no word here", difference.what, difference.is));
      return;
    }
    entry.keys.insert(entry.keys.end(), values.begin(), values.end());
  }

  static bool is_layer_key(std::string_view what) {
    return what == "lower" || what == "upper" || what == "work" || what == "data";
  }

  /// The key of a difference in layers with its value as TOML; nothing where that has no word.
  TomlKeys layer_values(const Change& change, const Difference& difference) const {
    TomlKeys values;
    const auto layers = delta_.layers.find(change.live);
    if (layers == delta_.layers.end()) return values;
    for (const auto& [key, value] : layer_keys(layers->second)) {
      if (key == difference.what) values.emplace_back(key, value);
    }
    return values;
  }

  static std::string param_word(const std::string& type, const Difference& difference) {
    const FilesystemParam* param = find_filesystem_param(type, difference.what);
    const bool flag = param != nullptr && param->kind == ParamKind::flag;
    return flag ? difference.is : difference.what + '=' + difference.is;
  }

  // --- Where listed mounts stand.

  /// Says `on` for a listed mount that the rules of the language would place elsewhere.
  void place(std::uint32_t mount) {
    std::vector<bool> unseen = delta_.unseen;
    unseen[mount] = true;
    const std::uint32_t parent = tree_.parent(mount);
    if (parent == no_index || tree_.walk(live(mount).mountpoint, unseen) == parent) return;
    on_.emplace(mount, name_of(parent));
  }

  /// Says `on` for a mount of the base that now lies on a mount which walks pass.
  void reparent(std::uint32_t mount, std::uint32_t desired_mount) {
    const std::uint32_t parent = tree_.parent(mount);
    const bool on_new = parent != no_index && listed_.contains(parent) && delta_.unseen[parent];
    if (listed_.contains(mount) || !on_new || stays_above(mount, desired_mount)) return;
    ChangeEntry& entry = changes_[desired_mount];
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
    if (mount == 0) return "root";
    const auto known = mount_names_.find(mount);
    if (known != mount_names_.end()) return known->second;
    const auto base = desired_of_.find(mount);
    const bool is_base = base != desired_of_.end() && !listed_.contains(mount);
    if (is_base && !desired(base->second).name.empty()) return desired(base->second).name;
    std::string name = names_.derive(live(mount).mountpoint);
    mount_names_.emplace(mount, name);
    if (is_base) {
      ChangeEntry& entry = changes_[base->second];
      entry.comments.emplace_back("gets a name for what lies on it");
      entry.keys.emplace_back("name", toml_string(name));
    }
    return name;
  }

  // --- Text.

  std::string filesystem_changes() const {
    std::string text;
    for (const auto& [name, entry] : filesystems_) {
      text += '\n' + comments(entry.comments) + fmt::format("[filesystem.{}]\n", name);
      if (entry.options) text += "options = " + toml_array(*entry.options) + '\n';
      if (entry.fsname) text += "fsname = " + toml_string(*entry.fsname) + '\n';
      for (const auto& [key, value] : entry.layers) text += fmt::format("{} = {}\n", key, value);
    }
    return text;
  }

  std::string changes() const {
    std::string text;
    for (const auto& [mount, entry] : changes_) {
      if (entry.comments.empty()) continue;
      const bool says = !entry.options.empty() || !entry.keys.empty() || !entry.unset.empty();
      text += '\n' + comments(entry.comments);
      if (!says) continue;
      text += "[[change]]\n" + address(mount);
      if (!entry.options.empty()) text += "options = " + toml_array(entry.options) + '\n';
      for (const auto& [key, value] : entry.keys) text += fmt::format("{} = {}\n", key, value);
      if (!entry.unset.empty()) text += "unset = " + toml_array(entry.unset) + '\n';
    }
    return text;
  }

  std::string new_filesystems() const {
    std::string text;
    for (const ListedFilesystem& filesystem : delta_.filesystems) {
      const LiveMount& shown = live(filesystem.live);
      const std::vector<NeededInode> tree = tree_on(shown, filesystem.of.empty());
      text += '\n' + lost_content(tree) + fmt::format("[filesystem.{}]\n", filesystem.name);
      if (!filesystem.of.empty()) {
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
    return text + (mount == 0 ? "[root]\n" : placement(mount, !covered.empty())) +
           source_keys(mount, from) + tree_text(tree);
  }

  std::string placement(std::uint32_t mount, bool covers) const {
    std::string text = "[[mount]]\ntarget = " + toml_string(live(mount).mountpoint) + '\n';
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
    std::string text;
    const auto found = delta_.layers.find(mount);
    if (found == delta_.layers.end()) return text;
    for (const auto& [key, value] : layer_keys(found->second))
      text += fmt::format("{} = {}\n", key, value);
    return text;
  }

  std::string source_keys(std::uint32_t mount, const ListedSource& from) {
    const LiveMount& found = live(mount);
    std::vector<std::string> options = flag_words(found);
    std::string text;
    if (from.type.empty()) {
      text += "source = " + toml_string(from.source) + '\n';
      for (const auto& [key, value] : inode_keys(found, from)) {
        text += fmt::format("{} = {}\n", key, value);
      }
    } else {
      text += "type = " + toml_string(from.type) + '\n' + layers(mount) + fsname(found);
      append_filesystem_words(options, found);
    }
    if (!options.empty()) text += "options = " + toml_array(options) + '\n';
    if (const std::string value = idmaps_.value(mount); !value.empty()) {
      text += "idmap = " + value + '\n';
    }
    const std::string words = groups_.words(found);
    if (words != "private") text += "propagation = " + toml_string(words) + '\n';
    return text;
  }

  /// Empty where it is the usual one.
  static std::string fsname_of(const LiveMount& mount) {
    const bool usual = mount.source == mount.fs_type;
    return usual ? "" : mount.source;
  }

  static std::string fsname(const LiveMount& mount) {
    const std::string name = fsname_of(mount);
    return name.empty() ? "" : "fsname = " + toml_string(name) + '\n';
  }

  static std::string comments(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += toml_comment(line);
    return text;
  }

  std::string group_tables() const {
    std::string text;
    for (const GroupNames::Crossing& group : groups_.crossings()) {
      text += fmt::format("\n[group.{}]\nparent = {}\nexact = true\n", group.name,
                          toml_string(group.parent_path));
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
  std::map<std::uint32_t, ChangeEntry> changes_;
  std::map<std::string, FilesystemEntry> filesystems_;
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

std::string write_toml(const DiffReport& report) { return TomlWriter(report).write(); }

std::string write_spec(const std::string& name, const MountTable& live, const MountTable& parent) {
  const Plan nothing;
  return write_whole(name, {nothing, live, parent, all_added(live), {}});
}

std::string write_flat(const Plan& plan) {
  const Plan nothing = hidden_names(plan);
  const MountTable parent;
  const MountTable table = expected_table(plan);
  DiffReport report{nothing, table, parent, all_added(table), {}};
  for (const DesiredMount& mount : plan.mounts) {
    const DesiredSuperblock& superblock = plan.superblocks[mount.superblock];
    const bool of_parent = superblock.kind == DesiredSuperblock::Kind::parent;
    report.known_sources.push_back(of_parent ? desired_source(mount, superblock) : "");
  }
  return write_whole(plan.name, report) + hidden_filesystems(plan);
}

}  // namespace mntcr
