// See idmap.h. Of `uid` and `gid` one may be left out: it is then the same as the other, which is
// what most maps are. What the kernel would not take is refused here, range by range.
#include "compiler/spec/idmap.h"

#include <fmt/format.h>

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

constexpr std::string_view example = R"(write idmap = { uid = ["0:100000:65536"] })";

/// One key of a map: a list of ranges with the places where they are written.
struct RangeList {
  IdRanges ranges;
  std::vector<Span> spans;
  bool faulty = false;
};

void decode_range(Context& context, const Text& text, RangeList& list) {
  const auto range = idmap::parse_range(text.value, ':');
  const auto fault = range ? idmap::range_fault(*range) : std::nullopt;
  if (range && !fault) {
    list.ranges.push_back(*range);
    list.spans.push_back(text.span);
    return;
  }
  list.faulty = true;
  context.diagnostics
      .add(Code::E0266, text.span, fmt::format("`{}` is no range of numbers", text.value))
      .note(fault.value_or("a range is three numbers below 2^32, inside:outside:count"))
      .help(
          "\"0:100000:65536\" shows the files of user 0 as those of 100000, and so on for 65536 "
          "users");
}

void check_list(Context& context, const Entry& entry, RangeList& list) {
  if (list.faulty) return;
  if (const auto overlap = idmap::find_overlap(list.ranges)) {
    list.faulty = true;
    context.diagnostics
        .add(Code::E0267, list.spans[overlap->second],
             fmt::format("two ranges of `{}` overlap {}", entry.key,
                         overlap->outside ? "outside" : "inside"))
        .label(list.spans[overlap->first], "the other is here")
        .help("map each number once");
  } else if (const auto fault = idmap::list_fault(list.ranges)) {
    list.faulty = true;
    context.diagnostics
        .add(Code::E0267, entry.value.span, fmt::format("`{}`: {}", entry.key, *fault))
        .help(list.ranges.empty() ? R"(write ["0:100000:65536"])"
                                  : "put ranges together that go on where another ends");
  }
}

/// The list of `key`; nothing when it is not there.
std::optional<RangeList> decode_list(Context& context, TableReader& table, std::string_view key) {
  if (table.find(key) == nullptr) return std::nullopt;
  const Entry* entry = table.find(key, Node::Kind::array, R"(write ["0:100000:65536"])");
  RangeList list;
  list.faulty = entry == nullptr;
  if (entry == nullptr) return list;
  for (const Node& item : entry->value.items) {
    if (item.kind != Node::Kind::string) {
      wrong_kind(context, item, "a range", "a string");
      list.faulty = true;
    } else if (const auto text = context.params.expand(item)) {
      decode_range(context, *text, list);
    } else {
      list.faulty = true;
    }
  }
  check_list(context, *entry, list);
  return list;
}

std::optional<IdMap> decode_map(Context& context, const Node& node, std::string title) {
  TableReader table(context, Room::idmap, node, std::move(title));
  const auto uid = decode_list(context, table, "uid");
  const auto gid = decode_list(context, table, "gid");
  table.finish();
  if (!uid && !gid) {
    context.diagnostics
        .add(Code::E0265, node.span, fmt::format("{} has neither `uid` nor `gid`", table.title()))
        .help(R"(write uid = ["0:100000:65536"])");
    return std::nullopt;
  }
  if ((uid && uid->faulty) || (gid && gid->faulty)) return std::nullopt;
  return IdMap{(uid ? uid : gid)->ranges, (gid ? gid : uid)->ranges};
}

/// `idmap = "userns"`.
std::optional<Spanned<IdMap>> decode_word(Context& context, const Text& text) {
  if (text.value != "userns") {
    Diagnostic& diagnostic = context.diagnostics.add(
        Code::E0265, text.span, fmt::format("`idmap` cannot be `{}`", text.value));
    if (text.value == "unknown") {
      diagnostic.note(
          "a capture writes this where the kernel shows that a mount has an idmap, but not which");
    } else if (text.value == "none") {
      diagnostic.note(
          "a capture writes this where the parent shows the source only through an idmapped mount");
    }
    diagnostic.help(fmt::format("{}, or \"userns\" for the map of [userns]", example));
    return std::nullopt;
  }
  if (!context.has_userns) {
    context.diagnostics.add(Code::E0269, text.span, "there is no [userns] that says which numbers")
        .help("write [userns] and below it uid = [\"0:100000:65536\"]");
  }
  if (!context.userns) return std::nullopt;
  return Spanned<IdMap>{*context.userns, text.span};
}

}  // namespace

void decode_userns(Context& context, TableReader& top) {
  context.has_userns = top.find("userns") != nullptr;
  const Entry* entry = top.find("userns", Node::Kind::table, "write [userns]");
  if (entry != nullptr) context.userns = decode_map(context, entry->value, "[userns]");
}

std::optional<Spanned<IdMap>> decode_idmap(Context& context, TableReader& table) {
  const Entry* entry = table.find("idmap");
  if (entry == nullptr) return std::nullopt;
  if (entry->value.kind == Node::Kind::string) {
    const auto text = context.params.expand(entry->value);
    return text ? decode_word(context, *text) : std::nullopt;
  }
  if (entry->value.kind != Node::Kind::table) {
    wrong_kind(context, entry->value, "`idmap`", "a table").help(std::string(example));
    return std::nullopt;
  }
  const auto map = decode_map(context, entry->value, "`idmap`");
  if (!map) return std::nullopt;
  return Spanned<IdMap>{*map, entry->value.span};
}

}  // namespace mntcr::spec
