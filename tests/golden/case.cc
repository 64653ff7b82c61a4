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

void add_marks(Case& result, const Mark& place, const std::vector<std::string>& codes,
               std::size_t from) {
  for (std::size_t i = from; i < codes.size(); ++i)
    result.marks.push_back({place.file, place.line, codes[i]});
}

/// "#! --set a=b", "#! -I DIR", "#! none E0225" or "#! line 4 E0101".
void read_directive(Case& result, const std::string& file, std::string_view directive) {
  const auto parts = words(directive);
  if (parts.size() >= 2 && parts[0] == "--set") {
    const std::size_t equals = parts[1].find('=');
    result.settings.emplace_back(parts[1].substr(0, equals), parts[1].substr(equals + 1));
  } else if (parts.size() >= 2 && parts[0] == "-I") {
    result.search.push_back(parts[1]);
  } else if (!parts.empty() && parts[0] == "none") {
    add_marks(result, {file, 0, ""}, parts, 1);
  } else if (parts.size() >= 2 && parts[0] == "line") {
    add_marks(result, {file, std::stoul(parts[1]), ""}, parts, 2);
  }
}

/// Reads the directives and marks of one file of a case.
void read_marks(Case& result, const std::string& file, const std::string& text) {
  std::istringstream in{text};
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("#!")) read_directive(result, file, std::string_view(line).substr(2));
    const std::size_t mark = line.find("#~");
    if (mark != std::string::npos)
      add_marks(result, {file, number, ""}, words(line.substr(mark + 2)), 0);
  }
}

/// Takes the text before the expectation apart at its "#@ file PATH" lines. A path that begins with
/// the folder of a -I is called "<rest>" in marks, as messages call it.
void split_files(Case& result) {
  constexpr std::string_view header = "#@ file ";
  std::istringstream in{result.text};
  std::string* to = &result.spec;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(header)) {
      to = &result.others[line.substr(header.size())];
    } else {
      *to += line + "\n";
    }
  }
}

std::string name_of(const Case& from, const std::string& path) {
  for (const std::string& folder : from.search) {
    if (path.starts_with(folder + "/")) return "<" + path.substr(folder.size() + 1) + ">";
  }
  return path;
}

}  // namespace

Case parse_case(std::string name, std::string_view file) {
  Case result;
  result.name = std::move(name);
  const std::size_t split = file.rfind(separator);
  result.text = file.substr(0, split);
  if (split != std::string_view::npos) {
    std::istringstream in{std::string(file.substr(split + separator.size()))};
    for (std::string line; std::getline(in, line);) {
      result.expected += line.substr(std::min<std::size_t>(2, line.size())) + "\n";
    }
  }
  split_files(result);
  read_marks(result, "", result.spec);
  for (const auto& [path, text] : result.others) read_marks(result, name_of(result, path), text);
  std::sort(result.marks.begin(), result.marks.end());
  return result;
}

std::string write_case(const Case& from, std::string_view expected) {
  std::string result = from.text;
  result += separator;
  std::istringstream in{std::string(expected)};
  for (std::string line; std::getline(in, line);)
    result += line.empty() ? "#\n" : "# " + line + "\n";
  return result;
}

}  // namespace mntcr::golden
