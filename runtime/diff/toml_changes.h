// The [[change]] entries and [filesystem] tables of a delta: what differs about mounts that stay,
// gathered by the entry of the base that it belongs to. A parameter of a filesystem is changed
// where the base wrote it, which need not be the mount that shows the change.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/diff/copies.h"
#include "runtime/diff/delta.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/groups.h"
#include "runtime/diff/idmaps.h"
#include "runtime/diff/inodes.h"

namespace mntcr {

/// A [[change]] while it is gathered.
struct ChangeEntry {
  std::vector<std::string> comments;
  std::vector<std::string> options;
  bool all_options = false;  ///< `options` holds all, not only what differs
  TomlKeys keys;             ///< other keys
  std::vector<std::string> unset;
};

/// A [filesystem.NAME] of the base while its changes are gathered.
struct FilesystemEntry {
  std::vector<std::string> comments;
  std::optional<std::vector<std::string>> options;
  std::optional<std::string> fsname;
  TomlKeys layers;
};

/// See the top of the file. What it is made from must outlive it.
class TomlChanges {
 public:
  /// `live_of`: of each desired mount its live one or no_index.
  TomlChanges(const DiffReport& report, const Delta& delta,
              const std::vector<std::uint32_t>& live_of, GroupNames& groups,
              const IdmapWords& idmaps)
      : report_(report),
        delta_(delta),
        live_of_(live_of),
        groups_(groups),
        idmaps_(idmaps),
        copies_(find_copies(report.plan)) {}

  /// Takes up all that differs.
  void gather();
  /// The entry of a desired mount, for what else there is to say about it.
  ChangeEntry& of(std::uint32_t mount) { return changes_[mount]; }

  /// Those that `text` says something about though they are copies of sharing.
  [[nodiscard]] std::set<std::uint32_t> copies() const;

  /// The [filesystem] tables of the base that change.
  [[nodiscard]] std::string filesystem_text() const;
  /// The [[change]] entries; `layers`: of each desired mount its layer or no_index.
  [[nodiscard]] std::string text(const std::vector<std::uint32_t>& layers) const;

 private:
  [[nodiscard]] const DesiredMount& desired(std::uint32_t mount) const {
    return report_.plan.mounts[mount];
  }
  [[nodiscard]] const LiveMount& live(std::uint32_t mount) const {
    return report_.live.mounts[mount];
  }
  void gather(const Change& change);
  void gather_options(ChangeEntry& entry, const Change& change) const;
  void gather_source(std::uint32_t mount, std::uint32_t found, const std::string& was);
  void gather_options_of_source(ChangeEntry& entry, std::uint32_t mount, std::uint32_t found);
  void gather_inode(std::uint32_t found, std::uint32_t mount);
  void gather_propagation(ChangeEntry& entry, std::uint32_t found);
  void gather_group_name(std::uint32_t found, std::uint32_t mount);
  void gather_idmap(ChangeEntry& entry, const Change& change) const;
  void gather_superblock(const Change& change, const Difference& difference,
                         const std::string& was);
  void gather_named(const Change& change, const Difference& difference, const std::string& was);
  void gather_layers(ChangeEntry& entry, const Change& change, const Difference& difference) const;
  [[nodiscard]] TomlKeys layer_values(const Change& change, const Difference& difference) const;

  const DiffReport& report_;
  const Delta& delta_;
  const std::vector<std::uint32_t>& live_of_;
  GroupNames& groups_;
  const IdmapWords& idmaps_;
  const PlanCopies copies_;
  std::map<std::uint32_t, ChangeEntry> changes_;  ///< by desired mount
  std::map<std::string, FilesystemEntry> filesystems_;
};

/// The [[remove]] or [[change]] address of a desired mount.
std::string toml_address(const Plan& plan, const std::vector<std::uint32_t>& layers,
                         std::uint32_t mount);

/// Comment lines.
std::string toml_comments(const std::vector<std::string>& lines);

}  // namespace mntcr
