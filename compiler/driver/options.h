// What the command line says, as data. options.cc is the only file that knows argv and CLI11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/decode.h"

namespace mntcr::driver {

enum class Command : std::uint8_t {
  compile,
  check,
  show,
  apply,
  diff,
  capture,
  flatten,
  list,
  remove,
  explain,
  features,
};

/// How messages are written to stderr.
enum class MessageFormat : std::uint8_t { text, json };

/// What `show` prints.
enum class ShowForm : std::uint8_t { steps, tree, dot, json };

/// What `diff` prints.
enum class DiffForm : std::uint8_t { text, json, toml };

/// The whole command line. Which fields a command looks at is said in its file.
struct Options {
  Command command{};
  MessageFormat messages = MessageFormat::text;
  std::string input;                         ///< SPEC, plan.bin, NAME or CODE
  std::string where;                         ///< diff, capture: PID, file or NAME
  std::optional<std::string> output;         ///< -o
  std::vector<spec::ParamSetting> settings;  ///< --set
  std::vector<std::string> search;           ///< -I, in order
  std::string parent;                        ///< --parent: PID or file, empty for the caller's
  ShowForm show = ShowForm::steps;
  std::optional<DiffForm> form;
  std::string pin;  ///< apply: --pin NAME; capture: --name NAME
  bool dry_run = false;
  std::vector<std::string> argv;  ///< apply: what stands after --
};

/// Exit codes: the command's own meaning for 0 and 1, 2 for trouble; apply with a command uses
/// those of env(1).
inline constexpr int exit_ok = 0;
inline constexpr int exit_found = 1;
inline constexpr int exit_trouble = 2;
inline constexpr int exit_no_command = 125;
inline constexpr int exit_cannot_run = 126;
inline constexpr int exit_not_found = 127;

/// The options, or the exit code when there is nothing to do: help was printed, or the command line
/// is wrong and that was said.
struct ParsedCommandLine {
  std::optional<Options> options;
  int exit_code = exit_ok;
};
ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace mntcr::driver
