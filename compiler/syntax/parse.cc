// The only file that knows toml++. It turns toml++'s document into a tree of our own with byte
// spans, in the order of the file, and toml++'s one exception into E0101.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <exception>
#include <tuple>
#include <utility>

#include "compiler/syntax/positions.h"
#include "compiler/syntax/precheck.h"
#include "compiler/syntax/slips.h"
#include "compiler/syntax/syntax_tree.h"

namespace mntcr::syntax {
namespace {

/// Converts one document. Recursion is bounded by precheck.h.
class Converter {
 public:
  Converter(std::string_view text, FileId file) : text_(text), file_(file), positions_(text) {}

  [[nodiscard]] Span span(const toml::source_region& region) const {
    return {file_, positions_.offset(region.begin.line, region.begin.column),
            positions_.offset(region.end.line, region.end.column)};
  }

  [[nodiscard]] Node convert(const toml::node& from) const {
    Node node;
    node.span = span(from.source());
    switch (from.type()) {
      case toml::node_type::string:
        node.kind = Node::Kind::string;
        node.text = from.as_string()->get();
        node.content = content(node);
        break;
      case toml::node_type::integer:
        node.kind = Node::Kind::integer;
        node.integer = from.as_integer()->get();
        break;
      case toml::node_type::boolean:
        node.kind = Node::Kind::boolean;
        node.boolean = from.as_boolean()->get();
        break;
      case toml::node_type::floating_point:
        node.kind = Node::Kind::floating;
        break;
      case toml::node_type::array:
        node.kind = Node::Kind::array;
        for (const toml::node& item : *from.as_array()) node.items.push_back(convert(item));
        break;
      case toml::node_type::table:
        node.kind = Node::Kind::table;
        convert_entries(*from.as_table(), node.entries);
        break;
      default:
        node.kind = Node::Kind::date;
        break;
    }
    return node;
  }

 private:
  void convert_entries(const toml::table& from, std::vector<Entry>& to) const {
    for (const auto& [key, value] : from) {
      to.push_back({std::string(key.str()), span(key.source()), convert(value)});
    }
    std::sort(to.begin(), to.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.key_span.begin, a.key) < std::tie(b.key_span.begin, b.key);
    });
  }

  /// See Node::content.
  [[nodiscard]] std::uint32_t content(const Node& string) const {
    const std::string_view written =
        text_.substr(string.span.begin, string.span.end - string.span.begin);
    for (const std::string_view quote : {std::string_view(R"(""")"), std::string_view("'''"),
                                         std::string_view("\""), std::string_view("'")}) {
      if (!written.starts_with(quote) || !written.ends_with(quote)) continue;
      if (written.size() != string.text.size() + 2 * quote.size()) continue;
      if (written.substr(quote.size(), string.text.size()) == string.text) {
        return string.span.begin + static_cast<std::uint32_t>(quote.size());
      }
    }
    return 0;
  }

  std::string_view text_;
  FileId file_;
  Positions positions_;
};

/// "Error while parsing CONTEXT: REASON", or anything else as a reason.
Complaint take_apart(std::string_view description, std::size_t offset) {
  constexpr std::string_view prefix = "Error while parsing ";
  if (description.starts_with(prefix)) description.remove_prefix(prefix.size());
  const std::size_t colon = description.find(": ");
  if (colon == std::string_view::npos) return {"", std::string(description), offset};
  return {std::string(description.substr(0, colon)), std::string(description.substr(colon + 2)),
          offset};
}

/// The bytes of the character at `at`, or of the one before the end of the text.
Span character(FileId file, std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    const auto end = static_cast<std::uint32_t>(text.size());
    return {file, end, end};
  }
  std::size_t end = at + 1;
  while (end < text.size() && is_continuation(text[end])) ++end;
  return {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)};
}

Span bytes(FileId file, std::size_t begin, std::size_t end) {
  return {file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

void report(const Complaint& complaint, FileId file, std::string_view text,
            Diagnostics& diagnostics) {
  const Slip slip = find_slip(text, complaint);
  const Span span =
      slip.begin ? bytes(file, *slip.begin, slip.end) : character(file, text, complaint.offset);
  const std::string message = slip.message.empty() ? complaint.reason : slip.message;
  Diagnostic& diagnostic = diagnostics.add(
      Code::E0101, span, message,
      complaint.context.empty() ? "" : fmt::format("while reading: {}", complaint.context));
  if (slip.first) diagnostic.label(bytes(file, *slip.first, slip.first_end), "the first is here");
  if (!slip.help.empty()) diagnostic.help(slip.help);
}

}  // namespace

std::optional<Node> parse(const SourceMap& sources, FileId file, Diagnostics& diagnostics) {
  const std::string_view text = sources.at(file).text;
  if (text.size() >= UINT32_MAX) {
    diagnostics.add(Code::E0101, {}, "the text is larger than 4 GiB");
    return std::nullopt;
  }
  if (const auto fault = find_text_fault(text)) {
    Diagnostic& diagnostic =
        diagnostics.add(Code::E0101, bytes(file, fault->begin, fault->end), fault->message);
    if (!fault->help.empty()) diagnostic.help(fault->help);
    return std::nullopt;
  }
  const Converter converter(text, file);
  try {
    const toml::table document = toml::parse(text);
    Node root = converter.convert(document);
    root.span = {file, 0, 0};
    return root;
  } catch (const toml::parse_error& error) {
    const Span at = converter.span(error.source());
    report(take_apart(error.description(), at.begin), file, text, diagnostics);
  } catch (const std::exception& error) {
    diagnostics.add(Code::E0101, {file, 0, 0},
                    fmt::format("the text cannot be read: {}", error.what()));
  }
  return std::nullopt;
}

}  // namespace mntcr::syntax
