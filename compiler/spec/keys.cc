// See keys.h. Also decides what is said about a key that is not known: it may be a word of a later
// version, an option, a key of the top level, or a slip of the finger.
#include "compiler/spec/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

/// Whether `key` is written as a word of `options` in this language.
bool is_option_word(std::string_view key) {
  const auto params = filesystem_params();
  return find_mount_option(key) != nullptr ||
         std::any_of(params.begin(), params.end(),
                     [&](const FilesystemParam& param) { return param.key == key; });
}

bool is_top_level_key(std::string_view key) {
  const auto keys = top_level_keys();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

Diagnostic& wrong_kind(Context& context, const Node& node, std::string_view what,
                       std::string_view expected) {
  return context.diagnostics.add(Code::E0204, node.span,
                                 fmt::format("{} is {}", what, kind_name(node.kind)),
                                 fmt::format("expected {}", expected));
}

void suggest(Diagnostic& diagnostic, std::string_view word,
             const std::vector<std::string_view>& candidates, std::string_view otherwise) {
  std::string small(word);
  std::transform(small.begin(), small.end(), small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::string_view meant = did_you_mean(small, candidates);
  if (!meant.empty()) {
    diagnostic.help(fmt::format("did you mean `{}`?", meant));
  } else if (!otherwise.empty()) {
    diagnostic.help(std::string(otherwise));
  }
}

TableReader::TableReader(Context& context, Room room, const Node& table, std::string title)
    : context_(context), room_(room), table_(table), title_(std::move(title)) {}

const Entry* TableReader::find(std::string_view key) {
  known_.push_back(key);
  return table_.find(key);
}

const Entry* TableReader::find(std::string_view key, Node::Kind kind, std::string_view help) {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->value.kind == kind) return entry;
  Diagnostic& diagnostic =
      wrong_kind(context_, entry->value, fmt::format("`{}`", key), kind_name(kind));
  if (!help.empty()) diagnostic.help(std::string(help));
  return nullptr;
}

std::optional<Text> TableReader::string(std::string_view key) {
  const Entry* entry = find(key, Node::Kind::string);
  if (entry == nullptr) return std::nullopt;
  return context_.params.expand(entry->value);
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Entry* entry = find(key, Node::Kind::boolean);
  if (entry == nullptr) return std::nullopt;
  return entry->value.boolean;
}

void TableReader::require(std::string_view key, std::string_view help) {
  if (table_.find(key) != nullptr || is_below_params(key)) return;
  context_.diagnostics.add(Code::E0203, table_.span, fmt::format("{} has no `{}`", title_, key))
      .help(std::string(help));
}

/// Whether this is the top level and its `key` slipped below [params], which params.cc explains.
bool TableReader::is_below_params(std::string_view key) const {
  const Entry* params = room_ == Room::top ? table_.find("params") : nullptr;
  return params != nullptr && params->value.find(key) != nullptr;
}

void TableReader::refuse(std::string_view key, std::string_view reason, std::string_view help) {
  const Entry* entry = table_.find(key);
  known_.push_back(key);
  if (entry == nullptr) return;
  context_.diagnostics
      .add(Code::E0211, entry->key_span, fmt::format("`{}` has no meaning here", key))
      .note(std::string(reason))
      .help(std::string(help));
}

void TableReader::finish() {
  for (const Entry& entry : table_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) == known_.end()) complain(entry);
  }
}

void TableReader::complain(const Entry& entry) {
  if (is_reserved(room_, entry.key)) {
    context_.diagnostics
        .add(Code::E0202, entry.key_span,
             fmt::format("`{}` is not in this version of the language", entry.key))
        .note("the word is reserved for it: see specs/language.md, \"Reserved\"");
    return;
  }
  Diagnostic& diagnostic = context_.diagnostics.add(
      Code::E0201, entry.key_span, fmt::format("unknown key `{}` in {}", entry.key, title_));
  if (room_ != Room::top && room_ != Room::tree && is_option_word(entry.key)) {
    diagnostic.help(fmt::format("`{0}` is an option: write options = [\"{0}{1}\"]", entry.key,
                                find_mount_option(entry.key) != nullptr ? "" : "=…"));
  } else if (room_ != Room::top && is_top_level_key(entry.key)) {
    diagnostic.help(
        fmt::format("`{}` is a key of the top level: write it above the first [table]", entry.key));
  } else {
    suggest(diagnostic, entry.key, known_);
  }
}

}  // namespace mntcr::spec
