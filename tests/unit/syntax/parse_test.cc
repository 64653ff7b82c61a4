// Text -> syntax tree: spans, the order of the file, and texts that toml++ may not be trusted with.
#include <catch2/catch.hpp>
#include <string>

#include "compiler/syntax/syntax_tree.h"

namespace mntcr::syntax {
namespace {

struct Parsed {
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<Node> root;

  explicit Parsed(std::string text) {
    sources.add("spec.toml", std::move(text));
    root = parse(sources, 0, diagnostics);
  }

  [[nodiscard]] std::string written(Span span) const { return std::string(sources.text(span)); }
};

/// Parses `text`, which must be faulty, and gives the words meant.
std::string fault_in(std::string text) {
  const Parsed parsed(std::move(text));
  REQUIRE_FALSE(parsed.root);
  REQUIRE(parsed.diagnostics.items().size() == 1);
  const Diagnostic& item = parsed.diagnostics.items().front();
  REQUIRE(item.code == Code::E0101);
  return parsed.written(item.span());
}

/// Every span in the tree lies in the text, and keys and plain strings are what is written there.
void check_spans(const Parsed& parsed, const Node& node) {
  const std::string& text = parsed.sources.at(0).text;
  REQUIRE(node.span.begin <= node.span.end);
  REQUIRE(node.span.end <= text.size());
  if (node.content != 0) CHECK(text.substr(node.content, node.text.size()) == node.text);
  for (const Node& item : node.items) check_spans(parsed, item);
  std::uint32_t last = 0;
  for (const Entry& entry : node.entries) {
    CHECK(entry.key_span.begin >= last);
    last = entry.key_span.begin;
    const std::string key = parsed.written(entry.key_span);
    CHECK((key == entry.key || key == '"' + entry.key + '"' || key == '\'' + entry.key + '\''));
    check_spans(parsed, entry.value);
  }
}

TEST_CASE("keys and values know where they stand") {
  const Parsed parsed(
      "spec = 1\n"
      "\"na me\" = \"wéb\" # ü\n"
      "list = [1, \"é\", 'two', true,\n  1.5]\n"
      "inline = { a = 1, b = \"x\" }\n"
      "[table.sub]\nk.l = \"\"\"a\nb\"\"\"\n"
      "[[mount]]\ntarget = \"/größe\"\n[[mount]]\ntarget = \"\\u0041\"\n");
  REQUIRE(parsed.root);
  check_spans(parsed, *parsed.root);
  CHECK(parsed.written(parsed.root->find("na me")->key_span) == "\"na me\"");
  CHECK(parsed.written(parsed.root->find("na me")->value.span) == "\"wéb\"");
  CHECK(parsed.written(parsed.root->find("list")->value.items[1].span) == "\"é\"");
  CHECK(parsed.written(parsed.root->find("list")->value.items[4].span) == "1.5");
  CHECK(parsed.written(parsed.root->find("inline")->value.span) == "{ a = 1, b = \"x\" }");
  const Node& mounts = parsed.root->find("mount")->value;
  REQUIRE(mounts.items.size() == 2);
  CHECK(parsed.written(mounts.items[0].span) == "[[mount]]");
  CHECK(mounts.items[1].span.begin > mounts.items[0].span.begin);
  CHECK(mounts.items[0].find("target")->value.content != 0);
  CHECK(mounts.items[1].find("target")->value.content == 0);
  CHECK(mounts.items[1].find("target")->value.text == "A");
  CHECK(parsed.written(parsed.root->find("table")->value.find("sub")->value.span) == "[table.sub]");
}

TEST_CASE("entries come in the order of the file") {
  const Parsed parsed("z = 1\na = 2\n[m]\nb = 1\na = 2\n");
  REQUIRE(parsed.root);
  CHECK(parsed.root->entries[0].key == "z");
  CHECK(parsed.root->entries[1].key == "a");
  CHECK(parsed.root->entries[2].value.entries[0].key == "b");
}

TEST_CASE("a carriage return, a byte order mark and an empty file are no trouble") {
  const Parsed crlf("spec = 1\r\n[root]\r\nsource = \"x\"\r\n");
  REQUIRE(crlf.root);
  CHECK(crlf.written(crlf.root->find("root")->value.find("source")->value.span) == "\"x\"");
  const Parsed marked("\xEF\xBB\xBFspec = 1\nname = \"é\"\n");
  REQUIRE(marked.root);
  CHECK(marked.written(marked.root->find("spec")->key_span) == "spec");
  CHECK(marked.written(marked.root->find("name")->value.span) == "\"é\"");
  CHECK(Parsed("").root);
  CHECK(Parsed("\n\n").root);
  CHECK(Parsed("# only a comment").root);
}

TEST_CASE("what is no text is said where it is") {
  CHECK(fault_in(std::string("a = 1\n\0b = 2\n", 13)) == std::string(1, '\0'));
  CHECK(fault_in("a = \"\xFFx\"\n") == "\xFF");
  CHECK(fault_in("a = \"\xC3\"\n") == "\xC3");
  CHECK(fault_in("# \xED\xA0\x80\n") == "\xED");
  CHECK(fault_in("a = 1\rb = 2\n") == "b");
}

TEST_CASE("nesting is limited before it can do harm") {
  CHECK(fault_in("a = " + std::string(5000, '[') + "\n") == "[");
  CHECK(fault_in("a = " + std::string(100'000, '{') + "\n") == "{");
  std::string dots = "a";
  for (int i = 0; i < 100'000; ++i) dots += ".a";
  CHECK(fault_in("[" + dots + "]\n") == ".");
  CHECK(fault_in(dots + " = 1\n") == ".");
  CHECK(fault_in("x = { a = \"\"\"q\"\"\"\", " + dots + " = 1 }\n") == ".");
  CHECK(Parsed("a = \"" + std::string(5000, '.') + std::string(5000, '[') + "\"\n").root);
  CHECK(Parsed("a = '''" + std::string(100, '[') + "\n" + std::string(100, '.') + "'''\n").root);
  CHECK(Parsed("# " + std::string(100, '[') + "\na = 1\n").root);
}

TEST_CASE("a spec cut anywhere or with any byte changed is read or refused, never worse") {
  const std::string whole =
      "spec = 1\nname = \"wéb\"\n[params]\nx = { required = true }\n[root]\nsource = "
      "\"parent:/${x}\"\n"
      "options = [\"ro\",\n 'nodev']\n[[mount]]\ntarget = \"/t\\u0041\"\nlong = \"\"\"\na\"\"\"\n";
  for (std::size_t at = 0; at <= whole.size(); ++at) {
    const Parsed cut(whole.substr(0, at));
    REQUIRE(cut.root.has_value() != cut.diagnostics.has_errors());
    if (cut.root) check_spans(cut, *cut.root);
    for (const char byte : {'\0', '\n', '"', '[', '{', '.', '#', '\\', '\xFF', '='}) {
      if (at == whole.size()) break;
      std::string changed = whole;
      changed[at] = byte;
      const Parsed parsed(changed);
      REQUIRE(parsed.root.has_value() != parsed.diagnostics.has_errors());
    }
  }
}

TEST_CASE("slips are pointed at where they are made") {
  CHECK(fault_in("[[mount]]\ntarget = \"/a\"\ntarget = \"/b\"\n") == "target");
  CHECK(fault_in("mode = 0755\n") == "0755");
  CHECK(fault_in("mode = 0755") == "0755");
  CHECK(fault_in("a = \"x\\040y\"\n") == "\\040");
  CHECK(fault_in("[[mount]]\na = 1\n[mount] # one\n") == "[mount]");
  CHECK(fault_in("a = /tmp\n") == "/tmp");
  CHECK(fault_in("a = [ True ]\n") == "True");
}

}  // namespace
}  // namespace mntcr::syntax
