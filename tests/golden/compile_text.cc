// Compiles a golden case as the driver does, up to the layout, and says what a person would see.
#include <algorithm>
#include <cerrno>

#include "compiler/layout/layout.h"
#include "compiler/spec/decode.h"
#include "tests/golden/case.h"
#include "tests/golden/layout_text.h"

namespace mntcr::golden {
namespace {

std::optional<Layout> lay_out_text(const Case& from, SourceMap& sources, Diagnostics& diagnostics) {
  const auto read = [&](const std::string& path) -> Result<std::string> {
    const auto found = from.others.find(path);
    if (found == from.others.end()) return fail("No such file or directory", ENOENT);
    return found->second;
  };
  const auto files = spec::read_spec_files(
      {.name = from.name, .text = from.spec, .folder = {}, .search = from.search, .read = read},
      sources, diagnostics);
  if (!files) return std::nullopt;
  std::vector<spec::ParamSetting> settings;
  for (const auto& [key, value] : from.settings) settings.push_back({key, value});
  const auto spec = spec::decode(*files, settings, diagnostics);
  if (!spec) return std::nullopt;
  return lay_out(*spec, diagnostics);
}

}  // namespace

Outcome compile(const Case& from) {
  SourceMap sources;
  Diagnostics diagnostics;
  const auto layout = lay_out_text(from, sources, diagnostics);
  diagnostics.sort();
  Outcome outcome;
  outcome.text = render_text(diagnostics, sources);
  if (layout) outcome.text += layout_text(*layout);
  while (outcome.text.ends_with("\n\n")) outcome.text.pop_back();
  for (const Diagnostic& item : diagnostics.items()) {
    const Span span = item.span();
    const bool other = span.known() && span.file != 0;
    const std::size_t line = span.known() ? sources.position(span.file, span.begin).line : 0;
    outcome.marks.push_back(
        {other ? sources.at(span.file).name : "", line, std::string(describe(item.code).id)});
  }
  std::sort(outcome.marks.begin(), outcome.marks.end());
  return outcome;
}

}  // namespace mntcr::golden
