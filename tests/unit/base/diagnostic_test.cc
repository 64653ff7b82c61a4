#include "runtime/base/diagnostic.h"

#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace mntcr;

namespace {

/// The span of the first `word` in `text`, which is file 0.
Span span_of(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  REQUIRE(at != std::string_view::npos);
  return {0, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + word.size())};
}

}  // namespace

TEST_CASE("a message shows code, place, line, caret and the way out") {
  const std::string text = "spec = 1\n[root]\nsource = \"parnt:/srv\"\n";
  SourceMap sources;
  sources.add("web.toml", text);
  Diagnostics diagnostics;
  diagnostics.add(Code::E0101, span_of(text, "parnt"), "no such scheme", "unknown")
      .note("a reason")
      .help("write parent:");
  CHECK(render_text(diagnostics, sources) ==
        "error[E0101]: no such scheme\n"
        " --> web.toml:3:11\n"
        "  |\n"
        "3 | source = \"parnt:/srv\"\n"
        "  |           ^^^^^ unknown\n"
        "  |\n"
        "  = note: a reason\n"
        "  = help: write parent:\n"
        "\n");
}

TEST_CASE("a second label is shown with dashes, columns count characters, tabs are widened") {
  const std::string text = "\tä = 1\n\n\n\n\n\n\n\n\nä = 2\n";
  SourceMap sources;
  sources.add("a", text);
  Diagnostics diagnostics;
  diagnostics.add(Code::E0101, {0, 19, 22}, "twice").label({0, 1, 3}, "first here");
  CHECK(render_text(diagnostics, sources) ==
        "error[E0101]: twice\n"
        "  --> a:10:3\n"
        "   |\n"
        "10 | ä = 2\n"
        "   |   ^^^\n"
        " 1 |     ä = 1\n"
        "   |     - first here\n"
        "\n");
}

TEST_CASE("spans from an untrusted plan can be printed whatever they say") {
  SourceMap sources;
  sources.add("a", "one\ntwo");
  for (const Span span : {Span{0, 0, 9999}, Span{0, 9999, 99999}, Span{0, 5, 2}, Span{7, 0, 1},
                          Span{0, 3, 4}, Span{0, UINT32_MAX, UINT32_MAX}}) {
    Diagnostics diagnostics;
    diagnostics.add(Code::E0503, span, "m");
    CHECK(render_text(diagnostics, sources).starts_with("error[E0503]: m\n"));
    CHECK(render_json(diagnostics, sources)
              .starts_with(R"({"severity":"error","code":"E0503","message":"m")"));
    CHECK(sources.text(span).size() <= 7);
  }
}

TEST_CASE("nothing that a terminal would act on gets through") {
  SourceMap sources;
  sources.add("a\x1b[2J", "x\x1b[31m\xFFy");
  Diagnostics diagnostics;
  diagnostics.add(Code::E0101, {0, 0, 1}, "bad \x1b name", "l\x07");
  const std::string text = render_text(diagnostics, sources);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find('\xFF') == std::string::npos);
}

TEST_CASE("JSON has bytes, lines and columns of every label") {
  const std::string text = "a = 1\nb = 2\n";
  SourceMap sources;
  sources.add("s.toml", text);
  Diagnostics diagnostics;
  diagnostics.add(Code::E0101, span_of(text, "b"), "m", "l");
  CHECK(
      render_json(diagnostics, sources) ==
      R"({"severity":"error","code":"E0101","message":"m","labels":[{"file":"s.toml","byte_start":6,"byte_end":7,)"
      R"("line":2,"column":1,"end_line":2,"end_column":2,"label":"l"}],"notes":[],"helps":[]})"
      "\n");
}

TEST_CASE("messages are sorted by place; those without one come last, in their order") {
  Diagnostics diagnostics;
  diagnostics.add(Code::E0503, {}, "first of none");
  diagnostics.add(Code::E0102, {0, 9, 10}, "later");
  diagnostics.add(Code::E0101, {}, "second of none");
  diagnostics.add(Code::E0101, {0, 2, 3}, "early");
  diagnostics.sort();
  std::string order;
  for (const Diagnostic& item : diagnostics.items()) order += item.message + ";";
  CHECK(order == "early;later;first of none;second of none;");
}

TEST_CASE("did_you_mean takes what is close and nothing else") {
  const std::array<std::string_view, 4> words = {"target", "source", "options", "type"};
  CHECK(did_you_mean("tagret", words) == "target");
  CHECK(did_you_mean("sources", words) == "source");
  CHECK(did_you_mean("typo", words) == "type");
  CHECK(did_you_mean("tyep", words) == "type");
  CHECK(did_you_mean("colour", words).empty());
  CHECK(did_you_mean("", words).empty());
}

TEST_CASE("codes are unique, found by name, and say something") {
  std::set<std::string_view> ids;
  for (const CodeInfo& info : all_codes()) {
    INFO(info.id);
    CHECK(ids.insert(info.id).second);
    CHECK(find_code(info.id) == &info);
    CHECK(&describe(info.code) == &info);
    CHECK((info.severity == Severity::warning) == info.id.starts_with('W'));
    CHECK(info.explanation.size() > 40);
    CHECK(info.failing.empty() == info.mended.empty());
  }
  CHECK(find_code("e0101") == find_code("E0101"));
  CHECK(find_code("E9999") == nullptr);
}
