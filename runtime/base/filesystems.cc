#include "runtime/base/filesystems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace mntcr {
namespace {

constexpr auto filesystem_table = std::to_array<Filesystem>({
#define MNTCR_FILESYSTEM(type, singleton) {type, singleton},
#define MNTCR_FILESYSTEM_PARAM(type, key, kind, fallback, choices)
#include "specs/filesystems.def"
#undef MNTCR_FILESYSTEM
#undef MNTCR_FILESYSTEM_PARAM
});

constexpr auto param_table = std::to_array<FilesystemParam>({
#define MNTCR_FILESYSTEM(type, singleton)
#define MNTCR_FILESYSTEM_PARAM(type, key, kind, fallback, choices) \
  {type, key, ParamKind::kind, fallback, choices},
#include "specs/filesystems.def"
#undef MNTCR_FILESYSTEM
#undef MNTCR_FILESYSTEM_PARAM
});

/// A number in `base`, all of `digits`; nothing when it is none or does not fit.
std::optional<std::uint64_t> whole_number(std::string_view digits, int base) {
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, number, base);
  if (digits.empty() || error != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

/// A number with the suffixes of the kernel's memparse(): 64k, 1G.
std::optional<std::uint64_t> scaled_number(std::string_view value) {
  constexpr std::string_view suffixes = "kmgtpe";
  unsigned shift = 0;
  if (!value.empty()) {
    const char last = static_cast<char>(value.back() | 0x20);
    if (const auto at = suffixes.find(last); at != std::string_view::npos) {
      shift = 10U * (static_cast<unsigned>(at) + 1U);
      value.remove_suffix(1);
    }
  }
  const auto number = whole_number(value, 10);
  if (!number || *number > (std::numeric_limits<std::uint64_t>::max() >> shift))
    return std::nullopt;
  return *number << shift;
}

bool is_percentage(std::string_view value) {
  return value.ends_with('%') && whole_number(value.substr(0, value.size() - 1), 10).has_value();
}

/// The form that the kernel prints a choice in; nothing when `value` is none of `choices`.
std::optional<std::string_view> choose(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    const std::string_view choice = choices.substr(0, bar);
    const std::size_t equals = choice.find('=');
    if (choice.substr(0, equals) == value) {
      return equals == std::string_view::npos ? choice : choice.substr(equals + 1);
    }
    choices = bar == std::string_view::npos ? std::string_view{} : choices.substr(bar + 1);
  }
  return std::nullopt;
}

/// The words of a set; nothing when one of them can be none.
std::optional<std::vector<std::string_view>> set_words(std::string_view value) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t colon = value.find(':');
    const std::string_view word = value.substr(0, colon);
    if (word.empty() || word.find_first_not_of(letters) != std::string_view::npos)
      return std::nullopt;
    words.push_back(word);
    if (colon == std::string_view::npos) return words;
    value.remove_prefix(colon + 1);
  }
}

/// The words of a set in one order, each once; `any` holds all others.
std::string normal_set(std::vector<std::string_view> words) {
  if (std::ranges::find(words, "any") != words.end()) return "any";
  std::ranges::sort(words);
  const auto repeated = std::ranges::unique(words);
  words.erase(repeated.begin(), repeated.end());
  return fmt::format("{}", fmt::join(words, ":"));
}

/// What people may write for `choices`: "off, noaccess, 0".
std::string choice_words(std::string_view choices) {
  std::string words;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    const std::string_view choice = choices.substr(0, bar);
    if (!words.empty()) words += ", ";
    words += choice.substr(0, choice.find('='));
    choices = bar == std::string_view::npos ? std::string_view{} : choices.substr(bar + 1);
  }
  return words;
}

std::optional<std::string> value_error(const FilesystemParam& param, std::string_view value) {
  constexpr std::uint64_t most_id = std::numeric_limits<std::uint32_t>::max() - 1;
  constexpr std::uint64_t most_number = std::numeric_limits<std::int32_t>::max();
  switch (param.kind) {
    case ParamKind::flag:
    case ParamKind::text:
      return std::nullopt;
    case ParamKind::size:
      if (is_percentage(value) || scaled_number(value)) return std::nullopt;
      return "expected a size such as 64m, 1g or 50%";
    case ParamKind::count:
      if (scaled_number(value)) return std::nullopt;
      return "expected a number such as 1000 or 10k";
    case ParamKind::number:
      if (const auto number = whole_number(value, 10); number && *number <= most_number)
        return std::nullopt;
      return "expected a plain number such as 1024";
    case ParamKind::set:
      if (set_words(value)) return std::nullopt;
      return "expected `any`, or names joined by `:`, such as map_create:prog_load";
    case ParamKind::octal:
      if (const auto bits = whole_number(value, 8); bits && *bits <= 07777) return std::nullopt;
      return "expected permission bits in octal such as 0755 or 1777";
    case ParamKind::id:
      if (const auto id = whole_number(value, 10); id && *id <= most_id) return std::nullopt;
      return "expected a user or group number";
    case ParamKind::choice:
      if (choose(param.choices, value)) return std::nullopt;
      return "expected one of " + choice_words(param.choices);
  }
  return std::nullopt;
}

}  // namespace

std::span<const Filesystem> filesystems() { return filesystem_table; }

const Filesystem* find_filesystem(std::string_view type) {
  const auto* found = std::ranges::find(filesystem_table, type, &Filesystem::type);
  return found == filesystem_table.end() ? nullptr : found;
}

Holds what_holds(std::string_view type) {
  if (type == "tmpfs" || type == "ramfs") return Holds::everything;
  return type == "bpf" ? Holds::directories : Holds::nothing;
}

std::span<const FilesystemParam> filesystem_params() { return param_table; }

const FilesystemParam* find_filesystem_param(std::string_view type, std::string_view key) {
  const auto* found = std::ranges::find_if(param_table, [&](const FilesystemParam& param) {
    return param.filesystem == type && param.key == key;
  });
  return found == param_table.end() ? nullptr : found;
}

bool is_singleton(std::string_view type) {
  const Filesystem* filesystem = find_filesystem(type);
  return filesystem != nullptr && filesystem->singleton;
}

bool decide_the_same(const FilesystemParam& a, const FilesystemParam& b) {
  return a.key == b.key || (a.kind == ParamKind::flag && a.choices == b.key);
}

ParamWord split_param(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {word, {}, false};
  return {word.substr(0, equals), word.substr(equals + 1), true};
}

std::optional<std::string> param_value_error(const FilesystemParam& param, const ParamWord& word) {
  if (param.kind == ParamKind::flag) {
    if (!word.has_value) return std::nullopt;
    return fmt::format("`{}` takes no value", param.key);
  }
  if (!word.has_value) return fmt::format("`{}` needs a value", param.key);
  return value_error(param, word.value);
}

std::string normalise_param(const FilesystemParam& param, std::string_view value) {
  constexpr std::uint64_t sticky = 01000;  // bpf sets it whatever is written, and prints none
  switch (param.kind) {
    case ParamKind::size:
    case ParamKind::count:
      if (const auto number = scaled_number(value)) return std::to_string(*number);
      break;
    case ParamKind::octal:
      if (const auto bits = whole_number(value, 8)) {
        return fmt::format("{:o}", param.filesystem == "bpf" ? *bits & ~sticky : *bits);
      }
      break;
    case ParamKind::set:
      if (auto words = set_words(value)) return normal_set(std::move(*words));
      break;
    case ParamKind::number:
    case ParamKind::id:
      if (const auto id = whole_number(value, 10)) return std::to_string(*id);
      break;
    case ParamKind::choice:
      if (const auto printed = choose(param.choices, value)) return std::string(*printed);
      break;
    case ParamKind::flag:
    case ParamKind::text:
      break;
  }
  return std::string(value);
}

}  // namespace mntcr
