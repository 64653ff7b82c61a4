// See layers.h. What can be told from one table alone; what the layers amount to together is
// compiler/layout/overlays.cc.
#include "compiler/spec/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compiler/spec/source.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

constexpr std::array<std::string_view, 3> keys = {"lower", "upper", "work"};

/// A layer whose source is a table would have more keys, which no version has yet.
bool is_reserved_table(Context& context, const Node& node) {
  if (node.kind != Node::Kind::table) return false;
  context.diagnostics
      .add(Code::E0202, node.span, "a layer as a table is not in this version of the language")
      .note("the form is reserved for layers with a map of users")
      .help(R"(write the source alone: "parent:/path")");
  return true;
}

void add_layer(Context& context, LayerRole role, const Node& node, FilesystemDecl& filesystem) {
  if (is_reserved_table(context, node)) return;
  if (node.kind != Node::Kind::string) {
    wrong_kind(context, node, fmt::format("a layer of `{}`", layer_key(role)), "a string");
    return;
  }
  const auto text = context.params.expand(node);
  auto source = text ? decode_source(context, *text) : std::nullopt;
  if (source) filesystem.layers.push_back({role, std::move(*source)});
}

void decode_lower(Context& context, TableReader& table, FilesystemDecl& filesystem) {
  table.require("lower", R"(write the layers, topmost first: lower = ["parent:/path"])");
  const Entry* lower = table.find("lower", Node::Kind::array, R"(write lower = ["parent:/path"])");
  if (lower == nullptr) return;
  const std::size_t count = lower->value.items.size();
  if (count == 0 || count > most_lower_layers) {
    context.diagnostics
        .add(Code::E0260, lower->value.span,
             count == 0 ? "an overlay without lower layers"
                        : fmt::format("an overlay with {} lower layers", count))
        .note(fmt::format("the kernel takes 1 to {}", most_lower_layers))
        .help(count == 0 ? R"(write at least one: lower = ["parent:/path"])"
                         : "put some of them into one directory");
  }
  for (const Node& item : lower->value.items)
    add_layer(context, LayerRole::lower, item, filesystem);
}

/// `upper` and `work` go together.
void check_pair(Context& context, const TableReader& table, const Entry* upper, const Entry* work) {
  if ((upper == nullptr) == (work == nullptr)) return;
  const Entry& alone = upper != nullptr ? *upper : *work;
  const std::string_view missing = upper != nullptr ? "work" : "upper";
  Diagnostic& diagnostic = context.diagnostics.add(
      Code::E0259, alone.key_span,
      fmt::format("{} has `{}` and no `{}`", table.title(), alone.key, missing));
  diagnostic.note(
      "the kernel prepares in `work`, an empty directory beside `upper`, what it puts there");
  diagnostic.help(fmt::format("write both, or neither for a read-only overlay"));
}

}  // namespace

void refuse_layers(TableReader& table, std::string_view reason) {
  for (const std::string_view key : keys) {
    table.refuse(key, reason, "layers are those of a mount with type = \"overlay\"");
  }
}

void decode_layers(Context& context, TableReader& table, FilesystemDecl& filesystem) {
  if (filesystem.type.empty()) {
    for (const std::string_view key : keys) table.find(key);
    return;
  }
  if (filesystem.type != overlay_type) {
    refuse_layers(table, fmt::format("a {} has no layers", filesystem.type));
    return;
  }
  decode_lower(context, table, filesystem);
  const Entry* upper = table.find("upper");
  const Entry* work = table.find("work");
  check_pair(context, table, upper, work);
  if (upper != nullptr) add_layer(context, LayerRole::upper, upper->value, filesystem);
  if (work != nullptr) add_layer(context, LayerRole::work, work->value, filesystem);
}

}  // namespace mntcr::spec
