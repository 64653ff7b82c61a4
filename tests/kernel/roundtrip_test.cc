// Whatever a container has made of its mounts, a capture says it: captured, compiled, applied and
// captured again, the text is the same, and nothing differs from it. Random states, seeded.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "compiler/driver/pipeline.h"
#include "runtime/capture/capture.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/linux_abi.h"
#include "tests/kernel/support/containers.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr {
namespace {

using namespace sandbox;
namespace fs = std::filesystem;

constexpr const char* base_spec = R"(spec = 1
name = "base"
[root]
type = "tmpfs"
[[mount]]
target = "/proc"
type = "proc"
[[mount]]
target = "/data"
source = "parent:{}"
)";

/// A random walk of mount operations inside a container. Operations that the kernel refuses are
/// passed over.
class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  static void populate(const std::string& path) {
    for (const char* name : names) static_cast<void>(::mkdir((path + "/" + name).c_str(), 0755));
    for (const char* below : {"/a/a", "/a/b", "/b/a", "/b/b"}) {
      static_cast<void>(::mkdir((path + below).c_str(), 0755));
    }
  }

  void step() {
    switch (below(12)) {
      case 0:
      case 1:
        static_cast<void>(::mkdir(path().c_str(), 0755));
        break;
      case 2:
      case 3:
        mount_at(path(), "tmpfs");
        break;
      case 4:
      case 5:
        static_cast<void>(::mount(path().c_str(), path().c_str(), nullptr, MS_BIND, nullptr));
        break;
      case 6:
        static_cast<void>(
            ::mount(path().c_str(), path().c_str(), nullptr, MS_BIND | MS_REC, nullptr));
        break;
      case 7:
        static_cast<void>(::umount2(path().c_str(), below(2) == 0 ? MNT_DETACH : 0));
        break;
      case 8:
        static_cast<void>(::mount(path().c_str(), path().c_str(), nullptr, MS_MOVE, nullptr));
        break;
      case 9:
        beneath();
        break;
      case 10:
        remount();
        break;
      default:
        if (below(4) == 0 && reads_by_statmount()) mount_at("/", "tmpfs");
        break;
    }
  }

 private:
  static constexpr std::array<const char*, 6> names = {"a", "b", "c d", "e\nf", "#g$", "h\\\xFF"};

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

  /// A path of one to three components, some of them odd, at times below /data.
  std::string path() {
    std::string path = below(8) == 0 ? "/data" : "";
    for (std::size_t depth = 1 + below(3); depth > 0; --depth)
      path += std::string("/") + names.at(below(below(2) == 0 ? 2 : names.size()));
    return path;
  }

  /// With places inside to mount on, or most later steps would find nothing.
  static void mount_at(const std::string& path, const char* type) {
    if (::mount(type, path.c_str(), type, 0, "size=1m") == 0) populate(path == "/" ? "" : path);
  }

  void remount() {
    constexpr std::array<unsigned long, 5> flags = {MS_RDONLY, MS_NOSUID | MS_NODEV, MS_NOATIME,
                                                    MS_NOEXEC | MS_RDONLY, 0};
    static_cast<void>(::mount(nullptr, path().c_str(), nullptr,
                              MS_BIND | MS_REMOUNT | flags.at(below(flags.size())), nullptr));
  }

  void beneath() {
    static_cast<void>(::syscall(abi::sys_move_mount, AT_FDCWD, path().c_str(), AT_FDCWD,
                                path().c_str(), abi::move_mount_beneath));
  }

  std::mt19937 random_;
};

/// A capture of `ns` as a spec.
std::string captured(const Fd& ns) {
  const auto proc = open_proc(linux_kernel());
  const auto own = open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt");
  const auto parent = capture(linux_kernel(), *proc, *own);
  const auto live = capture(linux_kernel(), *proc, ns);
  if (!parent || !live) throw std::runtime_error("capture failed");
  return write_spec("base", *live, *parent);
}

std::size_t count_from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

/// What the seeds amounted to, so that a test of nothing is noticed.
struct Tally {
  std::size_t mounts = 0;
  std::size_t covers = 0;  ///< mounts written with `cover`
  std::size_t binds = 0;   ///< of what the container itself made
};

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

/// One seed: empty when exact, else what is wrong.
std::string round_trip(unsigned seed, const std::string& spec, Tally& tally) {
  const Built first = applied(spec);
  Mutator mutator(seed);
  inside(first.ns(), [&] {
    Mutator::populate("");
    for (int step = 0; step < 14 + static_cast<int>(seed % 27); ++step) mutator.step();
  });
  const std::string text = captured(first.ns());
  tally.mounts += occurrences(text, "[[mount]]") + 1;
  tally.covers += occurrences(text, "cover = true");
  tally.binds += occurrences(text, "source = \"self:") + occurrences(text, "source = \"fs:");
  SourceMap sources;
  Diagnostics diagnostics;
  const auto plan = driver::compile_text("capture.toml", text, {}, sources, diagnostics);
  if (!plan) return "does not compile:\n" + render_text(diagnostics, sources) + text;
  const Applied again = apply_plan(linux_kernel(), *plan);
  if (!again.built) return "does not apply:\n" + again.messages + text;
  const std::string second = captured(again.built->ns());
  if (second != text) return "differs:\n" + text + "\n--- second\n" + second;
  const std::string drift = differences(first.ns(), *plan);
  return drift.empty() ? "" : "the first differs from its capture:\n" + drift + text;
}

}  // namespace

TEST_CASE("random states come back from their capture exactly", "[roundtrip]") {
  if (!reads_by_statmount()) leave_out("mounts over the container's root");
  const std::string data = fresh_dir();
  for (const char* below : {"/a/b", "/b"}) make_dir(data + below);  // what exists in the parent
  const std::string spec = fmt::format(base_spec, data);
  const std::size_t seeds = count_from_environment("MNTCR_ROUNDTRIP_SEEDS", 150);
  std::map<std::string, std::size_t> problems;
  std::string shown;
  Tally tally;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    const std::string problem = round_trip(seed, spec, tally);
    if (problem.empty()) continue;
    ++problems[problem.substr(0, problem.find('\n'))];
    if (shown.empty()) shown = fmt::format("seed {}: {}", seed, problem);
  }
  std::string summary = fmt::format(
      "{} seeds: {} mounts, {} of them cover others, {} are binds of what the container made\n",
      seeds, tally.mounts, tally.covers, tally.binds);
  for (const auto& [problem, count] : problems) summary += fmt::format("{} {}\n", count, problem);
  fmt::print("{}", summary);
  INFO(shown);
  CHECK(problems.empty());
  CHECK(tally.covers > seeds / 4);
  CHECK(tally.binds > seeds / 4);
}

}  // namespace mntcr
