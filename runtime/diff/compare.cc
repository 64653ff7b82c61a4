#include "runtime/diff/compare.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
#include "runtime/diff/names.h"

namespace mntcr {
namespace {

using Params = std::map<std::string_view, std::string, std::less<>>;

std::uint64_t page_size() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

/// What tmpfs makes of a size: whole pages. Other values come back as normalise_param gives them.
std::string comparable(const FilesystemParam& param, std::string_view value) {
  std::string normal = normalise_param(param, value);
  if (param.kind != ParamKind::size) return normal;
  std::uint64_t bytes = 0;
  const char* end = normal.data() + normal.size();
  if (const auto read = std::from_chars(normal.data(), end, bytes);
      read.ec != std::errc{} || read.ptr != end) {
    return normal;
  }
  const std::uint64_t page = page_size();
  return std::to_string(bytes % page == 0 ? bytes : bytes - (bytes % page) + page);
}

/// The parameters of the table among `words`, the last of a kind. `nr_blocks` is another way to
/// write a tmpfs's size, and the kernel prints the size.
Params known_params(const std::string& type, const std::vector<std::string>& words) {
  Params params;
  for (const std::string& word : words) {
    const ParamWord split = split_param(overlay_option(word));
    const FilesystemParam* param = find_filesystem_param(type, split.key);
    if (param == nullptr) continue;
    if (param->key != "nr_blocks") {
      params.insert_or_assign(param->key, std::string(split.has_value ? split.value : split.key));
      continue;
    }
    std::uint64_t blocks = 0;
    const std::string count = normalise_param(*param, split.value);
    std::from_chars(count.data(), count.data() + count.size(), blocks);
    params.insert_or_assign("size", std::to_string(blocks * page_size()));
  }
  return params;
}

/// What the spec says and the kernel shows of a parameter whose default is the machine's own.
/// `auto` and `off` of redirect_dir are printed as what they came to.
bool both_known(const Params& written, Params::const_iterator wanted, const Params& shown,
                Params::const_iterator found) {
  return wanted != written.end() && found != shown.end() && wanted->second != "auto" &&
         !(wanted->first == "redirect_dir" && wanted->second == "off");
}

/// What one parameter's two sides amount to; nothing when they are the same.
std::vector<Difference> compare_param(const FilesystemParam& param, const Params& written,
                                      const Params& shown) {
  const auto wanted = written.find(param.key);
  const auto found = shown.find(param.key);
  if (wanted == written.end() && found == shown.end()) return {};
  if (param.fallback == machines_own && !both_known(written, wanted, shown, found)) return {};
  // The kernel prints the bytes that N% came to.
  if (wanted != written.end() && wanted->second.ends_with('%')) return {};
  const std::string fallback(param.fallback);
  const std::string& was = wanted == written.end() ? fallback : wanted->second;
  const std::string& is = found == shown.end() ? fallback : found->second;
  if (comparable(param, was) == comparable(param, is)) return {};
  const auto word = [](const std::string& value) { return value.empty() ? "default" : value; };
  return {{std::string(param.key), word(was), word(is)}};
}

/// Whether a parameter of an overlay is printed as it was given when there is no upper layer:
/// others are about writing, and the kernel prints what it likes or nothing.
bool counts_read_only(std::string_view key) {
  return key != "redirect_dir" && key != "uuid" && key != "volatile";
}

/// The paths of one kind of layer.
std::string paths_of(LayerRole role, const std::vector<LayerPath>& layers) {
  std::vector<std::string_view> paths;
  for (const LayerPath& layer : layers) {
    if (layer.role == role) paths.push_back(layer.path);
  }
  return paths.empty() ? "none" : fmt::format("{}", fmt::join(paths, ":"));
}

/// The kernel prints the paths that it was given.
std::vector<Difference> compare_layers(const DesiredSuperblock& desired, const LiveMount& live) {
  std::vector<LayerPath> wanted;
  for (const DesiredLayer& layer : desired.layers) wanted.push_back({layer.role, layer.shown});
  const std::vector<LayerPath> found = overlay_layers(live.fs_options);
  std::vector<Difference> differences;
  for (const LayerRole role :
       {LayerRole::lower, LayerRole::upper, LayerRole::work, LayerRole::data}) {
    std::string was = paths_of(role, wanted);
    std::string is = paths_of(role, found);
    if (was != is)
      differences.push_back({std::string(layer_key(role)), std::move(was), std::move(is)});
  }
  return differences;
}

std::string joined(const std::vector<std::string_view>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

}  // namespace

std::string propagation_word(const LiveMount& live) {
  if (live.unbindable) return live.master != 0 ? "slave unbindable" : "unbindable";
  if (live.master != 0) return live.peer_group != 0 ? "slave shared" : "slave";
  return live.peer_group != 0 ? "shared" : "private";
}

std::vector<Difference> compare_mount(const DesiredMount& desired, const LiveMount& live) {
  std::vector<Difference> differences;
  const AttrDemand& demand = desired.attrs;
  std::uint64_t differing = (live.attrs ^ demand.value) & demand.mask;
  if ((differing & mount_attr::atime_mask) != 0) {
    differing |= demand.mask & mount_attr::atime_mask;  // an enumeration differs as a whole
  }
  if (differing != 0) {
    differences.push_back({"options", joined(attr_words(demand.value, differing)),
                           joined(attr_words(live.attrs, differing))});
  }
  if (const std::string word = propagation_word(live); word != "private") {
    differences.push_back({"propagation", "private", word});
  }
  return differences;
}

std::vector<Difference> compare_superblock(const DesiredSuperblock& desired, const LiveMount& live,
                                           bool ids_are_ours) {
  std::vector<Difference> differences;
  if (desired.kind != DesiredSuperblock::Kind::made) return differences;
  if (desired.type == overlay_type) differences = compare_layers(desired, live);
  const Params written = known_params(desired.type, desired.params);
  const Params shown = known_params(desired.type, live.fs_options);
  for (const FilesystemParam& param : filesystem_params()) {
    if (param.filesystem != desired.type) continue;
    if (param.kind == ParamKind::id && !ids_are_ours) continue;
    if (is_read_only_overlay(live) && !counts_read_only(param.key)) continue;
    const auto found = compare_param(param, written, shown);
    differences.insert(differences.end(), found.begin(), found.end());
  }
  bool read_only = is_read_only_overlay(live);
  for (const std::string& word : desired.params) {
    const std::string_view flag = split_param(word).key;
    if (flag == "ro" || flag == "rw") read_only = flag == "ro";
  }
  if (read_only != live.sb_rdonly) {
    const auto word = [](bool yes) { return yes ? "yes" : "no"; };
    differences.push_back({"ro=fs", word(read_only), word(live.sb_rdonly)});
  }
  if (!desired.fsname.empty() && desired.fsname != live.source) {
    differences.push_back({"fsname", desired.fsname, live.source});
  }
  return differences;
}

Difference compare_source(const DesiredMount& desired, const DesiredSuperblock& superblock,
                          const LiveMount& live) {
  return {"source", desired_source(desired, superblock), device_source(live)};
}

}  // namespace mntcr
