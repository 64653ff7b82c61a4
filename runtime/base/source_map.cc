#include "runtime/base/source_map.h"

#include <algorithm>

namespace mntcr {
namespace {

/// Characters, not bytes: UTF-8 continuation bytes do not count.
std::size_t characters(std::string_view bytes) {
  return static_cast<std::size_t>(std::ranges::count_if(
      bytes, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

}  // namespace

FileId SourceMap::add(std::string name, std::string text) {
  texts_.push_back({std::move(name), std::move(text)});
  return static_cast<FileId>(texts_.size() - 1);
}

LineColumn SourceMap::position(FileId file, std::uint32_t offset) const {
  std::string_view before = at(file).text;
  before = before.substr(0, std::min<std::size_t>(offset, before.size()));
  const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  const std::size_t line_end = before.rfind('\n');
  if (line_end != std::string_view::npos) before.remove_prefix(line_end + 1);
  return {line, characters(before) + 1};
}

std::string_view SourceMap::line(FileId file, std::size_t line) const {
  std::string_view text = at(file).text;
  for (std::size_t skip = 1; skip < line; ++skip) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::string_view SourceMap::text(Span span) const {
  if (!has(span.file)) return {};
  const std::string_view all = at(span.file).text;
  const std::size_t begin = std::min<std::size_t>(span.begin, all.size());
  const std::size_t end = std::clamp<std::size_t>(span.end, begin, all.size());
  return all.substr(begin, end - begin);
}

}  // namespace mntcr
