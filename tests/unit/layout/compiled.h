// Text -> Layout in one step, for tests.
#pragma once

#include <string>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/spec/decode.h"
#include "compiler/syntax/syntax_tree.h"

namespace mntcr::testing {

/// What compiling a text gave.
struct Compiled {
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<Layout> layout;

  explicit Compiled(std::string text) {
    sources.add("spec.toml", std::move(text));
    const auto root = syntax::parse(sources, 0, diagnostics);
    if (!root) return;
    const auto spec = spec::decode(*root, {}, diagnostics);
    if (spec) layout = lay_out(*spec, diagnostics);
  }

  /// The codes raised, "E0201 W0301".
  [[nodiscard]] std::string codes() const {
    std::string result;
    for (const Diagnostic& item : diagnostics.items()) {
      result += (result.empty() ? "" : " ") + std::string(describe(item.code).id);
    }
    return result;
  }

  [[nodiscard]] std::string messages() const { return render_text(diagnostics, sources); }
};

}  // namespace mntcr::testing
