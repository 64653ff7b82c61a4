#include "runtime/diff/toml_changes.h"

#include <fmt/format.h>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/diff/layer_sources.h"
#include "runtime/diff/names.h"
#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

/// The mount of a superblock that the spec wrote `type` in: of those that begin before the word,
/// the nearest. Without spans the first; never a copy of sharing, which has no entry.
std::uint32_t owner_of(const Plan& plan, std::uint32_t superblock) {
  const Span word = plan.superblocks[superblock].span;
  std::uint32_t owner = no_index;
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    const DesiredMount& candidate = plan.mounts[mount];
    if (candidate.superblock != superblock || candidate.implied == Implied::sharing) continue;
    const auto written_at = [&](const DesiredMount& it) {
      const bool before = it.span.file == word.file && it.span.begin <= word.begin;
      return before ? std::int64_t{it.span.begin} : -1;
    };
    if (owner == no_index || written_at(candidate) > written_at(plan.mounts[owner])) owner = mount;
  }
  return owner;
}

bool is_layer_key(std::string_view what) {
  return what == "lower" || what == "upper" || what == "work" || what == "data";
}

std::string param_word(const std::string& type, const Difference& difference) {
  const FilesystemParam* param = find_filesystem_param(type, difference.what);
  const bool flag = param != nullptr && param->kind == ParamKind::flag;
  return flag ? difference.is : difference.what + '=' + difference.is;
}

/// Whether the entry of a mount wrote the type of its filesystem.
bool makes_its_own(const DesiredMount& mount, const DesiredSuperblock& superblock) {
  return superblock.kind == DesiredSuperblock::Kind::made && superblock.name.empty() &&
         mount.self.empty() && mount.of == no_index;
}

}  // namespace

std::string toml_address(const Plan& plan, const std::vector<std::uint32_t>& layers,
                         std::uint32_t mount) {
  const std::string& ns = plan.namespaces[plan.mounts[mount].ns].name;
  std::string text = ns == main_namespace ? "" : "namespace = " + toml_string(ns) + '\n';
  text += "target = " + toml_string(plan.mounts[mount].target) + '\n';
  if (layers[mount] != no_index) text += fmt::format("layer = {}\n", layers[mount]);
  return text;
}

std::string toml_comments(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += toml_comment(line);
  return text;
}

void TomlChanges::gather() {
  for (const Change* change : delta_.changes) gather(*change);
  for (const std::uint32_t mount : delta_.resourced) {
    const auto& superblock = report_.plan.superblocks[desired(mount).superblock];
    gather_source(
        mount, live_of_[mount],
        "shows the same, by another way: was " + desired_source(desired(mount), superblock));
  }
  for (std::uint32_t mount = 0; mount < live_of_.size(); ++mount) {
    if (live_of_[mount] == no_index) continue;
    gather_inode(live_of_[mount], mount);
    gather_group_name(live_of_[mount], mount);
  }
  for (const std::uint32_t mount : delta_.silenced) {
    ChangeEntry& entry = changes_[mount];
    entry.comments.emplace_back("not all copies that sharing implies of it are there");
    entry.keys.emplace_back("propagate", "false");
  }
}

void TomlChanges::gather(const Change& change) {
  const LiveMount& found = live(change.live);
  ChangeEntry& entry = changes_[change.desired];
  for (const Difference& difference : change.differences) {
    const std::string was = fmt::format("{}: was {}", difference.what, difference.was);
    if (difference.what == "options") {
      entry.comments.push_back(was);
      gather_options(entry, change);
    } else if (difference.what == "propagation") {
      entry.comments.push_back(was);
      gather_propagation(entry, change.live);
    } else if (difference.what == "idmap") {
      entry.comments.push_back(was);
      gather_idmap(entry, change);
    } else if (difference.what == "source") {
      gather_source(change.desired, change.live,
                    is_deleted_root(found.root) ? was + ", is " + difference.is : was);
    } else {
      gather_superblock(change, difference, was);
    }
  }
}

void TomlChanges::gather_options(ChangeEntry& entry, const Change& change) const {
  if (entry.all_options) return;
  const std::uint64_t attrs = live(change.live).attrs;
  const AttrDemand& demand = desired(change.desired).attrs;
  for (const std::string_view word : attr_words(attrs, demand.mask)) {
    const MountOption* option = find_mount_option(word);
    const bool differs = option != nullptr && ((attrs ^ demand.value) & option->demand.mask) != 0;
    if (differs) entry.options.emplace_back(word);
  }
}

/// Another source.
void TomlChanges::gather_source(std::uint32_t mount, std::uint32_t found, const std::string& was) {
  const ListedSource& from = delta_.sources.at(found);
  ChangeEntry& entry = changes_[mount];
  entry.comments.push_back(was);
  if (!from.note.empty()) entry.comments.push_back(from.note);
  gather_options_of_source(entry, mount, found);
  TomlKeys keys;
  if (from.type.empty()) {
    keys = inode_keys(live(found), from);
    keys.insert(keys.begin(), {"source", toml_string(from.source)});
  } else {
    const auto layers = delta_.layers.find(found);
    if (layers != delta_.layers.end()) keys = layer_keys(layers->second);
    keys.insert(keys.begin(), {"type", toml_string(from.type)});
    if (const std::string name = fsname_word(live(found)); !name.empty())
      keys.emplace_back("fsname", toml_string(name));
  }
  entry.keys.insert(entry.keys.end(), keys.begin(), keys.end());
}

/// A mount that made its filesystem, or makes one now, writes its options anew: some of them are
/// the filesystem's. What goes with the old source is unset.
void TomlChanges::gather_options_of_source(ChangeEntry& entry, std::uint32_t mount,
                                           std::uint32_t found) {
  const ListedSource& from = delta_.sources.at(found);
  const DesiredSuperblock& superblock = report_.plan.superblocks[desired(mount).superblock];
  const bool made_here = makes_its_own(desired(mount), superblock);
  const bool makes_now = !from.type.empty();
  if (made_here != makes_now) entry.unset.emplace_back(made_here ? "type" : "source");
  if (made_here && superblock.fsname != superblock.type) entry.unset.emplace_back("fsname");
  if (made_here && superblock.type != from.type) unset_layers(superblock, entry.unset);
  if (!made_here && !makes_now) return;
  const bool has_options = desired(mount).attrs.mask != 0 || !superblock.params.empty();
  if (has_options) entry.unset.emplace_back("options");
  entry.all_options = true;
  entry.options = flag_words(live(found));
  if (!makes_now) return;
  const auto words = filesystem_words(live(found), report_.live.ids_are_ours);
  entry.options.insert(entry.options.end(), words.begin(), words.end());
}

/// Mode and owner of a removed inode that a mount of the base shows.
void TomlChanges::gather_inode(std::uint32_t found, std::uint32_t mount) {
  if (delta_.taken[mount] || delta_.sources.contains(found)) return;
  const TomlKeys keys = changed_inode_keys(report_.plan, desired(mount), live(found));
  if (keys.empty()) return;
  ChangeEntry& entry = changes_[mount];
  entry.comments.emplace_back("the removed inode changed");
  entry.keys.insert(entry.keys.end(), keys.begin(), keys.end());
}

void TomlChanges::gather_propagation(ChangeEntry& entry, std::uint32_t found) {
  if (const std::string lack = groups_.lacks(found); !lack.empty()) entry.comments.push_back(lack);
  entry.keys.emplace_back("propagation", toml_string(groups_.words(found)));
}

/// A mount of the base whose group had no name, and needs one for those that have joined it.
void TomlChanges::gather_group_name(std::uint32_t found, std::uint32_t mount) {
  if (copies_.implied[mount] || delta_.taken[mount] || !groups_.same(mount, found)) return;
  if (desired(mount).group == no_index) return;
  const std::string words = groups_.words(found);
  if (words == desired_propagation(report_.plan, desired(mount))) return;
  ChangeEntry& entry = changes_[mount];
  entry.comments.emplace_back("its group gets a name for those that are in it now");
  entry.keys.emplace_back("propagation", toml_string(words));
}

void TomlChanges::gather_idmap(ChangeEntry& entry, const Change& change) const {
  if (const std::string value = idmaps_.value(change.live); !value.empty()) {
    entry.keys.emplace_back("idmap", value);
  } else if (desired(change.desired).idmap != no_index) {
    entry.unset.emplace_back("idmap");
  }
}

/// A change of a filesystem that has a name in the base.
void TomlChanges::gather_named(const Change& change, const Difference& difference,
                               const std::string& was) {
  const LiveMount& found = live(change.live);
  const std::uint32_t index = desired(change.desired).superblock;
  FilesystemEntry& entry = filesystems_[report_.plan.superblocks[index].name];
  entry.comments.push_back(was);
  if (difference.what == "fsname") {
    entry.fsname = found.source;
  } else if (is_layer_key(difference.what)) {
    const TomlKeys values = layer_values(change, difference);
    entry.layers.insert(entry.layers.end(), values.begin(), values.end());
  } else {
    entry.options = filesystem_words(found, report_.live.ids_are_ours);
  }
}

void TomlChanges::gather_superblock(const Change& change, const Difference& difference,
                                    const std::string& was) {
  const LiveMount& found = live(change.live);
  const std::uint32_t index = desired(change.desired).superblock;
  const DesiredSuperblock& superblock = report_.plan.superblocks[index];
  if (!superblock.name.empty()) return gather_named(change, difference, was);
  const std::uint32_t owner = owner_of(report_.plan, index);
  if (delta_.taken[owner]) return;  // those that still show it get it as it is now
  ChangeEntry& entry = changes_[owner];
  entry.comments.push_back(was);
  if (difference.what == "fsname") {
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

void TomlChanges::gather_layers(ChangeEntry& entry, const Change& change,
                                const Difference& difference) const {
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

/// The key of a difference in layers with its value as TOML; nothing where that has no word.
TomlKeys TomlChanges::layer_values(const Change& change, const Difference& difference) const {
  TomlKeys values;
  const auto layers = delta_.layers.find(change.live);
  if (layers == delta_.layers.end()) return values;
  for (const auto& [key, value] : layer_keys(layers->second)) {
    if (key == difference.what) values.emplace_back(key, value);
  }
  return values;
}

std::set<std::uint32_t> TomlChanges::copies() const {
  std::set<std::uint32_t> copies;
  for (const auto& [mount, entry] : changes_) {
    if (copies_.implied[mount] && !entry.comments.empty()) copies.insert(mount);
  }
  return copies;
}

std::string TomlChanges::filesystem_text() const {
  std::string text;
  for (const auto& [name, entry] : filesystems_) {
    text += '\n' + toml_comments(entry.comments) + fmt::format("[filesystem.{}]\n", name);
    if (entry.options) text += "options = " + toml_array(*entry.options) + '\n';
    if (entry.fsname) text += "fsname = " + toml_string(*entry.fsname) + '\n';
    text += toml_lines(entry.layers);
  }
  return text;
}

std::string TomlChanges::text(const std::vector<std::uint32_t>& layers) const {
  std::string text;
  for (const auto& [mount, entry] : changes_) {
    if (entry.comments.empty()) continue;
    const bool says = !entry.options.empty() || !entry.keys.empty() || !entry.unset.empty();
    text += '\n' + toml_comments(entry.comments);
    if (!says) continue;
    text += "[[change]]\n" + toml_address(report_.plan, layers, mount);
    if (!entry.options.empty()) text += "options = " + toml_array(entry.options) + '\n';
    text += toml_lines(entry.keys);
    if (!entry.unset.empty()) text += "unset = " + toml_array(entry.unset) + '\n';
  }
  return text;
}

}  // namespace mntcr
