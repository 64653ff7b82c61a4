// The changes for people: a line each, and one that counts them.
//
//   + /mnt  tmpfs  nosuid,size=64m
//   - /proc  proc
//   ~ /data  options: ro -> rw
//   + /  tmpfs  (covers / and 3 mounts below it)
//   4 changes: 2 appeared, 1 gone, 1 changed

#include <fmt/format.h>

#include "runtime/base/path.h"
#include "runtime/diff/describe.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/names.h"

namespace mntcr {
namespace {

std::string place(const DescribedChange& change) {
  std::string text = path::printable(change.target);
  if (change.layer != no_index) text += fmt::format(" (layer {})", change.layer);
  return text;
}

std::string added_line(const DescribedChange& change, const MountTable& live) {
  std::string text = fmt::format("+ {}  {}", place(change), path::printable(change.source));
  std::vector<std::string> words = change.options;
  words.insert(words.end(), change.parameters.begin(), change.parameters.end());
  if (change.propagation != "private") words.push_back(change.propagation);
  if (!words.empty()) text += "  " + path::printable(fmt::format("{}", fmt::join(words, ",")));
  if (!change.idmap.empty()) text += "  idmap " + change.idmap;
  if (!change.covers.empty()) text += fmt::format("  ({})", describe_covered(live, change.covers));
  return text;
}

std::string changed_line(const DescribedChange& change) {
  std::string text = fmt::format("~ {}  ", place(change));
  for (std::size_t at = 0; at < change.differences.size(); ++at) {
    const Difference& difference = change.differences[at];
    text += fmt::format("{}{}: {} -> {}", at == 0 ? "" : "; ", difference.what,
                        path::printable(difference.was), path::printable(difference.is));
  }
  return text;
}

std::string line(const DescribedChange& change, const MountTable& live) {
  switch (change.kind) {
    case Change::Kind::added:
      return added_line(change, live);
    case Change::Kind::removed:
      return fmt::format("- {}  {}", place(change), path::printable(change.source));
    case Change::Kind::changed:
      return changed_line(change);
  }
  return {};
}

}  // namespace

std::string write_text(const DiffReport& report) {
  if (report.changes.empty()) return "no differences\n";
  std::string text;
  for (const DescribedChange& change : describe_changes(report)) {
    text += line(change, report.live) + '\n';
  }
  const auto [appeared, gone, changed] = count_kinds(report.changes);
  return text + fmt::format("{} {}: {} appeared, {} gone, {} changed\n", report.changes.size(),
                            report.changes.size() == 1 ? "change" : "changes", appeared, gone,
                            changed);
}

}  // namespace mntcr
