// See slips.h. A list of recognisers, each for one slip; the first that knows the complaint
// answers. They read toml++'s wording and the text around the place, so they only ever add to a
// message.
#include "compiler/syntax/slips.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mntcr::syntax {
namespace {

constexpr std::string_view blanks = " \t";

bool says(const Complaint& complaint, std::string_view words) {
  return complaint.reason.find(words) != std::string::npos;
}

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min({text.find('\n', at), text.find('\r', at), text.size()});
}

/// The bytes from `at` to the next blank or end of a value.
std::size_t word_end(std::string_view text, std::size_t at) {
  return std::min(text.find_first_of(" \t\r\n,]}#", at), text.size());
}

/// The name that toml++ quotes last: "cannot redefine existing string 'target'".
std::string_view quoted_name(const Complaint& complaint) {
  const std::string_view reason = complaint.reason;
  const std::size_t open = reason.find('\'');
  const std::size_t close = reason.rfind('\'');
  return open < close ? reason.substr(open + 1, close - open - 1) : std::string_view{};
}

/// The part of `line` (beginning at `begin` in the text) that is the key `name` before "=".
std::optional<std::size_t> key_in_line(std::string_view line, std::string_view name) {
  const std::size_t begin = line.find_first_not_of(blanks);
  if (begin == std::string_view::npos || !line.substr(begin).starts_with(name)) return std::nullopt;
  const std::size_t after = line.find_first_not_of(blanks, begin + name.size());
  if (after == std::string_view::npos || line[after] != '=') return std::nullopt;
  return begin;
}

/// Where the header of the line that begins at `begin` ends: behind its last bracket.
std::size_t header_end(std::string_view text, std::size_t begin) {
  const std::size_t end = line_end(text, begin);
  const std::string_view line = text.substr(begin, end - begin);
  const std::size_t bracket = line.substr(0, line.find('#')).rfind(']');
  return bracket == std::string_view::npos ? end : begin + bracket + 1;
}

std::string_view line_at(std::string_view text, std::size_t begin) {
  return text.substr(begin, line_end(text, begin) - begin);
}

std::optional<Slip> key_twice(std::string_view text, const Complaint& complaint) {
  if (complaint.context != "key-value pair" || !says(complaint, "cannot redefine existing"))
    return {};
  const std::string_view name = quoted_name(complaint);
  if (name.empty()) return {};
  Slip slip{.message = fmt::format("`{}` is set twice in one table", name)};
  slip.help = "if another mount is meant, write a [[mount]] line above it; else keep one of them";
  std::size_t begin = line_begin(text, complaint.offset);
  if (const auto key = key_in_line(line_at(text, begin), name)) {
    slip.begin = begin + *key;
    slip.end = *slip.begin + name.size();
  }
  while (begin > 0) {
    begin = line_begin(text, begin - 1);
    const std::string_view line = line_at(text, begin);
    if (const auto key = key_in_line(line, name)) {
      slip.first = begin + *key;
      slip.first_end = *slip.first + name.size();
      break;
    }
    if (line.starts_with('[')) break;
  }
  return slip;
}

/// The first header line of `text` before `end` that opens `name`, as a table or an array of
/// tables.
std::optional<std::size_t> first_header(std::string_view text, std::size_t end,
                                        std::string_view name) {
  for (std::size_t begin = 0; begin < end; begin = line_end(text, begin)) {
    begin = std::min(text.find_first_not_of("\r\n", begin), text.size());
    const std::string_view line = line_at(text, begin);
    std::size_t at = std::min(line.find_first_not_of("[ \t"), line.size());
    if (!line.starts_with('[') || !line.substr(at).starts_with(name)) continue;
    at += name.size();
    if (line.find_first_not_of(blanks, at) == line.find(']', at)) return begin;
  }
  return std::nullopt;
}

std::optional<Slip> header_twice(std::string_view text, const Complaint& complaint) {
  if (!complaint.context.starts_with("table header") ||
      !says(complaint, "cannot redefine existing")) {
    return {};
  }
  const std::string_view name = quoted_name(complaint);
  const std::size_t begin = line_begin(text, complaint.offset);
  Slip slip{.message = fmt::format("`{}` is opened twice", name)};
  slip.help =
      name == "mount"
          ? "every mount is an entry of a list: write [[mount]], with two brackets, each time"
          : fmt::format("put the keys of both below one [{}]", name);
  slip.begin = begin;
  slip.end = header_end(text, begin);
  if (const auto first = first_header(text, begin, name)) {
    slip.first = first;
    slip.first_end = header_end(text, *first);
  }
  return slip;
}

std::optional<Slip> octal_number(std::string_view text, const Complaint& complaint) {
  if (!says(complaint, "leading zeroes are prohibited")) return {};
  // toml++ points behind the number.
  std::size_t end = std::min(complaint.offset, text.size());
  while (end > 0 && (text[end - 1] < '0' || text[end - 1] > '9')) --end;
  std::size_t begin = end;
  while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
  const std::string_view number = text.substr(begin, end - begin);
  return Slip{.message = "a number cannot begin with 0",
              .help = fmt::format("write permission bits as a string: \"{}\"", number),
              .begin = begin,
              .end = end,
              .first = {}};
}

bool is_octal(std::string_view digits) {
  return digits.size() == 3 && digits[0] <= '3' &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '7'; });
}

/// What "\040" and the like are here: a character that can be typed, or a raw byte.
std::string instead_of_octal(std::string_view digits) {
  const int byte = (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
  if (byte == ' ') return R"("\040" is fstab's way to write a space: type the space itself)";
  if (byte == '\t') return R"("\011" is fstab's way to write a tab: write \t)";
  if (byte == '\n') return R"("\012" is fstab's way to write a newline: write \n)";
  if (byte == '\\') return R"("\134" is fstab's way to write a backslash: write \\)";
  return fmt::format("write a raw byte as ${{byte:{:02X}}}", byte);
}

std::optional<Slip> bad_escape(std::string_view text, const Complaint& complaint) {
  if (!says(complaint, "escape sequence")) return {};
  const std::size_t slash = text.rfind('\\', std::min(complaint.offset, text.size() - 1));
  if (slash == std::string_view::npos) return {};
  const std::string_view digits = text.substr(slash + 1, 3);
  const bool octal = is_octal(digits);
  return Slip{
      .message = fmt::format("`\\{}` is no escape in TOML", octal ? digits : digits.substr(0, 1)),
      .help = octal ? instead_of_octal(digits)
                    : R"(write \\ for a backslash, or put the string in single quotes: '\')",
      .begin = slash,
      .end = slash + (octal ? 4 : 2),
      .first = {}};
}

std::optional<Slip> inline_table(std::string_view, const Complaint& complaint) {
  if (complaint.context != "inline table") return {};
  if (says(complaint, "saw '\\n'") || says(complaint, "saw '\\r'") || says(complaint, "saw '#'")) {
    return Slip{.message = "an inline table must stand on one line",
                .help = "write { … } on one line, or give the table a [header] of its own",
                .begin = {},
                .first = {}};
  }
  if (says(complaint, "dangling comma")) {
    return Slip{.message = "a comma before the end of an inline table",
                .help = "take the last comma away; TOML allows it in arrays only",
                .begin = {},
                .first = {}};
  }
  return {};
}

std::optional<Slip> bare_header(std::string_view text, const Complaint& complaint) {
  if (!complaint.context.starts_with("table header") || !says(complaint, "expected ']'")) return {};
  const std::size_t begin = line_begin(text, complaint.offset);
  const std::string_view line = line_at(text, begin);
  const std::size_t open = std::min(line.find_first_not_of("[ \t"), line.size());
  const std::size_t close = line.find(']', open);
  if (close == std::string_view::npos) {
    return Slip{.help = "close the header with ]", .begin = {}, .first = {}};
  }
  const std::string_view name = line.substr(open, close - open);
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  return Slip{.message = "a name with other characters than letters, digits, - and _ needs quotes",
              .help = fmt::format("write [{}.\"{}\"]", name.substr(0, dot), name.substr(dot + 1)),
              .begin = {},
              .first = {}};
}

std::optional<Slip> unquoted_string(std::string_view text, const Complaint& complaint) {
  const bool word = says(complaint, "could not determine value type") ||
                    complaint.context == "boolean" || complaint.context.starts_with("float");
  if (!word) return {};
  std::size_t begin = std::min(complaint.offset, text.size());
  while (begin > 0 && std::string_view(" \t\n=[,{").find(text[begin - 1]) == std::string_view::npos)
    --begin;
  const std::string_view value = text.substr(begin, word_end(text, begin) - begin);
  if (value.empty()) return {};
  const bool truth = value == "True" || value == "TRUE" || value == "False" || value == "FALSE";
  return Slip{.message = fmt::format("`{}` is no TOML value", value),
              .help = truth ? "write true or false in small letters"
                            : fmt::format("strings stand in quotes: \"{}\"", value),
              .begin = begin,
              .end = begin + value.size(),
              .first = {}};
}

std::optional<Slip> missing_comma(std::string_view text, const Complaint& complaint) {
  if (complaint.context != "array") return {};
  const std::size_t at = std::min(complaint.offset, text.size());
  if (says(complaint, "saw '['") && line_begin(text, at) == at) {
    return Slip{.message = "an array above this line is not closed",
                .help = "put a ] at its end",
                .begin = {},
                .first = {}};
  }
  if (says(complaint, "expected comma")) {
    return Slip{.message = "",
                .help = "put a comma between values and a ] at the end",
                .begin = {},
                .first = {}};
  }
  if (says(complaint, "end-of-file")) {
    return Slip{.message = "an array is not closed",
                .help = "put a ] at its end",
                .begin = {},
                .first = {}};
  }
  return {};
}

std::optional<Slip> unclosed_string(std::string_view text, const Complaint& complaint) {
  const bool string = complaint.context == "string" || complaint.context == "literal string";
  if (!string || !says(complaint, "control characters")) return {};
  const std::size_t at = std::min(complaint.offset, text.size());
  const bool at_end =
      at == text.size() || text[at] == '\n' || text[at] == '\r' || (at > 0 && text[at - 1] == '\n');
  if (!at_end) return {};
  return Slip{.message = "a string is not closed on its line",
              .help = "put the closing quote; \\n stands for a newline",
              .begin = {},
              .first = {}};
}

std::optional<Slip> other_format(std::string_view text, const Complaint& complaint) {
  const std::size_t at = std::min(complaint.offset, text.size());
  const std::string_view line = line_at(text, line_begin(text, at));
  if (line.starts_with("//") || line.starts_with("/*") || line.starts_with(';')) {
    return Slip{.help = "a comment begins with #", .begin = {}, .first = {}};
  }
  if (complaint.context == "key-value pair" && says(complaint, "expected '='")) {
    return Slip{.help = "TOML writes: key = value", .begin = {}, .first = {}};
  }
  if (says(complaint, "expected a comment or whitespace")) {
    return Slip{.help = "one key and its value to a line", .begin = {}, .first = {}};
  }
  if (complaint.context == "key-value pair" && says(complaint, "expected value")) {
    return Slip{.message = "a key without a value", .help = {}, .begin = {}, .first = {}};
  }
  return {};
}

using Recogniser = std::optional<Slip> (*)(std::string_view, const Complaint&);

constexpr std::array<Recogniser, 10> recognisers = {
    key_twice,   header_twice,    octal_number,  bad_escape,      inline_table,
    bare_header, unquoted_string, missing_comma, unclosed_string, other_format};

}  // namespace

Slip find_slip(std::string_view text, const Complaint& complaint) {
  for (const Recogniser recognise : recognisers) {
    if (auto slip = recognise(text, complaint)) return *slip;
  }
  return {};
}

}  // namespace mntcr::syntax
