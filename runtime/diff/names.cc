#include "runtime/diff/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
#include "runtime/diff/compare.h"

namespace mntcr {

std::string desired_source(const DesiredMount& mount, const DesiredSuperblock& superblock) {
  if (superblock.kind == DesiredSuperblock::Kind::parent) {
    return "parent:" + path::join(superblock.path, mount.root);
  }
  if (mount.deleted) {
    const std::string filesystem =
        superblock.name.empty() ? superblock.type : "fs:" + superblock.name;
    return filesystem + " deleted " + std::string(deleted_label(mount.root));
  }
  if (superblock.name.empty()) return path::join(superblock.type, mount.root);
  return "fs:" + path::join(superblock.name, mount.root);
}

std::string device_source(const LiveMount& mount) {
  return fmt::format("device:{}:{}{}", mount.dev_major, mount.dev_minor, mount.root);
}

namespace {

/// One way to write a parameter, whoever wrote it: as the kernel prints it.
std::string canonical_word(const FilesystemParam& param, const ParamWord& word) {
  if (!word.has_value) return std::string(param.key);
  std::string value = normalise_param(param, word.value);
  const bool bytes = param.kind == ParamKind::size && !value.ends_with('%');
  std::uint64_t number = 0;
  const char* end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, number);
  if (bytes && read.ec == std::errc{} && read.ptr == end && number % 1024 == 0)
    value = fmt::format("{}k", number / 1024);
  return fmt::format("{}={}", param.key, value);
}

bool is_at_fallback(const FilesystemParam& param, const ParamWord& word) {
  const bool is_flag = param.kind == ParamKind::flag;
  return !param.fallback.empty() && normalise_param(param, is_flag ? word.key : word.value) ==
                                        normalise_param(param, param.fallback);
}

}  // namespace

std::vector<std::string> param_words(const LiveMount& mount, bool ids_are_ours) {
  std::vector<std::string> words;
  for (const FilesystemParam& param : filesystem_params()) {
    const bool meant = param.filesystem == mount.fs_type;
    if (!meant || (param.kind == ParamKind::id && !ids_are_ours)) continue;
    for (const std::string& printed : mount.fs_options) {
      const std::string_view option = overlay_option(printed);
      // Printed for the default of redirect_dir, too, and only root may say it.
      if (option == "redirect_dir=on" && is_read_only_overlay(mount)) continue;
      const ParamWord word = split_param(option);
      if (word.key == param.key && !is_at_fallback(param, word))
        words.push_back(canonical_word(param, word));
    }
  }
  return words;
}

bool is_read_only_overlay(const LiveMount& mount) {
  return mount.fs_type == overlay_type &&
         std::ranges::none_of(overlay_layers(mount.fs_options), [](const LayerPath& layer) {
           return layer.role == LayerRole::upper;
         });
}

std::vector<std::string> filesystem_words(const LiveMount& mount, bool ids_are_ours) {
  std::vector<std::string> words = param_words(mount, ids_are_ours);
  if (is_singleton(mount.fs_type)) return words;
  std::uint64_t flags = filesystem_flags_of(mount);
  if (is_read_only_overlay(mount)) flags &= ~fs_flag::rdonly;
  for (const std::string_view word : filesystem_flag_words(flags, flags)) words.emplace_back(word);
  return words;
}

std::vector<std::string> flag_words(const LiveMount& mount) {
  const auto words = attr_words(mount.attrs, mount.attrs_known);
  return {words.begin(), words.end()};
}

std::string fsname_word(const LiveMount& mount) {
  return mount.source == mount.fs_type ? "" : mount.source;
}

std::string UniqueNames::derive(const std::string& target) {
  std::string name;
  for (const char byte : target) {
    const auto letter = static_cast<unsigned char>(byte);
    if (letter < 0x80 && std::isalnum(letter) != 0) {
      name += static_cast<char>(std::tolower(letter));
    } else if (!name.empty() && !name.ends_with('-')) {
      name += letter == '_' ? '_' : '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  if (name.empty()) name = "root";
  std::string candidate = name;
  for (int number = 2; !taken_.insert(candidate).second; ++number) {
    candidate = fmt::format("{}-{}", name, number);
  }
  return candidate;
}

std::vector<std::uint32_t> layers_of(const Plan& plan) {
  std::map<std::pair<std::uint32_t, std::string_view>, std::vector<std::uint32_t>> by_target;
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    if (plan.mounts[mount].implied != Implied::sharing)
      by_target[{plan.mounts[mount].ns, plan.mounts[mount].target}].push_back(mount);
  }
  std::vector<std::uint32_t> layers(plan.mounts.size(), no_index);
  for (const auto& [target, mounts] : by_target) {
    if (mounts.size() < 2) continue;
    for (std::uint32_t layer = 0; layer < mounts.size(); ++layer) layers[mounts[layer]] = layer;
  }
  return layers;
}

std::string describe_covered(const MountTable& table, const std::vector<std::uint32_t>& covered) {
  if (covered.empty()) return {};
  std::string text = "covers " + path::printable(table.mounts[covered.front()].mountpoint);
  if (covered.size() == 2) text += " and 1 mount below it";
  if (covered.size() > 2) text += fmt::format(" and {} mounts below it", covered.size() - 1);
  return text;
}

}  // namespace mntcr
