#include "compiler/driver/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <utility>

namespace mntcr::driver {
namespace {

/// Builds the parser around the Options that it fills.
class CommandLine {
 public:
  CommandLine()
      : app_("mntcr - the mounts of a container as a spec: compile, apply, compare", "mntcr") {
    app_.set_version_flag("--version", "mntcr " MNTCR_VERSION);
    app_.require_subcommand(1);
    app_.fallthrough();
    const std::map<std::string, MessageFormat> formats = {{"text", MessageFormat::text},
                                                          {"json", MessageFormat::json}};
    app_.add_option("--message-format", options_.messages,
                    "How messages on stderr are written: text or json")
        ->transform(CLI::CheckedTransformer(formats))
        ->option_text("text|json");
    app_.footer(
        "Exit codes: 0 success, 1 errors in a spec or differences found, 2 trouble.\n"
        "See mntcr(1), and `mntcr COMMAND --help`.");
    add_compiling();
    add_running();
    add_asking();
  }

  ParsedCommandLine parse(int argc, const char* const* argv) {
    // What follows -- is the container's command, not ours.
    const char* const* end = argv + argc;
    const char* const* dashes = std::find(argv, end, std::string_view("--"));
    const bool has_command = dashes != end;
    if (has_command) options_.argv.assign(dashes + 1, end);
    try {
      app_.parse(static_cast<int>(dashes - argv), argv);
      check(has_command);
    } catch (const CLI::ParseError& error) {
      return {std::nullopt, explain(error, has_command)};
    }
    for (const std::string& setting : settings_) add_setting(setting);
    return {std::move(options_), exit_ok};
  }

 private:
  int explain(const CLI::ParseError& error, bool has_command) {
    const bool asked = error.get_exit_code() == 0;
    app_.exit(error, std::cout, std::cerr);
    if (asked) return exit_ok;
    return has_command ? exit_no_command : exit_trouble;
  }

  /// What CLI11 cannot say itself.
  void check(bool has_command) const {
    for (const std::string& setting : settings_) {
      if (setting.find('=') == std::string::npos) {
        throw CLI::ValidationError("--set", "`" + setting + "` is not KEY=VALUE");
      }
    }
    if (has_command && options_.command != Command::apply) {
      throw CLI::ValidationError("--", "only apply runs a command");
    }
    if (!options_.run_in.empty() && !has_command) {
      throw CLI::ValidationError("--namespace", "there is no command to run in it");
    }
    if (has_command && options_.argv.empty()) {
      throw CLI::ValidationError("--", "no command stands after it");
    }
  }

  void add_setting(const std::string& setting) {
    const std::size_t equals = setting.find('=');
    options_.settings.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }

  CLI::App* add(Command command, const std::string& name, const std::string& what) {
    return app_.add_subcommand(name, what)->callback([this, command] {
      options_.command = command;
    });
  }

  void add_spec(CLI::App* sub, const std::string& name, const std::string& what) {
    sub->add_option(name, options_.input, what)->required();
    sub->add_option("--set", settings_, "Give a parameter of the spec a value")
        ->option_text("KEY=VALUE")
        ->allow_extra_args(false);
    sub->add_option("-I", options_.search,
                    "Look in this folder, too, for the files that the spec extends; repeatable")
        ->option_text("DIR")
        ->allow_extra_args(false);
  }

  void add_compiling() {
    CLI::App* compile =
        add(Command::compile, "compile", "Check a spec, order its mounts and write the plan");
    add_spec(compile, "SPEC", "The spec, a TOML file; - reads it from stdin");
    compile
        ->add_option("-o,--output", options_.output,
                     "Where the plan goes (plan.bin); - writes it to stdout")
        ->option_text("FILE");
    CLI::App* check = add(Command::check, "check", "Check a spec and write nothing");
    add_spec(check, "SPEC", "The spec");
    CLI::App* show = add(Command::show, "show", "Show the ordered plan of a spec or plan file");
    add_spec(show, "SPEC", "A spec or a plan file");
    CLI::Option* tree = show->add_flag_callback(
        "--tree", [this] { options_.show = ShowForm::tree; }, "Show the mounts as trees");
    CLI::Option* dot = show->add_flag_callback(
        "--dot", [this] { options_.show = ShowForm::dot; },
        "Show mounts, sharing and sources as a graph for Graphviz");
    dot->excludes(tree);
    show->add_flag_callback(
            "--json", [this] { options_.show = ShowForm::json; }, "Show the plan as JSON")
        ->excludes(tree)
        ->excludes(dot);
    CLI::App* flatten =
        add(Command::flatten, "flatten", "Write a spec and all that it extends as one spec");
    add_spec(flatten, "SPEC", "A spec or a plan file");
    flatten->add_option("-o,--output", options_.output, "Where the spec goes, stdout by default")
        ->option_text("FILE");
  }

  void add_running() {
    CLI::App* apply = add(Command::apply, "apply",
                          "Make the mounts in new mount namespaces: all of them, proven, or none");
    add_spec(apply, "PLAN", "A plan file or a spec");
    apply
        ->add_option("--pin", options_.pin,
                     "Keep the namespaces under /run/mntcr/NAME (without a command: by default, as "
                     "the spec's name)")
        ->option_text("NAME");
    apply->add_flag("--dry-run", options_.dry_run,
                    "Build and prove the namespaces, and throw them away");
    apply
        ->add_option("--namespace", options_.run_in,
                     "The container's namespace that CMD runs in (main)")
        ->option_text("NAME");
    add_parent(apply);
    apply->footer(
        "mntcr apply PLAN -- CMD ARG... runs CMD in the new namespace main; the exit code is "
        "CMD's,\n"
        "125 when mntcr failed, 126 when CMD cannot be run, 127 when it is not found.");
    CLI::App* diff = add(Command::diff, "diff", "Compare live mounts with a spec or plan");
    add_where(diff, [this, diff](std::vector<std::string> words) {
      // The last of the words is the spec.
      if (words.size() > 1) {
        diff->get_option("SPEC")->add_result(words.back());
        words.pop_back();
      }
      options_.where = std::move(words);
    });
    add_spec(diff, "SPEC", "A spec or a plan file");
    const std::map<std::string, DiffForm> forms = {
        {"text", DiffForm::text}, {"json", DiffForm::json}, {"toml", DiffForm::toml}};
    diff->add_option("-f,--format", options_.form,
                     "text, json, or toml: a spec of what differs (text, or by FILE's ending)")
        ->transform(CLI::CheckedTransformer(forms))
        ->option_text("text|json|toml");
    diff->add_option("-o,--output", options_.output, "Where the result goes, stdout by default")
        ->option_text("FILE");
    add_parent(diff);
    diff->footer("Exit codes: 0 nothing differs, 1 something differs, 2 trouble.");
    CLI::App* capture = add(Command::capture, "capture", "Write live mounts as a spec");
    add_where(capture,
              [this](std::vector<std::string> words) { options_.where = std::move(words); });
    capture->add_option("-o,--output", options_.output, "Where the spec goes, stdout by default")
        ->option_text("FILE");
    capture
        ->add_option("--name", options_.pin, "The spec's name (that of the pin, else `captured`)")
        ->option_text("NAME");
    add_parent(capture);
  }

  /// `take` gets all words that are no options. WHERE stands before what it leaves over.
  static void add_where(CLI::App* sub, const std::function<void(std::vector<std::string>)>& take) {
    sub->add_option_function<std::vector<std::string>>(
           "WHERE", take,
           "A PID (its namespace and those of its descendants), a mount-namespace file, the name "
           "of "
           "a pinned container, or NAME=WHERE for each namespace: main=PID worker=FILE")
        ->required();
  }

  void add_parent(CLI::App* sub) {
    sub->add_option("--parent", options_.parent,
                    "The container's parent mount namespace, where bind sources are looked up (the "
                    "caller's)")
        ->option_text("PID|FILE");
  }

  void add_asking() {
    add(Command::list, "list", "List pinned containers");
    add(Command::remove, "delete", "Remove a pinned container")
        ->add_option("NAME", options_.input, "Its name")
        ->required();
    add(Command::explain, "explain", "Explain an error code, with an example and its mending")
        ->add_option("CODE", options_.input,
                     "The code, such as E0201; without one, all are listed");
    add(Command::features, "features", "Show which kernel features mntcr found");
  }

  CLI::App app_;
  Options options_;
  std::vector<std::string> settings_;
};

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  return CommandLine().parse(argc, argv);
}

}  // namespace mntcr::driver
