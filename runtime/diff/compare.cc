#include "runtime/diff/compare.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
#include "runtime/diff/names.h"

namespace mntcr {
namespace {

using Params = std::map<std::string_view, std::string, std::less<>>;

std::uint64_t page_size() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

/// All of `text` as a number; nothing when it is none.
std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return number;
}

/// What a filesystem makes of a size: tmpfs rounds up to whole pages, hugetlbfs down to whole pages
/// of its own.
struct Grain {
  std::uint64_t bytes = 1;
  bool up = true;
};

/// The value as the kernel prints it. What is no size comes back as normalise_param gives it.
std::string comparable(const FilesystemParam& param, std::string_view value, Grain grain) {
  std::string normal = normalise_param(param, value);
  if (param.kind != ParamKind::size) return normal;
  const auto bytes = number_of(normal);
  if (!bytes) return normal;
  const std::uint64_t rest = *bytes % grain.bytes;
  const std::uint64_t whole = *bytes - rest;
  return std::to_string(rest != 0 && grain.up ? whole + grain.bytes : whole);
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

/// What the kernel shows. A tmpfs that prints no width of its inode numbers has the narrow one.
Params shown_params(const LiveMount& live) {
  Params params = known_params(live.fs_type, live.fs_options);
  if (live.fs_type == "tmpfs" && !params.contains("inode64"))
    params.try_emplace("inode32", "inode32");
  return params;
}

Grain grain_of(const std::string& type, const Params& shown) {
  if (type != "hugetlbfs") return {page_size(), true};
  const auto page = shown.find("pagesize");
  if (page == shown.end()) return {};
  const FilesystemParam* param = find_filesystem_param(type, page->first);
  const auto bytes = number_of(normalise_param(*param, page->second));
  return {bytes.value_or(0) == 0 ? 1 : *bytes, false};
}

/// Whether a set holds numbers, for which the kernel prints names.
bool has_numbers(std::string_view set) {
  const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
  char before = ':';
  for (const char letter : set) {
    if (before == ':' && is_digit(letter)) return true;
    before = letter;
  }
  return false;
}

/// Whether nobody can say what the kernel makes of a value: the bytes that N% come to, the names of
/// numbers, what an overlay has when its module's default is asked for. `is_shown`: the kernel
/// prints something; of an overlay it prints only what differs from the module's default.
bool is_the_machines(const FilesystemParam& param, std::string_view value, bool is_shown) {
  if (param.filesystem == overlay_type && param.fallback == machines_fallback)
    return !is_shown || value == "auto" || (param.key == "redirect_dir" && value == "off");
  if (param.kind == ParamKind::set) return is_shown && has_numbers(value);
  return value.ends_with('%');
}

/// Whether what is in force without the parameter is not known beforehand.
bool has_own_default(const FilesystemParam& param) {
  const bool has_opposite = param.kind == ParamKind::flag && !param.choices.empty();
  return has_opposite || param.fallback == machines_fallback;
}

/// What one parameter's two sides amount to; nothing when they are the same.
std::vector<Difference> compare_param(const FilesystemParam& param, const Params& written,
                                      const Params& shown, Grain grain) {
  const auto wanted = written.find(param.key);
  const auto found = shown.find(param.key);
  if (wanted == written.end() && found == shown.end()) return {};
  if (wanted == written.end() ? has_own_default(param)
                              : is_the_machines(param, wanted->second, found != shown.end()))
    return {};
  const std::string fallback(has_own_default(param) ? "" : param.fallback);
  const std::string& was = wanted == written.end() ? fallback : wanted->second;
  const std::string& is = found == shown.end() ? fallback : found->second;
  if (comparable(param, was, grain) == comparable(param, is, grain)) return {};
  const auto word = [](const std::string& value) { return value.empty() ? "default" : value; };
  return {{std::string(param.key), word(was), word(is)}};
}

/// A filesystem that is made has the flags that it is told to have, and no others; an overlay
/// without an upper layer is read-only whatever it is told.
std::vector<Difference> compare_flags(const DesiredSuperblock& desired, const LiveMount& live) {
  std::vector<Difference> differences;
  std::uint64_t differing = desired.flags.value ^ filesystem_flags_of(live);
  if (is_read_only_overlay(live)) differing &= ~fs_flag::rdonly;
  for (const std::string_view word : filesystem_flag_words(fs_flag::all, differing)) {
    const bool wanted = (desired.flags.value & find_filesystem_flag(word)->demand.mask) != 0;
    differences.push_back({std::string(word), wanted ? "yes" : "no", wanted ? "no" : "yes"});
  }
  return differences;
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
  const LiveMount wanted{.peer_group = desired.group == no_index ? 0U : 1U,
                         .master = desired.master == no_index ? 0U : 1U,
                         .unbindable = desired.unbindable};
  const std::string was = propagation_word(wanted);
  if (const std::string word = propagation_word(live); word != was) {
    differences.push_back({"propagation", was, word});
  }
  return differences;
}

std::vector<Difference> compare_superblock(const DesiredSuperblock& desired, const LiveMount& live,
                                           bool ids_are_ours) {
  std::vector<Difference> differences;
  if (desired.kind != DesiredSuperblock::Kind::made) return differences;
  if (desired.type == overlay_type) differences = compare_layers(desired, live);
  const Params written = known_params(desired.type, desired.params);
  const Params shown = shown_params(live);
  const Grain grain = grain_of(desired.type, shown);
  for (const FilesystemParam& param : filesystem_params()) {
    if (param.filesystem != desired.type) continue;
    if (param.kind == ParamKind::id && !ids_are_ours) continue;
    if (is_read_only_overlay(live) && !counts_read_only(param.key)) continue;
    const auto found = compare_param(param, written, shown, grain);
    differences.insert(differences.end(), found.begin(), found.end());
  }
  if (!is_parents(desired)) {
    const auto flags = compare_flags(desired, live);
    differences.insert(differences.end(), flags.begin(), flags.end());
  }
  // pstore takes no name: the kernel shows "none" whatever it is told.
  const bool nameless = live.source == "none" && desired.fsname == desired.type;
  if (!desired.fsname.empty() && desired.fsname != live.source && !nameless) {
    differences.push_back({"fsname", desired.fsname, live.source});
  }
  return differences;
}

Difference compare_source(const DesiredMount& desired, const DesiredSuperblock& superblock,
                          const LiveMount& live, Deleted deleted) {
  const std::string was = desired_source(desired, superblock);
  switch (deleted) {
    case Deleted::gone:
      return {"source", was, "what was there before it was deleted"};
    case Deleted::replaced:
      return {"source", was, "what was there before it was replaced"};
    case Deleted::no:
      break;
  }
  return {"source", was, device_source(live)};
}

}  // namespace mntcr
