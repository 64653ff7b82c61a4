// Diagnostics for machines: one JSON object a line, documented in specs/diagnostics.md.
#include <nlohmann/json.hpp>

#include "runtime/base/diagnostic.h"
#include "runtime/base/utf8.h"

namespace mntcr {
namespace {

using Json = nlohmann::ordered_json;

Json place(const Label& label, const SourceMap& sources) {
  const LineColumn begin = sources.position(label.span.file, label.span.begin);
  const LineColumn end = sources.position(label.span.file, label.span.end);
  return Json{{"file", utf8::replace_invalid(sources.at(label.span.file).name)},
              {"byte_start", label.span.begin},
              {"byte_end", label.span.end},
              {"line", begin.line},
              {"column", begin.column},
              {"end_line", end.line},
              {"end_column", end.column},
              {"label", utf8::replace_invalid(label.text)}};
}

Json texts(const std::vector<std::string>& lines) {
  Json list = Json::array();
  for (const std::string& line : lines) list.push_back(utf8::replace_invalid(line));
  return list;
}

}  // namespace

std::string render_json(const Diagnostics& diagnostics, const SourceMap& sources) {
  std::string out;
  for (const Diagnostic& item : diagnostics.items()) {
    Json labels = Json::array();
    for (const Label& label : item.labels) {
      if (sources.has(label.span.file)) labels.push_back(place(label, sources));
    }
    const Json object{{"severity", item.severity() == Severity::error ? "error" : "warning"},
                      {"code", describe(item.code).id},
                      {"message", utf8::replace_invalid(item.message)},
                      {"labels", labels},
                      {"notes", texts(item.notes)},
                      {"helps", texts(item.helps)}};
    out += object.dump() + "\n";
  }
  return out;
}

}  // namespace mntcr
