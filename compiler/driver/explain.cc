// mntcr explain [CODE].
#include <fmt/format.h>

#include "compiler/driver/commands.h"
#include "runtime/base/diagnostic.h"
#include "runtime/base/path.h"

namespace mntcr::driver {
namespace {

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    out += line.empty() ? "\n" : fmt::format("    {}\n", line);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

std::string explained(const CodeInfo& info) {
  std::string out = fmt::format("{}: {}\n\n{}\n", info.id, info.title, info.explanation);
  if (!info.failing.empty()) out += "\nThis spec raises it:\n\n" + indented(info.failing);
  if (!info.mended.empty()) out += "\nThis one does not:\n\n" + indented(info.mended);
  return out;
}

}  // namespace

int run_explain(const Options& options) {
  if (options.input.empty()) {
    for (const CodeInfo& info : all_codes()) fmt::print("{}  {}\n", info.id, info.title);
    return exit_ok;
  }
  const CodeInfo* info = find_code(options.input);
  if (info == nullptr) {
    fmt::print(stderr, "mntcr: there is no code `{}`; `mntcr explain` lists all\n",
               path::printable(options.input));
    return exit_trouble;
  }
  fmt::print("{}", explained(*info));
  return exit_ok;
}

}  // namespace mntcr::driver
