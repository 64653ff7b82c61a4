// See change.h.
#include "compiler/spec/change.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compiler/spec/source.h"
#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/mount_options.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

/// The keys of a mount that a change may give; `name` as well where the mount is found otherwise.
constexpr auto changing_keys = std::to_array<std::string_view>(
    {"source", "type",  "options", "fsname",  "create",      "follow",   "on",
     "cover",  "idmap", "tree",    "deleted", "kind",        "mode",     "uid",
     "gid",    "lower", "upper",   "work",    "propagation", "propagate"});

/// What a word of options decides: flags of the mount, flags of the filesystem (`ro=fs`, `sync`),
/// or a parameter.
struct Decision {
  std::uint64_t flags = 0;
  std::string_view key;
  std::string_view form;
};

/// What filesystem flags are decided under, for their bits mean others in a mount.
constexpr std::string_view filesystem_form = "fs";

/// Of a parameter's key and its opposite one.
std::string_view one_of_both(std::string_view key) {
  const auto params = filesystem_params();
  const auto found = std::find_if(params.begin(), params.end(), [&](const FilesystemParam& param) {
    return param.key == key && param.kind == ParamKind::flag && !param.choices.empty();
  });
  return found == params.end() ? key : std::min(key, found->choices);
}

Decision decision(std::string_view word) {
  if (const FilesystemFlag* flag = find_filesystem_flag(word))
    return {flag->demand.mask, {}, filesystem_form};
  const ParamWord param = split_param(word);
  if (const MountOption* option = find_mount_option(param.key))
    return {option->demand.mask, {}, param.value};
  return {0, one_of_both(param.key), {}};
}

bool decide_the_same(std::string_view a, std::string_view b) {
  const Decision first = decision(a);
  const Decision second = decision(b);
  if (first.flags == 0 || second.flags == 0)
    return first.flags == second.flags && first.key == second.key;
  return (first.flags & second.flags) != 0 && first.form == second.form;
}

/// The words of `base` that no word of `change` decides, then those of `change`.
std::vector<Node> merged_options(const Params& params, const Node& base, const Node& change) {
  const auto is_replaced = [&](const Node& word) {
    const std::string text = params.peek(word);
    return std::any_of(change.items.begin(), change.items.end(), [&](const Node& by) {
      return word.kind == Node::Kind::string && by.kind == Node::Kind::string &&
             decide_the_same(text, params.peek(by));
    });
  };
  std::vector<Node> words;
  std::remove_copy_if(base.items.begin(), base.items.end(), std::back_inserter(words), is_replaced);
  words.insert(words.end(), change.items.begin(), change.items.end());
  return words;
}

void set_entry(const Params& params, Node& table, const Entry& entry) {
  const auto found = std::find_if(table.entries.begin(), table.entries.end(),
                                  [&](const Entry& old) { return old.key == entry.key; });
  if (found == table.entries.end()) {
    table.entries.push_back(entry);
    return;
  }
  Entry changed = entry;
  const bool lists =
      found->value.kind == Node::Kind::array && entry.value.kind == Node::Kind::array;
  if (entry.key == "options" && lists)
    changed.value.items = merged_options(params, found->value, entry.value);
  if (entry.key == "tree" && lists) {
    const std::vector<Node>& before = found->value.items;
    changed.value.items.insert(changed.value.items.begin(), before.begin(), before.end());
  }
  *found = std::move(changed);
}

void unset_key(Context& context, const Node& word, Node& mount) {
  const std::string key = context.params.peek(word);
  if (mount.find(key) != nullptr && key != "target") {
    drop_entry(mount, key);
    return;
  }
  Diagnostic& diagnostic = context.diagnostics.add(
      Code::E0211, word.span, fmt::format("`{}` cannot be unset", key),
      key == "target" ? "a mount has a target" : "the mount does not have it");
  diagnostic.label(mount.span, "the mount");
  std::vector<std::string_view> keys;
  for (const Entry& entry : mount.entries) keys.push_back(entry.key);
  suggest(diagnostic, key, keys, "take it away");
}

}  // namespace

bool Change::sets(std::string_view key) const {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const Entry& entry) { return entry.key == key; });
}

Change decode_change(Context& context, TableReader& table, const Node& node) {
  Change change;
  for (const std::string_view key : changing_keys) {
    if (const Entry* entry = table.find(key)) change.keys.push_back(*entry);
  }
  const Entry* name = table.find("name");
  if (name != nullptr && node.find("target") != nullptr) change.keys.push_back(*name);
  if (const auto to = table.string("to")) {
    if (check_path(context, *to, "to", 0, syntax::PathForm::absolute)) change.to = to;
  }
  const Entry* unset = table.find("unset", Node::Kind::array, R"(write unset = ["create"])");
  if (unset == nullptr) return change;
  for (const Node& item : unset->value.items) {
    if (item.kind == Node::Kind::string) {
      change.unset.push_back(item);
    } else {
      wrong_kind(context, item, "an entry of `unset`", "a string");
    }
  }
  return change;
}

void apply_change(Context& context, const Change& change, Node& mount) {
  for (const Node& word : change.unset) unset_key(context, word, mount);
  for (const Entry& entry : change.keys) set_entry(context.params, mount, entry);
}

void drop_entry(Node& table, std::string_view key) {
  std::erase_if(table.entries, [&](const Entry& entry) { return entry.key == key; });
}

void set_target(Node& mount, std::string_view target, Span span) {
  const auto found = std::find_if(mount.entries.begin(), mount.entries.end(),
                                  [](const Entry& entry) { return entry.key == "target"; });
  if (found == mount.entries.end()) return;
  Node& value = found->value;
  value.text.clear();
  for (const char byte : target) value.text += byte == '$' ? "$$" : std::string(1, byte);
  value.content = 0;
  value.span = span;
}

}  // namespace mntcr::spec
