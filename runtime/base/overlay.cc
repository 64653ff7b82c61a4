#include "runtime/base/overlay.h"

#include "runtime/base/filesystems.h"

namespace mntcr {
namespace {

/// Takes the backslashes away that escape.
std::string unescaped(std::string_view text) {
  std::string path;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    path += text[at];
  }
  return path;
}

/// The layers of `lowerdir=a:b::data`: those behind "::" only hold data.
void split_lower(std::string_view list, std::vector<LayerPath>& layers) {
  LayerRole role = LayerRole::lower;
  std::string word;
  const auto finish = [&] {
    if (word.empty()) {
      role = LayerRole::data;
    } else {
      layers.push_back({role, unescaped(word)});
    }
    word.clear();
  };
  for (std::size_t at = 0; at < list.size(); ++at) {
    if (list[at] == ':') {
      finish();
      continue;
    }
    word += list[at];
    if (list[at] == '\\' && at + 1 < list.size()) word += list[++at];
  }
  finish();
}

}  // namespace

std::string_view layer_key(LayerRole role) {
  switch (role) {
    case LayerRole::lower:
      return "lower";
    case LayerRole::upper:
      return "upper";
    case LayerRole::work:
      return "work";
    case LayerRole::data:
      return "data";
  }
  return "";
}

std::string_view layer_parameter(LayerRole role) {
  switch (role) {
    case LayerRole::lower:
      return "lowerdir+";
    case LayerRole::upper:
      return "upperdir";
    case LayerRole::work:
      return "workdir";
    case LayerRole::data:
      return "datadir+";
  }
  return "";
}

std::string layer_word(LayerRole role, std::string_view path) {
  if (role == LayerRole::lower || role == LayerRole::data) return std::string(path);
  std::string word;
  for (const char byte : path) {
    if (byte == '\\') word += '\\';
    word += byte;
  }
  return word;
}

std::string lower_list(const std::vector<std::string_view>& paths) {
  std::string list;
  for (const std::string_view path : paths) {
    if (!list.empty()) list += ':';
    for (const char byte : path) {
      if (byte == '\\' || byte == ':') list += '\\';
      list += byte;
    }
  }
  return list;
}

std::vector<LayerPath> overlay_layers(const std::vector<std::string>& fs_options) {
  std::vector<LayerPath> layers;
  for (const std::string& option : fs_options) {
    const ParamWord word = split_param(option);
    if (word.key == "lowerdir") {
      split_lower(word.value, layers);
    } else if (word.key == "lowerdir+") {
      layers.push_back({LayerRole::lower, std::string(word.value)});
    } else if (word.key == "datadir+") {
      layers.push_back({LayerRole::data, std::string(word.value)});
    } else if (word.key == "upperdir") {
      layers.push_back({LayerRole::upper, unescaped(word.value)});
    } else if (word.key == "workdir") {
      layers.push_back({LayerRole::work, unescaped(word.value)});
    }
  }
  return layers;
}

std::string_view overlay_option(std::string_view printed) {
  return printed == "fsync=volatile" ? "volatile" : printed;
}

}  // namespace mntcr
