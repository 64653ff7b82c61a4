// See params.h. Values are worked out at most once and in any order, as params may stand for one
// another; what --set gives is taken literally, so that a path with a dollar sign can be passed.
#include "compiler/spec/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/spec/vocabulary.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;
using syntax::TemplatePiece;

bool is_param_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool is_top_level_key(std::string_view name) {
  const auto keys = top_level_keys();
  return std::find(keys.begin(), keys.end(), name) != keys.end();
}

/// The names of the params that any string of `node` asks for.
void collect_uses(const Node& node, std::set<std::string, std::less<>>& uses) {
  if (node.kind == Node::Kind::string) {
    for (const TemplatePiece& piece : syntax::parse_template(node.text).pieces) {
      if (piece.kind == TemplatePiece::Kind::param) uses.insert(piece.text);
    }
  }
  for (const Node& item : node.items) collect_uses(item, uses);
  for (const Entry& entry : node.entries) collect_uses(entry.value, uses);
}

/// Where the bytes [begin, end) of the string `node` stand; all of it when it was written with
/// escapes.
Span piece_span(const Node& node, std::size_t begin, std::size_t end) {
  if (node.content == 0) return node.span;
  return {node.span.file, node.content + static_cast<std::uint32_t>(begin),
          node.content + static_cast<std::uint32_t>(end)};
}

}  // namespace

Params::Params(const std::vector<Entry>& declared, const std::vector<const Node*>& users,
               const std::vector<ParamSetting>& settings, Diagnostics& diagnostics)
    : diagnostics_(diagnostics) {
  for (const Entry& entry : declared) declare(entry);
  for (const ParamSetting& setting : settings) set(setting);
  demand_values();
  for (const auto& [name, param] : params_) value_of(name, param.entry->key_span);
  complain_unused(users);
}

void Params::declare(const Entry& entry) {
  Param& param = params_[entry.key];
  param.entry = &entry;
  if (!is_param_name(entry.key)) {
    diagnostics_
        .add(Code::E0206, entry.key_span, fmt::format("`{}` is no name for a param", entry.key))
        .help("a param's name has letters, digits, - and _");
    param.faulty = true;
  } else if (is_top_level_key(entry.key)) {
    diagnostics_
        .add(Code::E0224, entry.key_span,
             fmt::format("the param `{}` has the name of a top-level key", entry.key))
        .note("it stands below [params], so it is a param and has no other effect")
        .help("move it above the first [table], or give the param another name");
    param.faulty = true;
    param.state = Param::State::done;
    return;
  }
  if (entry.value.kind == Node::Kind::table) {
    declare_required(entry);
  } else if (entry.value.kind != Node::Kind::string) {
    param.state = Param::State::done;
    diagnostics_
        .add(Code::E0204, entry.value.span,
             fmt::format("the param `{}` is {}", entry.key, kind_name(entry.value.kind)),
             "expected a string")
        .help("params are pieces of text: put the value in quotes");
  }
}

void Params::declare_required(const Entry& entry) {
  Param& param = params_[entry.key];
  param.state = Param::State::done;
  for (const Entry& key : entry.value.entries) {
    if (key.key != "required") {
      param.faulty = true;
      diagnostics_
          .add(Code::E0201, key.key_span,
               fmt::format("unknown key `{}` of the param `{}`", key.key, entry.key))
          .help("a param is a string, or { required = true }");
    } else if (key.value.kind != Node::Kind::boolean || !key.value.boolean) {
      param.faulty = true;
      diagnostics_.add(Code::E0204, key.value.span, "`required` can only be true", "expected true")
          .help("for a param that need not be given write its value as a string");
    }
  }
  if (entry.value.entries.empty()) {
    param.faulty = true;
    diagnostics_
        .add(Code::E0203, entry.value.span, fmt::format("the param `{}` says nothing", entry.key))
        .help("a param is a string, or { required = true }");
  }
}

void Params::set(const ParamSetting& setting) {
  const auto found = params_.find(setting.key);
  if (found == params_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, param] : params_) names.push_back(name);
    Diagnostic& diagnostic = diagnostics_.add(
        Code::E0225, {},
        fmt::format("--set {}: the spec has no param `{}`", setting.key, setting.key));
    const std::string_view meant = did_you_mean(setting.key, names);
    if (!meant.empty()) diagnostic.help(fmt::format("did you mean `{}`?", meant));
    return;
  }
  found->second.value = setting.value;
  found->second.state = Param::State::done;
}

void Params::demand_values() {
  for (auto& [name, param] : params_) {
    if (param.faulty || param.entry->value.kind != Node::Kind::table) continue;
    if (param.value && !param.value->empty()) continue;
    diagnostics_
        .add(Code::E0222, param.entry->key_span,
             fmt::format("the param `{}` {}", name,
                         param.value ? "may not be empty" : "needs a value"))
        .help(fmt::format("give it on the command line: --set {}=VALUE", name));
    param.value.reset();
  }
}

void Params::complain_unused(const std::vector<const Node*>& users) {
  std::set<std::string, std::less<>> uses;
  for (const Node* user : users) collect_uses(*user, uses);
  for (const auto& [name, param] : params_) {
    if (uses.contains(name) || param.faulty) continue;
    diagnostics_
        .add(Code::E0223, param.entry->key_span, fmt::format("the param `{}` is never used", name))
        .help(fmt::format("write ${{{}}} where its value belongs, or take it away", name));
  }
}

std::optional<std::string> Params::unknown(const std::string& name, Span use) {
  std::vector<std::string_view> names;
  for (const auto& [known, param] : params_) names.push_back(known);
  const std::string_view meant = did_you_mean(name, names);
  diagnostics_.add(Code::E0220, use, fmt::format("there is no param `{}`", name))
      .help(meant.empty()
                ? fmt::format("declare it below [params], or write $${{{}}} for the text itself",
                              name)
                : fmt::format("did you mean `{}`?", meant));
  return std::nullopt;
}

void Params::report_ring(const std::string& name) {
  const auto first = std::find(running_.begin(), running_.end(), name);
  std::string ring;
  for (auto member = first; member != running_.end(); ++member)
    ring += fmt::format("`{}` → ", *member);
  Diagnostic& diagnostic = diagnostics_.add(Code::E0226, params_.at(name).entry->value.span,
                                            fmt::format("params in a ring: {}`{}`", ring, name));
  for (auto member = first + 1; member != running_.end(); ++member) {
    diagnostic.label(params_.at(*member).entry->value.span,
                     fmt::format("`{}` belongs to the ring", *member));
  }
  diagnostic.help("give one of them a value of its own");
}

std::optional<std::string> Params::value_of(const std::string& name, Span use) {
  const auto found = params_.find(name);
  if (found == params_.end()) return unknown(name, use);
  Param& param = found->second;
  if (param.state == Param::State::running) report_ring(name);
  if (param.state == Param::State::fresh) {
    param.state = Param::State::running;
    running_.push_back(name);
    const auto text = expand(param.entry->value);
    running_.pop_back();
    param.state = Param::State::done;
    if (text) param.value = text->value;
  }
  return param.value;
}

std::string Params::peek(const Node& node) const {
  std::string text;
  for (const TemplatePiece& piece : syntax::parse_template(node.text).pieces) {
    const auto param =
        piece.kind == TemplatePiece::Kind::param ? params_.find(piece.text) : params_.end();
    if (piece.kind == TemplatePiece::Kind::literal) text += piece.text;
    if (param != params_.end()) text += param->second.value.value_or("");
  }
  return text;
}

std::optional<Text> Params::expand(const Node& node) {
  const syntax::Template parts = syntax::parse_template(node.text);
  Text text{.value = {}, .span = node.span, .pieces = {}};
  bool good = parts.faults.empty();
  for (const syntax::ScalarFault& fault : parts.faults) {
    diagnostics_.add(Code::E0221, piece_span(node, fault.begin, fault.end), fault.message)
        .help(fault.help);
  }
  for (const TemplatePiece& piece : parts.pieces) {
    const Span source = piece_span(node, piece.begin, piece.end);
    const bool literal = piece.kind == TemplatePiece::Kind::literal;
    const std::optional<std::string> value = literal ? piece.text : value_of(piece.text, source);
    good = good && value;
    const std::size_t begin = text.value.size();
    text.value += value.value_or("");
    if (node.content != 0) {
      const bool as_written = literal && piece.text.size() == piece.end - piece.begin;
      text.pieces.push_back({begin, text.value.size(), source, as_written});
    }
  }
  if (!good) return std::nullopt;
  return text;
}

}  // namespace mntcr::spec
