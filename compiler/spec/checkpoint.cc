// See checkpoint.h. What is for people (time, host, kernel) is only checked to be text.
#include "compiler/spec/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/spec/digest.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

constexpr std::size_t digest_length = 64;

bool is_digest(std::string_view text) {
  return text.size() == digest_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string names_of_bases(const SpecFile& file) {
  std::string names;
  const Entry* extends = file.tree.find("extends");
  for (const Node& item : extends->value.items) {
    names += (names.empty() ? "" : ", ") + item.text;
  }
  return names;
}

void check_digest(Context& context, TableReader& table, const SpecFiles& files,
                  const SpecFile& file) {
  if (file.bases.empty()) {
    table.refuse("digest", "it is that of what the file extends, and this one extends nothing",
                 "take it away");
    return;
  }
  const Entry* entry = table.find("digest", Node::Kind::string);
  if (entry == nullptr) return;
  if (!is_digest(entry->value.text)) {
    context.diagnostics
        .add(Code::E0219, entry->value.span, "`digest` is no SHA-256 in hexadecimal digits")
        .help("`mntcr diff` writes it; without it the base is not checked");
    return;
  }
  const std::string now = digest_of_bases(files, file);
  if (now == entry->value.text) return;
  const std::string names = names_of_bases(file);
  context.diagnostics
      .add(Code::E0228, entry->value.span,
           fmt::format("the base has changed since this checkpoint was taken: {}", names))
      .label(file.tree.find("extends")->value.span, "this is the base")
      .note(fmt::format("its digest is {}", now))
      .note("what the checkpoint says is only right for the base that it was compared with")
      .help("take a fresh one: mntcr diff WHERE SPEC -o FILE; or bring the old base back");
}

void check_settings(Context& context, TableReader& table) {
  const Entry* set = table.find("set", Node::Kind::table, R"(write set = { name = "value" })");
  if (set == nullptr) return;
  for (const Entry& entry : set->value.entries) {
    if (entry.value.kind != Node::Kind::string)
      wrong_kind(context, entry.value, fmt::format("the param `{}`", entry.key), "a string");
  }
}

void check_time(Context& context, TableReader& table) {
  const Entry* time = table.find("time");
  if (time == nullptr) return;
  const bool good = time->value.kind == Node::Kind::string || time->value.kind == Node::Kind::date;
  if (!good) wrong_kind(context, time->value, "`time`", "a date and time, or a string");
}

}  // namespace

void check_checkpoint(Context& context, const SpecFiles& files, const SpecFile& file) {
  const Entry* entry = file.tree.find("checkpoint");
  if (entry == nullptr) return;
  if (entry->value.kind != Node::Kind::table) {
    wrong_kind(context, entry->value, "`checkpoint`", "a table").help("write [checkpoint]");
    return;
  }
  TableReader table(context, Room::checkpoint, entry->value, "[checkpoint]");
  check_digest(context, table, files, file);
  check_settings(context, table);
  check_time(context, table);
  table.find("host", Node::Kind::string);
  table.find("kernel", Node::Kind::string);
  table.find("sequence", Node::Kind::integer);
  table.finish();
}

const std::vector<Entry>& checkpoint_settings(const SpecFile& file) {
  static const std::vector<Entry> none;
  const Entry* entry = file.tree.find("checkpoint");
  const Entry* set = entry == nullptr ? nullptr : entry->value.find("set");
  if (set == nullptr || set->value.kind != Node::Kind::table) return none;
  return set->value.entries;
}

}  // namespace mntcr::spec
