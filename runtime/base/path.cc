#include "runtime/base/path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "runtime/base/utf8.h"

namespace mntcr::path {
namespace {

bool is_normal_component(std::string_view component) {
  return !component.empty() && component != "." && component != ".." &&
         component.find('\0') == std::string_view::npos;
}

bool all_normal(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (!is_normal_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> result;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash != 0) result.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return result;
}

bool is_at_or_below(std::string_view path, std::string_view above) {
  if (above == "/" || above.empty()) return true;
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

std::string relative_to(std::string_view path, std::string_view above) {
  if (above != "/") path.remove_prefix(std::min(above.size(), path.size()));
  if (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

std::string join(std::string_view base, std::string_view below) {
  if (below.empty()) return std::string(base);
  std::string result(base);
  if (!result.empty() && !result.ends_with('/')) result += '/';
  return result.append(below);
}

std::string_view parent(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string common_parent(std::string_view a, std::string_view b) {
  std::string_view above = parent(a);
  while (!is_at_or_below(b, above)) above = parent(above);
  return std::string(above);
}

bool is_normal_absolute(std::string_view path) {
  if (!path.starts_with('/')) return false;
  return path == "/" || all_normal(path.substr(1));
}

bool is_normal_relative(std::string_view path) { return path.empty() || all_normal(path); }

std::string printable(std::string_view path) {
  std::string result;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t length = utf8::sequence_length(path.substr(at));
    const auto byte = static_cast<unsigned char>(path[at]);
    if (byte == '\n') {
      result += "\\n";
    } else if (byte == '\t') {
      result += "\\t";
    } else if (length == 0 || byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02X}", byte);
    } else {
      result.append(path.substr(at, length));
    }
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

}  // namespace mntcr::path
