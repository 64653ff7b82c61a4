#include "runtime/diff/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
#include "runtime/diff/compare.h"

namespace mntcr {

std::string desired_source(const DesiredMount& mount, const DesiredSuperblock& superblock) {
  if (superblock.kind == DesiredSuperblock::Kind::parent) {
    return "parent:" + path::join(superblock.path, mount.root);
  }
  if (superblock.name.empty()) return path::join(superblock.type, mount.root);
  return "fs:" + path::join(superblock.name, mount.root);
}

std::string device_source(const LiveMount& mount) {
  return fmt::format("device:{}:{}{}", mount.dev_major, mount.dev_minor, mount.root);
}

std::vector<std::string> param_words(const LiveMount& mount) {
  std::vector<std::string> words;
  for (const std::string& printed : mount.fs_options) {
    const std::string_view option = overlay_option(printed);
    // Printed for the default of redirect_dir, too, and only root may say it.
    if (option == "redirect_dir=on" && is_read_only_overlay(mount)) continue;
    const ParamWord word = split_param(option);
    const FilesystemParam* param = find_filesystem_param(mount.fs_type, word.key);
    if (param == nullptr) continue;
    const bool at_fallback =
        !param->fallback.empty() &&
        normalise_param(*param, word.value) == normalise_param(*param, param->fallback);
    if (!at_fallback) words.emplace_back(option);
  }
  return words;
}

bool is_read_only_overlay(const LiveMount& mount) {
  return mount.fs_type == overlay_type &&
         std::ranges::none_of(overlay_layers(mount.fs_options), [](const LayerPath& layer) {
           return layer.role == LayerRole::upper;
         });
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
  std::map<std::string_view, std::vector<std::uint32_t>> by_target;
  for (std::uint32_t mount = 0; mount < plan.mounts.size(); ++mount) {
    by_target[plan.mounts[mount].target].push_back(mount);
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
