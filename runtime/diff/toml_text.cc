#include "runtime/diff/toml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/path.h"
#include "runtime/base/utf8.h"

namespace mntcr {

std::string toml_lines(const TomlKeys& keys) {
  std::string text;
  for (const auto& [key, value] : keys) text += fmt::format("{} = {}\n", key, value);
  return text;
}

std::string toml_string(std::string_view bytes) {
  std::string text = "\"";
  while (!bytes.empty()) {
    const std::size_t length = utf8::sequence_length(bytes);
    const auto byte = static_cast<unsigned char>(bytes.front());
    if (length == 0) {
      text += fmt::format("${{byte:{:02X}}}", byte);
    } else if (byte == '$') {
      text += "$$";
    } else if (byte == '"' || byte == '\\') {
      text += {'\\', static_cast<char>(byte)};
    } else if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\t') {
      text += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      text += fmt::format("\\u{:04X}", byte);
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text + '"';
}

std::string toml_array(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) {
    if (text.size() > 1) text += ", ";
    text += toml_string(item);
  }
  return text + ']';
}

std::string toml_comment(std::string_view text) { return "# " + path::printable(text) + '\n'; }

}  // namespace mntcr
