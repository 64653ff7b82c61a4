// Text -> Layout in one step, for tests.
#pragma once

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "compiler/layout/layout.h"
#include "compiler/spec/decode.h"

namespace mntcr::testing {

/// What compiling a text gave. `others` are the files that it may extend, by their names.
struct Compiled {
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<Layout> layout;

  explicit Compiled(std::string text, const std::map<std::string, std::string>& others = {},
                    const std::vector<spec::ParamSetting>& settings = {}) {
    const auto read = [&](const std::string& path) -> Result<std::string> {
      const auto found = others.find(path);
      if (found == others.end()) return fail("No such file or directory", ENOENT);
      return found->second;
    };
    const auto files = spec::read_spec_files(
        {.name = "spec.toml", .text = std::move(text), .folder = {}, .search = {}, .read = read},
        sources, diagnostics);
    if (!files) return;
    const auto spec = spec::decode(*files, settings, diagnostics);
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
