// The table of diagnostic codes, as data.
#include <algorithm>
#include <array>
#include <cctype>

#include "runtime/base/diagnostic.h"

namespace mntcr {
namespace {

constexpr Severity severity_of(std::string_view id) {
  return id.starts_with('W') ? Severity::warning : Severity::error;
}

constexpr auto table = std::to_array<CodeInfo>({
#define MNTCR_DIAGNOSTIC(id, title, explanation, failing, mended) \
  {Code::id, #id, severity_of(#id), title, explanation, failing, mended},
#include "specs/diagnostics.def"
#undef MNTCR_DIAGNOSTIC
});

}  // namespace

std::span<const CodeInfo> all_codes() { return table; }

const CodeInfo& describe(Code code) { return table.at(static_cast<std::size_t>(code)); }

const CodeInfo* find_code(std::string_view id) {
  const auto same_letter = [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) ==
           std::toupper(static_cast<unsigned char>(b));
  };
  const auto* found = std::ranges::find_if(
      table, [&](const CodeInfo& info) { return std::ranges::equal(info.id, id, same_letter); });
  return found == table.end() ? nullptr : found;
}

}  // namespace mntcr
