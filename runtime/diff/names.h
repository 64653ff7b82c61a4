// What mounts, their sources and their options are called in the language of specs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/capture/mount_table.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Where a desired mount comes from: "parent:/srv/a", "fs:scratch/sub", or the type of a filesystem
/// without a name ("proc").
std::string desired_source(const DesiredMount& mount, const DesiredSuperblock& superblock);

/// "device:8:1/path": the source that needs nothing but the live mount itself.
std::string device_source(const LiveMount& mount);

/// The parameters of a live filesystem that a spec could have given: those of the table that are
/// not at their fallback, each in one spelling, in the order of the table. Users and groups only
/// when `ids_are_ours` (MountTable): other numbers would mean others, or nobody.
std::vector<std::string> param_words(const LiveMount& mount, bool ids_are_ours = true);

/// All that a spec has to say to make the live filesystem again: param_words() and its flags
/// ("ro=fs", "sync"), save those of a singleton, which are the host's.
std::vector<std::string> filesystem_words(const LiveMount& mount, bool ids_are_ours);

/// Whether the filesystem is an overlay without an upper layer, which makes it read-only.
bool is_read_only_overlay(const LiveMount& mount);

/// All per-mount flags that are known, as words.
std::vector<std::string> flag_words(const LiveMount& mount);

/// The `fsname` that a spec has to write; empty where it is the usual one.
std::string fsname_word(const LiveMount& mount);

/// Of each desired mount its layer among the mounts of its target, 0 the bottom; no_index where it
/// is the only one. Copies of sharing, which no [[change]] finds, are no layers.
std::vector<std::uint32_t> layers_of(const Plan& plan);

/// "covers /proc and 2 mounts below it"; empty when nothing is covered.
std::string describe_covered(const MountTable& table, const std::vector<std::uint32_t>& covered);

/// Names as specs have them, each given once.
class UniqueNames {
 public:
  void take(const std::string& name) { taken_.insert(name); }
  /// From a path: "/var/log" gives "var-log", then "var-log-2".
  std::string derive(const std::string& target);

 private:
  std::set<std::string> taken_;
};

}  // namespace mntcr
