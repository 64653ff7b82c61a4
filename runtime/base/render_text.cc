// Diagnostics for people: the line meant, carets under the words meant, and what to do.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/diagnostic.h"
#include "runtime/base/path.h"

namespace mntcr {
namespace {

constexpr std::string_view tab = "    ";

/// Colours, or nothing where none are wanted.
struct Style {
  std::string_view error, warning, place, strong, off;
};

Style style_for(bool colour) {
  if (!colour) return {};
  return {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"};
}

/// A line for a terminal: tabs widened, other control characters and bad UTF-8 made visible.
std::string shown(std::string_view text) {
  std::string result;
  for (const char byte : text) {
    if (byte == '\t') {
      result += tab;
    } else {
      result += byte;
    }
  }
  return path::printable(result);
}

std::size_t width(std::string_view shown_text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      shown_text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

/// A label with its place worked out.
struct Placed {
  const Label* label;
  LineColumn begin;
  std::string_view line;
  std::size_t indent;  ///< columns before the caret, as shown
  std::size_t carets;
};

Placed place(const Label& label, const SourceMap& sources) {
  const Span span = label.span;
  Placed placed{&label, sources.position(span.file, span.begin), {}, 0, 1};
  placed.line = sources.line(span.file, placed.begin.line);
  const std::string_view text = sources.at(span.file).text;
  const auto line_begin = static_cast<std::size_t>(placed.line.data() - text.data());
  const std::size_t begin = std::min<std::size_t>(
      span.begin - std::min<std::size_t>(line_begin, span.begin), placed.line.size());
  const std::size_t end = std::clamp<std::size_t>(
      span.end - std::min<std::size_t>(line_begin, span.end), begin, placed.line.size());
  placed.indent = width(shown(placed.line.substr(0, begin)));
  placed.carets = std::max<std::size_t>(1, width(shown(placed.line.substr(begin, end - begin))));
  return placed;
}

/// Writes one diagnostic.
class Writer {
 public:
  Writer(const SourceMap& sources, const Style& style) : sources_(sources), style_(style) {}

  void write(const Diagnostic& item) {
    const bool error = item.severity() == Severity::error;
    out_ += fmt::format("{}{}[{}]{}: {}{}{}\n", error ? style_.error : style_.warning,
                        error ? "error" : "warning", describe(item.code).id, style_.off,
                        style_.strong, path::printable(item.message), style_.off);
    write_labels(item);
    for (const std::string& note : item.notes) write_remark("note", note);
    for (const std::string& help : item.helps) write_remark("help", help);
    out_ += '\n';
  }

  std::string take() { return std::move(out_); }

 private:
  void write_labels(const Diagnostic& item) {
    std::vector<Placed> placed;
    for (const Label& label : item.labels) {
      if (sources_.has(label.span.file)) placed.push_back(place(label, sources_));
    }
    if (placed.empty()) {
      gutter_ = 0;
      return;
    }
    std::size_t last_line = 0;
    for (const Placed& label : placed) last_line = std::max(last_line, label.begin.line);
    gutter_ = std::to_string(last_line).size();
    FileId file = no_file;
    for (const Placed& label : placed)
      write_label(label, std::exchange(file, label.label->span.file));
    if (!item.notes.empty() || !item.helps.empty()) write_bar();
  }

  void write_label(const Placed& label, FileId previous) {
    const FileId file = label.label->span.file;
    if (file != previous) {
      out_ += fmt::format("{:>{}}{}-->{} {}:{}:{}\n", "", gutter_, style_.place, style_.off,
                          path::printable(sources_.at(file).name), label.begin.line,
                          label.begin.column);
      write_bar();
    }
    out_ += fmt::format("{}{:>{}} |{} {}\n", style_.place, label.begin.line, gutter_, style_.off,
                        shown(label.line));
    const bool primary = previous == no_file;
    out_ += fmt::format("{}{:>{}} |{} {:>{}}{}{}", style_.place, "", gutter_, style_.off, "",
                        label.indent, primary ? style_.error : style_.place,
                        std::string(label.carets, primary ? '^' : '-'));
    if (!label.label->text.empty()) out_ += " " + path::printable(label.label->text);
    out_ += style_.off;
    out_ += '\n';
  }

  void write_bar() { out_ += fmt::format("{}{:>{}} |{}\n", style_.place, "", gutter_, style_.off); }

  void write_remark(std::string_view kind, std::string_view text) {
    const std::string lead = fmt::format("{:>{}} = {}: ", "", gutter_, kind);
    out_ += lead;
    for (const char byte : text) {
      out_ += byte;
      if (byte == '\n') out_.append(lead.size(), ' ');
    }
    out_ += '\n';
  }

  const SourceMap& sources_;
  Style style_;
  std::size_t gutter_ = 0;
  std::string out_;
};

}  // namespace

std::string render_text(const Diagnostics& diagnostics, const SourceMap& sources,
                        RenderOptions options) {
  Writer writer(sources, style_for(options.colour));
  for (const Diagnostic& item : diagnostics.items()) writer.write(item);
  return writer.take();
}

}  // namespace mntcr
