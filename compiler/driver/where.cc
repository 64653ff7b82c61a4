#include "compiler/driver/where.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "runtime/apply/pin.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/capture/capture.h"
#include "runtime/plan/plan.h"

namespace mntcr::driver {
namespace {

constexpr const char* name_help =
    "a name is of a-z, 0-9, _ and -, and begins with a letter or digit";
constexpr const char* several_help = "write main=WHERE worker=WHERE, one for each namespace";

/// A "/" before the "=" makes a word a path, as in "./a=b".
WhereWord split(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || word.find('/') < equals) return {{}, word};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

/// Complains about a word of several, or of one that has a name.
void check_named(const std::string& word, const WhereWord& split, Diagnostics& diagnostics) {
  const std::string shown = path::printable(word);
  if (word == split.where) {
    diagnostics.add(Code::E0645, {}, fmt::format("`{}` says no name for its namespace", shown))
        .help(several_help);
  } else if (!is_container_name(split.name)) {
    diagnostics
        .add(Code::E0645, {},
             fmt::format("`{}`: `{}` is no name for a namespace", shown,
                         path::printable(split.name)))
        .help(name_help)
        .help(fmt::format("a file is meant? Write ./{}", shown));
  } else if (split.where.empty()) {
    diagnostics
        .add(Code::E0645, {}, fmt::format("`{}` does not say where `{}` is", shown, split.name))
        .help(several_help);
  }
}

/// Complains about what the names are together.
void check_names(const std::vector<WhereWord>& words, Diagnostics& diagnostics) {
  std::set<std::string> names;
  for (const WhereWord& word : words) {
    if (names.insert(word.name).second) continue;
    diagnostics.add(Code::E0645, {}, fmt::format("two namespaces are called `{}`", word.name))
        .help("give each a name of its own");
  }
  if (names.contains(main_namespace)) return;
  diagnostics.add(Code::E0645, {}, "none of the namespaces is called `main`")
      .help("every container has one that is called so: main=WHERE");
}

}  // namespace

std::optional<std::vector<WhereWord>> parse_where(const std::vector<std::string>& words,
                                                  Diagnostics& diagnostics) {
  std::vector<WhereWord> all;
  const bool one = words.size() == 1 && split(words.front()).where == words.front();
  for (const std::string& word : words) {
    all.push_back(split(word));
    if (!one) check_named(word, all.back(), diagnostics);
  }
  if (!one && !diagnostics.has_errors()) check_names(all, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  std::ranges::sort(all, {}, [](const WhereWord& word) {
    return std::pair(word.name != main_namespace, word.name);
  });
  return all;
}

int as_pid(const std::string& where) {
  int pid = 0;
  const char* end = where.data() + where.size();
  const auto [stopped, error] = std::from_chars(where.data(), end, pid);
  return error == std::errc{} && stopped == end && pid > 0 ? pid : 0;
}

Result<Fd> open_where(Kernel& kernel, const std::string& where) {
  if (const int pid = as_pid(where); pid != 0) {
    const Result<Fd> proc = open_proc(kernel);
    if (!proc) return Failure(proc.error());
    return open_namespace_of_pid(kernel, *proc, pid);
  }
  if (where.find('/') != std::string::npos) return open_namespace_file(kernel, where);
  if (!is_container_name(where)) {
    return fail(
        fmt::format("`{}` is no PID, no path and no name of a container", path::printable(where)));
  }
  if (!is_pinned(kernel, where))
    return fail(fmt::format("no container named `{}` is pinned", where));
  return open_namespace_file(kernel, pin_path(where));
}

}  // namespace mntcr::driver
