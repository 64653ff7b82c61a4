// The changes for people: a line each, and one that counts them.
//
//   + /mnt  tmpfs  nosuid,size=64m
//   - /proc  proc
//   ~ /data  options: ro -> rw
//   + /  tmpfs  (covers / and 3 mounts below it)
//   + namespace worker
//   + worker:/  parent:/srv/worker
//   5 changes: 3 appeared, 1 gone, 1 changed
//   sharing with the parent that nobody declared:
//   ! /data  receives from /srv/data

#include <fmt/format.h>

#include <map>

#include "runtime/base/path.h"
#include "runtime/diff/crossings.h"
#include "runtime/diff/describe.h"
#include "runtime/diff/diff.h"
#include "runtime/diff/names.h"
#include "runtime/diff/namespaces.h"

namespace mntcr {
namespace {

std::string place(const DescribedChange& change) {
  std::string text = change.ns == main_namespace ? "" : change.ns + ':';
  text += path::printable(change.target);
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

/// A line for each namespace that one side has not, before the first of its mounts.
class NamespaceLines {
 public:
  explicit NamespaceLines(const DiffReport& report) {
    const OddNamespaces odd = odd_namespaces(report.plan, report.live);
    for (const std::uint32_t ns : odd.gone)
      lines_.emplace(report.plan.namespaces[ns].name, "- namespace ");
    for (const std::uint32_t ns : odd.appeared)
      lines_.emplace(report.live.namespaces[ns], "+ namespace ");
  }

  std::string before(const DescribedChange& change) {
    const auto line = lines_.extract(change.ns);
    return line.empty() ? std::string{} : line.mapped() + line.key() + '\n';
  }

 private:
  std::map<std::string, std::string> lines_;
};

std::string crossing_lines(const DiffReport& report) {
  std::string text;
  for (const Crossing& crossing : undeclared_crossings(report)) {
    const LiveMount& mount = report.live.mounts[crossing.mount];
    const std::string ns = report.live.namespaces[mount.ns];
    const std::string partner =
        crossing.partner == no_index
            ? "a namespace that is not looked at"
            : path::printable(report.parent.mounts[crossing.partner].mountpoint);
    if (text.empty()) text = "sharing with the parent that nobody declared:\n";
    text += fmt::format("! {}{}  {} {}\n", ns == main_namespace ? "" : ns + ':',
                        path::printable(mount.mountpoint), direction_words(crossing.direction),
                        partner);
  }
  return text;
}

}  // namespace

std::string write_text(const DiffReport& report) {
  if (report.changes.empty()) return "no differences\n" + crossing_lines(report);
  std::string text;
  NamespaceLines namespaces(report);
  for (const DescribedChange& change : describe_changes(report)) {
    text += namespaces.before(change) + line(change, report.live) + '\n';
  }
  const auto [appeared, gone, changed] = count_kinds(report.changes);
  return text +
         fmt::format("{} {}: {} appeared, {} gone, {} changed\n", report.changes.size(),
                     report.changes.size() == 1 ? "change" : "changes", appeared, gone, changed) +
         crossing_lines(report);
}

}  // namespace mntcr
