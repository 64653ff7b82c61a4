// What is said to a user about a spec, a plan or a container: a code, the places meant, a reason
// and a way out. Collected over a whole run and printed sorted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/source_map.h"
#include "runtime/base/span.h"

namespace mntcr {

/// Every code of specs/diagnostics.def, by its identifier.
enum class Code : std::uint16_t {
#define MNTCR_DIAGNOSTIC(id, title, explanation, failing, mended) id,
#include "specs/diagnostics.def"
#undef MNTCR_DIAGNOSTIC
};

enum class Severity : std::uint8_t { error, warning };

/// What specs/diagnostics.def says about a code. `failing` is a spec that raises it and `mended`
/// one that does not; both are empty for codes that only a machine can raise.
struct CodeInfo {
  Code code;
  std::string_view id;
  Severity severity;
  std::string_view title;
  std::string_view explanation;
  std::string_view failing;
  std::string_view mended;
};

/// All codes in the order of the table.
std::span<const CodeInfo> all_codes();

const CodeInfo& describe(Code code);

/// The code written "E0201" or "e0201"; nullptr when there is none.
const CodeInfo* find_code(std::string_view id);

/// A place and what is to be said about it; the text may be empty.
struct Label {
  Span span;
  std::string text;
  bool operator==(const Label&) const = default;
};

/// One message. `labels[0]`, where there is one, is the place meant; further labels are places that
/// it conflicts with ("first defined here"). Notes give reasons, helps give ways out.
struct Diagnostic {
  Code code;
  std::string message;
  std::vector<Label> labels;
  std::vector<std::string> notes;
  std::vector<std::string> helps;

  bool operator==(const Diagnostic&) const = default;

  [[nodiscard]] Severity severity() const { return describe(code).severity; }
  [[nodiscard]] Span span() const { return labels.empty() ? Span{} : labels.front().span; }

  Diagnostic& label(Span span, std::string text) {
    labels.push_back({span, std::move(text)});
    return *this;
  }
  Diagnostic& note(std::string text) {
    notes.push_back(std::move(text));
    return *this;
  }
  Diagnostic& help(std::string text) {
    helps.push_back(std::move(text));
    return *this;
  }
};

/// The messages of one run.
class Diagnostics {
 public:
  /// Adds a message about `span` (pass {} for none); the reference is good until the next add.
  Diagnostic& add(Code code, Span span, std::string message, std::string label = {});

  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& items() const { return items_; }

  /// Orders by place, then code, so that the output does not depend on the order of checks.
  /// Messages without a place keep their order and come last. What was said twice in the same
  /// words, as a check of a mount and one of its copies do, stays once.
  void sort();

 private:
  std::vector<Diagnostic> items_;
};

/// How messages are printed as text.
struct RenderOptions {
  bool colour = false;
};

/// The messages for people: code, file:line:column, the line with carets, notes and helps.
std::string render_text(const Diagnostics& diagnostics, const SourceMap& sources,
                        RenderOptions options = {});

/// The messages for machines: one JSON object a line, as specs/diagnostics.md describes it.
std::string render_json(const Diagnostics& diagnostics, const SourceMap& sources);

/// The candidate closest to `word` by edit distance, when it is close enough to be meant; else "".
std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace mntcr
