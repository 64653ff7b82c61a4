// mntcr diff WHERE SPEC|PLAN [-f text|json|toml] [-o FILE] [--parent WHERE].
#include "runtime/diff/diff.h"

#include <fmt/format.h>

#include <filesystem>

#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/where.h"
#include "runtime/apply/new_namespace.h"
#include "runtime/base/path.h"
#include "runtime/kernel/linux_kernel.h"
#include "runtime/kernel/namespace_thread.h"

namespace mntcr::driver {
namespace {

namespace fs = std::filesystem;

/// The two namespaces, read.
struct Tables {
  MountTable live;
  MountTable parent;
};

/// What is to be printed, and whether anything differs.
struct Answer {
  std::string text;
  bool differs = false;
};

DiffForm form_of(const Options& options) {
  if (options.form) return *options.form;
  const fs::path ending = fs::path(options.output.value_or("")).extension();
  if (ending == ".toml") return DiffForm::toml;
  return ending == ".json" ? DiffForm::json : DiffForm::text;
}

/// The spec's path as the delta shall name it: relative to the delta's file, or to the working
/// directory.
std::string extends_path(const Options& options) {
  const bool to_file = options.output && *options.output != "-";
  const fs::path from = to_file ? fs::absolute(*options.output).parent_path() : fs::current_path();
  return fs::absolute(options.input)
      .lexically_normal()
      .lexically_relative(from.lexically_normal())
      .string();
}

std::string written(const DiffReport& report, DiffForm form) {
  switch (form) {
    case DiffForm::text:
      return write_text(report);
    case DiffForm::json:
      return write_json(report);
    case DiffForm::toml:
      return write_toml(report);
  }
  return {};
}

/// Runs in the parent namespace, where bind sources are looked up.
Result<Answer> compare(Kernel& kernel, const Options& options, const Plan& plan, const Fd& where) {
  const Result<Fd> proc = open_proc(kernel);
  if (!proc) return Failure(proc.error());
  const Result<Fd> own = open_own_namespace(kernel, *proc);
  if (!own) return Failure(own.error());
  const Result<MountTable> parent = capture(kernel, *proc, *own);
  if (!parent) return in_context("the parent namespace", parent.error());
  const Result<MountTable> live = capture(kernel, *proc, where);
  if (!live) return Failure(live.error());
  SourceResolver resolver(kernel, *proc, *parent);
  const std::vector<Change> changes = diff(plan, resolve_sources(plan, resolver), *live);
  const DiffReport report{plan, *live, *parent, changes, extends_path(options)};
  return Answer{written(report, form_of(options)), !changes.empty()};
}

Result<Answer> compare_in_parent(Kernel& kernel, const Options& options, const Plan& plan,
                                 const Fd& where) {
  if (options.parent.empty()) return compare(kernel, options, plan, where);
  const Result<Fd> parent = open_where(kernel, options.parent);
  if (!parent) return in_context("--parent", parent.error());
  return run_in_thread([&]() -> Result<Answer> {
    if (const auto moved = enter_mount_namespace(kernel, parent->get()); !moved)
      return Failure(moved.error());
    return compare(kernel, options, plan, where);
  });
}

/// Prints the answer where it belongs.
int deliver(const Options& options, const Answer& answer, Diagnostics& diagnostics) {
  if (const auto done = write_file(options.output.value_or("-"), answer.text); !done) {
    diagnostics.add(
        Code::E0506, {},
        fmt::format("cannot write {}: {}", path::printable(options.output.value_or("stdout")),
                    done.error().message));
    return exit_trouble;
  }
  return answer.differs ? exit_found : exit_ok;
}

int run(const Options& options, const Plan& plan, Diagnostics& diagnostics) {
  const std::unique_ptr<Kernel> linux_kernel = make_linux_kernel();
  Kernel& kernel = *linux_kernel;
  const Result<Fd> where = open_where(kernel, options.where);
  if (!where) {
    diagnostics.add(Code::E0701, {}, where.error().message).help("mntcr list shows what is pinned");
    return exit_trouble;
  }
  const Result<Answer> answer = compare_in_parent(kernel, options, plan, *where);
  if (!answer) {
    diagnostics.add(Code::E0702, {}, "cannot read the live mounts: " + answer.error().message);
    return exit_trouble;
  }
  return deliver(options, *answer, diagnostics);
}

}  // namespace

int run_diff(const Options& options) {
  Diagnostics diagnostics;
  const Loaded loaded = load_any(options.input, options.settings, diagnostics);
  const int code = loaded.plan ? run(options, *loaded.plan, diagnostics) : exit_trouble;
  print_messages(options, diagnostics, loaded.sources);
  return code;
}

}  // namespace mntcr::driver
