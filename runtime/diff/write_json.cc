// The changes for machines; the format is specs/diff.md. The one file of this room with
// nlohmann-json.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/mount_options.h"
#include "runtime/base/utf8.h"
#include "runtime/diff/crossings.h"
#include "runtime/diff/describe.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/namespaces.h"

namespace mntcr {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 2;

/// A string, or {"hex": "2fff"} where the bytes are not UTF-8 and JSON cannot hold them.
Json bytes(std::string_view text) {
  if (utf8::is_valid(text)) return std::string(text);
  std::string hex;
  for (const char byte : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return Json{{"hex", hex}};
}

Json array(const std::vector<std::string>& words) {
  Json items = Json::array();
  for (const std::string& word : words) items.push_back(bytes(word));
  return items;
}

Json place(const Span& span, const SourceMap& sources) {
  const LineColumn at = sources.position(span.file, span.begin);
  return Json{
      {"file", bytes(sources.at(span.file).name)}, {"line", at.line}, {"column", at.column}};
}

Json ranges(const IdRanges& list) {
  Json texts = Json::array();
  for (const IdRange& range : list) texts.push_back(idmap::range_text(range));
  return texts;
}

void describe_live(Json& entry, const LiveMount& mount) {
  Json flags = Json::array();
  for (const std::string_view word : attr_words(mount.attrs, mount_attr::all)) {
    flags.push_back(std::string(word));
  }
  entry["device"] = fmt::format("{}:{}", mount.dev_major, mount.dev_minor);
  entry["root"] = bytes(mount.root);
  entry["fsname"] = bytes(mount.source);
  entry["options"] = flags;
  entry["filesystem_options"] = array(mount.fs_options);
  entry["filesystem_readonly"] = mount.sb_rdonly;
  if (mount.idmap) {
    entry["idmap"] = Json{{"uid", ranges(mount.idmap->uid)}, {"gid", ranges(mount.idmap->gid)}};
  }
  Json filesystem_flags = Json::array();
  for (const std::string_view word : filesystem_flag_words(mount.sb_flags, mount.sb_flags)) {
    filesystem_flags.push_back(std::string(word));
  }
  entry["filesystem_flags"] = filesystem_flags;
}

std::string_view kind_word(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::added:
      return "added";
    case Change::Kind::removed:
      return "removed";
    case Change::Kind::changed:
      return "changed";
  }
  return "";
}

Json change_entry(const DescribedChange& change, const Change& raw, const DiffReport& report) {
  Json entry{
      {"kind", kind_word(change.kind)}, {"namespace", change.ns}, {"target", bytes(change.target)}};
  if (change.layer != no_index) entry["layer"] = change.layer;
  if (!change.type.empty()) entry["type"] = bytes(change.type);
  entry["source"] = bytes(change.source);
  if (change.kind == Change::Kind::added) {
    describe_live(entry, report.live.mounts[raw.live]);
    entry["propagation"] = change.propagation;
    entry["covers"] = Json::array();
    for (const std::uint32_t covered : change.covers) {
      entry["covers"].push_back(bytes(report.live.mounts[covered].mountpoint));
    }
  }
  if (change.kind == Change::Kind::changed) {
    for (const Difference& difference : change.differences) {
      entry["differences"].push_back(Json{
          {"what", difference.what}, {"was", bytes(difference.was)}, {"is", bytes(difference.is)}});
    }
  }
  if (report.plan.sources.has(change.span.file)) {
    entry["declared"] = place(change.span, report.plan.sources);
  }
  return entry;
}

Json namespaces(const DiffReport& report) {
  const OddNamespaces odd = odd_namespaces(report.plan, report.live);
  Json added = Json::array();
  for (const std::uint32_t ns : odd.appeared) added.push_back(bytes(report.live.namespaces[ns]));
  Json removed = Json::array();
  for (const std::uint32_t ns : odd.gone) removed.push_back(report.plan.namespaces[ns].name);
  return Json{{"added", added}, {"removed", removed}};
}

Json crossings(const DiffReport& report) {
  Json all = Json::array();
  for (const Crossing& crossing : undeclared_crossings(report)) {
    const LiveMount& mount = report.live.mounts[crossing.mount];
    const bool receives = crossing.direction != Crossing::Direction::sends;
    const bool sends = crossing.direction != Crossing::Direction::receives;
    Json entry{{"namespace", bytes(report.live.namespaces[mount.ns])},
               {"target", bytes(mount.mountpoint)},
               {"receives", receives},
               {"sends", sends}};
    if (crossing.partner != no_index)
      entry["partner"] = bytes(report.parent.mounts[crossing.partner].mountpoint);
    all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace

std::string write_json(const DiffReport& report) {
  const auto [added, removed, changed] = count_kinds(report.changes);
  Json document{{"mntcr_diff", format_version},
                {"name", bytes(report.plan.name)},
                {"spec", bytes(report.extends)},
                {"same", !is_different(report)},
                {"added", added},
                {"removed", removed},
                {"changed", changed},
                {"namespaces", namespaces(report)},
                {"changes", Json::array()},
                {"escapes", crossings(report)}};
  const std::vector<DescribedChange> described = describe_changes(report);
  for (std::size_t at = 0; at < described.size(); ++at) {
    document["changes"].push_back(change_entry(described[at], report.changes[at], report));
  }
  return document.dump(2) + '\n';
}

}  // namespace mntcr
