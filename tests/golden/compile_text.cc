// Compiles a golden case as the driver does, up to the layout, and says what a person would see.
#include <algorithm>

#include "compiler/layout/layout.h"
#include "compiler/spec/decode.h"
#include "compiler/syntax/syntax_tree.h"
#include "tests/golden/case.h"
#include "tests/golden/layout_text.h"

namespace mntcr::golden {
namespace {

std::optional<Layout> lay_out_text(const Case& from, const SourceMap& sources,
                                   Diagnostics& diagnostics) {
  const auto tree = syntax::parse(sources, 0, diagnostics);
  if (!tree) return std::nullopt;
  std::vector<spec::ParamSetting> settings;
  for (const auto& [key, value] : from.settings) settings.push_back({key, value});
  const auto spec = spec::decode(*tree, settings, diagnostics);
  if (!spec) return std::nullopt;
  return lay_out(*spec, diagnostics);
}

}  // namespace

Outcome compile(const Case& from) {
  SourceMap sources;
  sources.add(from.name, from.spec);
  Diagnostics diagnostics;
  const auto layout = lay_out_text(from, sources, diagnostics);
  diagnostics.sort();
  Outcome outcome;
  outcome.text = render_text(diagnostics, sources);
  if (layout) outcome.text += layout_text(*layout);
  while (outcome.text.ends_with("\n\n")) outcome.text.pop_back();
  for (const Diagnostic& item : diagnostics.items()) {
    const Span span = item.span();
    const std::size_t line = span.known() ? sources.position(span.file, span.begin).line : 0;
    outcome.marks.emplace_back(line, describe(item.code).id);
  }
  std::sort(outcome.marks.begin(), outcome.marks.end());
  return outcome;
}

}  // namespace mntcr::golden
