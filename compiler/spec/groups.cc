// See groups.h.
#include "compiler/spec/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "compiler/spec/source.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

struct EscapeWord {
  std::string_view word;
  Escape escape;
};

constexpr auto escape_words = std::to_array<EscapeWord>({
    {"refuse", Escape::refuse},
    {"report", Escape::report},
    {"allow", Escape::allow},
});

/// The number of the file that is compiled.
constexpr FileId compiled = 0;

/// A word of [policy] that it does not have.
void bad_word(Context& context, const Text& text, std::string_view key,
              const std::vector<std::string_view>& words, std::string_view otherwise) {
  suggest(context.diagnostics.add(Code::E0272, text.span,
                                  fmt::format("`{}` cannot be `{}`", key, text.value)),
          text.value, words, otherwise);
}

void decode_escape(Context& context, TableReader& table, Spec& spec) {
  const auto text = table.string("escape");
  if (!text) return;
  std::vector<std::string_view> words;
  for (const EscapeWord& candidate : escape_words) {
    words.push_back(candidate.word);
    if (candidate.word != text->value) continue;
    spec.policy.escape = candidate.escape;
    return;
  }
  bad_word(context, *text, "escape", words, R"(it is "refuse", "report" or "allow")");
}

void decode_policy(Context& context, const SpecFile& file, const Node& node, Spec& spec) {
  TableReader table(context, Room::policy, node, "[policy]");
  decode_escape(context, table, spec);
  if (const auto copies = table.string("copies")) {
    constexpr std::string_view listed = "listed";
    if (copies->value == listed) {
      context.listed.push_back(file.file);
      spec.policy.copies_listed = file.file == compiled;
    } else {
      bad_word(context, *copies, "copies", {listed},
               R"(it is "listed", or not written where sharing shall imply copies)");
    }
  }
  table.finish();
}

GroupDecl decode_group(Context& context, const Entry& entry) {
  GroupDecl group{.name = entry.key, .parent = {}, .exact = false, .span = entry.value.span};
  if (entry.key == parent_group) {
    context.diagnostics.add(Code::E0273, entry.key_span, "`parent` is no name for a group")
        .note("it is the group that the source of a mount has in the parent")
        .help("give the group another name");
  } else if (const auto fault = syntax::find_name_fault(entry.key)) {
    context.diagnostics.add(Code::E0206, entry.key_span, fault->message).help(fault->help);
  }
  TableReader table(context, Room::group, entry.value, fmt::format("[group.{}]", entry.key));
  if (const auto parent = table.string("parent")) {
    if (check_path(context, *parent, "parent", 0, syntax::PathForm::absolute))
      group.parent = {parent->value, parent->span};
  }
  if (entry.value.find("parent") == nullptr) {
    table.refuse("exact", "it says that `parent` is a mountpoint",
                 R"(write parent = "/path" beside it, or take it away)");
  } else {
    group.exact = table.boolean("exact").value_or(false);
  }
  table.finish();
  return group;
}

}  // namespace

void decode_policies(Context& context, const SpecFiles& files, TableReader& top, Spec& spec) {
  top.find("policy");
  for (const SpecFile& file : files) {
    const Entry* entry = file.tree.find("policy");
    if (entry == nullptr) continue;
    if (entry->value.kind == Node::Kind::table) {
      decode_policy(context, file, entry->value, spec);
    } else {
      wrong_kind(context, entry->value, "`policy`", "a table").help("write [policy]");
    }
  }
}

void decode_groups(Context& context, TableReader& top, Spec& spec) {
  const Entry* table = top.find("group", Node::Kind::table, "write [group.NAME]");
  if (table == nullptr) return;
  for (const Entry& entry : table->value.entries) {
    if (entry.value.kind == Node::Kind::table) {
      spec.groups.push_back(decode_group(context, entry));
    } else {
      wrong_kind(context, entry.value, fmt::format("the group `{}`", entry.key), "a table")
          .help("a group has a name: [group.NAME]");
    }
  }
}

void add_undeclared_groups(Spec& spec) {
  std::set<std::string> known = {"", std::string(parent_group)};
  for (const GroupDecl& group : spec.groups) known.insert(group.name);
  const auto add = [&](const Str& name) {
    if (known.insert(name.value).second) spec.groups.push_back({name.value, {}, false, name.span});
  };
  for (const MountDecl& mount : spec.mounts) {
    if (!mount.propagation) continue;
    add(mount.propagation->group);
    add(mount.propagation->master);
  }
}

}  // namespace mntcr::spec
