// The texts that spans point into: specs read by the compiler, or those carried inside a plan.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/span.h"

namespace mntcr {

/// One text. `name` is what messages call it: the main spec's file name, or a path relative to its
/// folder, so that a plan is the same from wherever it was compiled.
struct SourceText {
  std::string name;
  std::string text;
};

/// A place as people count it; both start at 1, `column` counts characters (UTF-8 sequences).
struct LineColumn {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// Owns source texts and answers what lies behind a span. Offsets beyond a text's end are taken as
/// its end, so a span from an untrusted plan can always be printed.
class SourceMap {
 public:
  FileId add(std::string name, std::string text);

  [[nodiscard]] bool has(FileId file) const { return file < texts_.size(); }
  [[nodiscard]] const SourceText& at(FileId file) const { return texts_.at(file); }
  [[nodiscard]] const std::vector<SourceText>& texts() const { return texts_; }

  /// Line and column of byte `offset` of `file`, which must exist.
  [[nodiscard]] LineColumn position(FileId file, std::uint32_t offset) const;

  /// The line (counted from 1) without its line end; empty beyond the last.
  [[nodiscard]] std::string_view line(FileId file, std::size_t line) const;

  /// The bytes behind `span`; empty when its text is unknown.
  [[nodiscard]] std::string_view text(Span span) const;

 private:
  std::vector<SourceText> texts_;
};

}  // namespace mntcr
