// See case.h.
#include "tests/golden/case.h"

#include <algorithm>
#include <sstream>

namespace mntcr::golden {
namespace {

constexpr std::string_view separator = "#= expected\n";

/// The whitespace-separated words of `line`.
std::vector<std::string> words(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> result;
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

void add_marks(Case& result, std::size_t line, const std::vector<std::string>& codes,
               std::size_t from) {
  for (std::size_t i = from; i < codes.size(); ++i) result.marks.emplace_back(line, codes[i]);
}

/// "#! --set a=b", "#! none E0225" or "#! line 4 E0101".
void read_directive(Case& result, std::string_view directive) {
  const auto parts = words(directive);
  if (parts.size() >= 2 && parts[0] == "--set") {
    const std::size_t equals = parts[1].find('=');
    result.settings.emplace_back(parts[1].substr(0, equals), parts[1].substr(equals + 1));
  } else if (!parts.empty() && parts[0] == "none") {
    add_marks(result, 0, parts, 1);
  } else if (parts.size() >= 2 && parts[0] == "line") {
    add_marks(result, std::stoul(parts[1]), parts, 2);
  }
}

}  // namespace

Case parse_case(std::string name, std::string_view file) {
  Case result{.name = std::move(name), .spec = {}, .settings = {}, .marks = {}, .expected = {}};
  const std::size_t split = file.rfind(separator);
  result.spec = file.substr(0, split);
  if (split != std::string_view::npos) {
    std::istringstream in{std::string(file.substr(split + separator.size()))};
    for (std::string line; std::getline(in, line);) {
      result.expected += line.substr(std::min<std::size_t>(2, line.size())) + "\n";
    }
  }
  std::istringstream in{result.spec};
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("#!")) read_directive(result, std::string_view(line).substr(2));
    const std::size_t mark = line.find("#~");
    if (mark != std::string::npos) add_marks(result, number, words(line.substr(mark + 2)), 0);
  }
  std::sort(result.marks.begin(), result.marks.end());
  return result;
}

std::string write_case(const Case& from, std::string_view expected) {
  std::string result = from.spec;
  result += separator;
  std::istringstream in{std::string(expected)};
  for (std::string line; std::getline(in, line);)
    result += line.empty() ? "#\n" : "# " + line + "\n";
  return result;
}

}  // namespace mntcr::golden
