// How much more than the bare syscalls: compile, apply, diff and capture of N binds, each of a
// directory of its own, against the least that could do it. The two sides of a ratio are measured
// in turn, round by round, and the median of the rounds' ratios is printed: the machine's speed
// wanders, a ratio within a round hardly does.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>

#include "compiler/driver/pipeline.h"
#include "compiler/planner/emit.h"
#include "compiler/proof/proof.h"
#include "compiler/syntax/syntax_tree.h"
#include "runtime/kernel/namespace_thread.h"
#include "runtime/plan/reader.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t rounds = 7;

/// N sources, N places to mount them on, and the spec that binds the ones to the others.
struct Field {
  std::size_t size;
  std::string sources;
  std::string root;
  std::string spec;
  std::vector<std::vector<std::string>> groups = {};  ///< the targets of each
};

Field make_field(std::size_t size) {
  Field field{size, fresh_dir(), fresh_dir(), {}};
  field.spec =
      fmt::format("spec = 1\nname = \"bench\"\n[root]\nsource = \"parent:{}\"\n", field.root);
  for (std::size_t index = 0; index < size; ++index) {
    make_dir(fmt::format("{}/s{}", field.sources, index));
    make_dir(fmt::format("{}/m{}", field.root, index));
    field.spec += fmt::format(
        "[[mount]]\ntarget = \"/m{0}\"\nsource = \"parent:{1}/s{0}\"\noptions = [\"ro\"]\n", index,
        field.sources);
  }
  return field;
}

/// N mounts in N / 10 groups, each of a directory of its own: nine members and a slave.
Field make_groups(std::size_t size) {
  constexpr std::size_t per_group = 10;
  Field field{size / per_group, fresh_dir(), fresh_dir(), {}};
  field.spec =
      fmt::format("spec = 1\nname = \"bench\"\n[root]\nsource = \"parent:{}\"\n", field.root);
  for (std::size_t group = 0; group < field.size; ++group) {
    make_dir(fmt::format("{}/s{}", field.sources, group));
    field.groups.emplace_back();
    for (std::size_t index = 0; index < per_group; ++index) {
      const std::string place = fmt::format("/m{}", group * per_group + index);
      make_dir(field.root + place);
      field.groups.back().push_back(field.root + place);
      field.spec += fmt::format(
          "[[mount]]\ntarget = \"{}\"\nsource = \"parent:{}/s{}\"\npropagation = \"{}:g{}\"\n",
          place, field.sources, group, index + 1 < per_group ? "shared" : "slave", group);
    }
  }
  return field;
}

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

/// Prints the median ratio of `ours` to `bare`.
void compare(const std::string& what, const std::string& against, std::size_t size,
             const std::function<void()>& ours, const std::function<void()>& bare) {
  std::array<double, rounds> ratios{};
  for (double& ratio : ratios) {
    const double base = seconds(bare);
    ratio = seconds(ours) / base;
  }
  std::ranges::sort(ratios);
  fmt::print("| {} | {:>6} | {} | {:.2f} | {:.2f} - {:.2f} |\n", what, size, against,
             ratios[rounds / 2], ratios.front(), ratios.back());
}

/// What a shell script with `unshare -m` and N times `mount --bind` asks of the kernel.
void bare_binds(const Field& field) {
  const auto ran = join_thread([&] {
    ::unshare(CLONE_NEWNS);
    ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    ::mount(field.root.c_str(), field.root.c_str(), nullptr, MS_BIND, nullptr);
    for (std::size_t index = 0; index < field.size; ++index) {
      const std::string to = fmt::format("{}/m{}", field.root, index);
      ::mount(fmt::format("{}/s{}", field.sources, index).c_str(), to.c_str(), nullptr, MS_BIND,
              nullptr);
      ::mount(nullptr, to.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr);
    }
  });
  REQUIRE(ran.has_value());
}

/// What a shell script asks of the kernel: a bind, made shared, then binds of that; the last of
/// each group is made a slave.
void bare_groups(const Field& field) {
  const auto ran = join_thread([&] {
    ::unshare(CLONE_NEWNS);
    ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    ::mount(field.root.c_str(), field.root.c_str(), nullptr, MS_BIND, nullptr);
    for (std::size_t group = 0; group < field.groups.size(); ++group) {
      const std::vector<std::string>& targets = field.groups[group];
      const std::string source = fmt::format("{}/s{}", field.sources, group);
      ::mount(source.c_str(), targets.front().c_str(), nullptr, MS_BIND, nullptr);
      ::mount(nullptr, targets.front().c_str(), nullptr, MS_SHARED, nullptr);
      for (std::size_t index = 1; index < targets.size(); ++index) {
        ::mount(targets.front().c_str(), targets[index].c_str(), nullptr, MS_BIND, nullptr);
      }
      ::mount(nullptr, targets.back().c_str(), nullptr, MS_SLAVE, nullptr);
    }
  });
  REQUIRE(ran.has_value());
}

/// Reads a namespace's mountinfo and does nothing with it.
void bare_mountinfo(const Fd& ns) {
  inside(ns, [] {
    const int file = ::open("/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
    std::array<char, 65536> buffer{};
    while (::read(file, buffer.data(), buffer.size()) > 0) {
    }
    ::close(file);
  });
}

void parse_alone(const Field& field) {
  SourceMap sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("bench.toml", field.spec);
  REQUIRE(syntax::parse(sources, file, diagnostics).has_value());
}

void measure_compile(const Field& field) {
  compare(
      "compile", "parsing the TOML", field.size,
      [&] { REQUIRE(!emit_plan(compile(field.spec)).empty()); }, [&] { parse_alone(field); });
}

void apply_once(const std::vector<std::byte>& bytes) {
  Diagnostics diagnostics;
  const auto plan = read_plan(bytes, "plan.bin", diagnostics);
  const Applied result = apply_plan(linux_kernel(), *plan);
  INFO(result.messages);
  REQUIRE(result.built.has_value());
}

void measure_apply(const Field& field) {
  const std::vector<std::byte> bytes = emit_plan(compile(field.spec));
  compare(
      "apply", "mount(2) twice each", field.size, [&] { apply_once(bytes); },
      [&] { bare_binds(field); });
}

/// The mounts of a container whose mounts share, from the text to the proven plan.
void measure_groups(std::size_t size) {
  const Field field = make_groups(size);
  const auto parse = [&] { parse_alone(field); };
  compare(
      "compile, groups", "parsing the TOML", size,
      [&] { REQUIRE(!emit_plan(compile(field.spec)).empty()); }, parse);
  compare(
      "compile and prove, groups", "parsing the TOML", size,
      [&] {
        const Plan plan = compile(field.spec);
        REQUIRE_FALSE(find_flaw(plan).has_value());
        REQUIRE(!emit_plan(plan).empty());
      },
      parse);
}

void measure_applied_groups(std::size_t size) {
  const Field field = make_groups(size);
  const std::vector<std::byte> bytes = emit_plan(compile(field.spec));
  compare(
      "apply, groups", "mount(2) of the same", size, [&] { apply_once(bytes); },
      [&] { bare_groups(field); });
}

void measure_reading(const Field& field) {
  // The container needs a /proc for the bare side, which reads from inside.
  make_dir(field.root + "/proc");
  const std::string spec = field.spec + "[[mount]]\ntarget = \"/proc\"\ntype = \"proc\"\n";
  const Plan plan = compile(spec);
  const Built built = applied(spec);
  compare(
      "diff", "reading mountinfo", field.size,
      [&] { REQUIRE(differences(built.ns(), plan).empty()); }, [&] { bare_mountinfo(built.ns()); });
  compare(
      "capture", "reading mountinfo", field.size,
      [&] { REQUIRE_FALSE(captured("bench", built.ns()).empty()); },
      [&] { bare_mountinfo(built.ns()); });
}

void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void measure(std::size_t size) {
  raise_file_limit();
  const Field field = make_field(size);
  measure_compile(field);
  measure_apply(field);
  measure_reading(field);
}

}  // namespace

TEST_CASE("the table's head", "[small][large][groups]") {
  fmt::print(
      "| command | mounts | against | median ratio | least - most |\n|---|---|---|---|---|\n");
}

TEST_CASE("30 binds", "[small]") { measure(30); }
TEST_CASE("1,000 binds", "[large]") { measure(1000); }
TEST_CASE("10,000 binds", "[large]") { measure(10000); }

TEST_CASE("100 mounts in groups", "[small]") { measure_groups(100); }
TEST_CASE("mounts in groups", "[large][groups]") {
  for (const std::size_t size : {1000U, 10000U, 50000U}) measure_groups(size);
}
TEST_CASE("10,000 mounts in groups, applied", "[large][groups]") {
  raise_file_limit();
  measure_applied_groups(10000);
}

}  // namespace mntcr
