#include "tests/kernel/support/containers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "compiler/driver/pipeline.h"
#include "runtime/apply/pin.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/survey.h"
#include "runtime/diff/diff.h"
#include "runtime/kernel/linux_abi.h"
#include "runtime/kernel/namespace_thread.h"
#include "tests/kernel/support/features.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {
namespace {

namespace fs = std::filesystem;

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// NS_MNT_GET_NEXT of Linux 6.12: fills mnt_ns_info and returns the next namespace's file.
struct NamespaceInfo {
  std::uint32_t size;
  std::uint32_t mounts;
  std::uint64_t id;
};
constexpr unsigned long get_next = _IOR(0xb7, 11, NamespaceInfo);
constexpr unsigned long get_previous = _IOR(0xb7, 12, NamespaceInfo);

/// Whether a namespace shows the filesystem of scratch(): then it came from this program.
bool shows_scratch(int ns, std::uint32_t dev_major, std::uint32_t dev_minor) {
  Kernel& kernel = linux_kernel();
  const auto id = kernel.ioctl_ns_get_mntns_id(ns);
  if (!id) return false;
  std::vector<std::uint64_t> mounts(4096);
  const auto count = kernel.listmount(*id, abi::lsmt_root, 0, mounts);
  mounts.resize(count.value_or(0));
  return std::ranges::any_of(mounts, [&](std::uint64_t mount) {
    const auto status = kernel.statmount(mount, *id, StatmountPart::placement);
    return status && status->dev_major == dev_major && status->dev_minor == dev_minor;
  });
}

/// How many mount namespaces of this program lie in one direction from `from`.
std::size_t count_from(int from, unsigned long request, const FileStatus& scratch_status) {
  std::size_t count = 0;
  int at = ::dup(from);
  while (at >= 0) {
    NamespaceInfo info{sizeof(NamespaceInfo), 0, 0};
    const int next = ::ioctl(at, request, &info);
    ::close(at);
    if (next >= 0 && shows_scratch(next, scratch_status.dev_major, scratch_status.dev_minor))
      ++count;
    at = next;
  }
  return count;
}

/// The mount namespaces that threads of this process are in. What else could keep one alive is seen
/// otherwise: a file that is open, or mounted.
std::size_t count_namespaces_of_threads() {
  std::set<std::uint64_t> inodes;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    const auto status = linux_kernel().statx(Kernel::at_fdcwd, task.path().string() + "/ns/mnt", 0);
    if (status) inodes.insert(status->inode);
  }
  return inodes.size();
}

/// Only this program's, for others come and go meanwhile.
std::size_t count_namespaces() {
  if (!reads_by_statmount()) return count_namespaces_of_threads();
  const FileStatus status = need(linux_kernel().statx(Kernel::at_fdcwd, scratch(), 0));
  const int own = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  const std::size_t count =
      count_from(own, get_next, status) + count_from(own, get_previous, status);
  ::close(own);
  return count;
}

std::vector<std::string> open_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry.path(), gone);
    if (!gone && target.string().find("/fd") == std::string::npos) files.push_back(target.string());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> tree_below(const std::string& path) {
  std::vector<std::string> tree;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(path, none))
    tree.push_back(entry.path());
  std::ranges::sort(tree);
  return tree;
}

}  // namespace

Plan compile(const std::string& text) {
  Diagnostics diagnostics;
  SourceMap sources;
  auto plan = driver::compile_text("test.toml", text, {}, sources, diagnostics);
  if (!plan) FAIL(render_text(diagnostics, sources));
  return std::move(*plan);
}

Applied apply_plan(Kernel& kernel, const Plan& plan, const ApplyOptions& options) {
  Diagnostics diagnostics;
  std::optional<Built> built = apply(kernel, plan, options, diagnostics);
  diagnostics.sort();
  std::string messages = render_text(diagnostics, plan.sources);
  return {std::move(built), std::move(diagnostics), std::move(messages)};
}

Built applied(const std::string& text) {
  Applied result = apply_plan(linux_kernel(), compile(text));
  if (!result.built) FAIL(result.messages);
  result.built->keep();
  return std::move(*result.built);
}

MountTable read_namespace(const Fd& ns) {
  const Fd proc = need(open_proc(linux_kernel()));
  return need(capture(linux_kernel(), proc, ns));
}

std::string differences(const Fd& ns, const std::string& spec) {
  return differences(ns, compile(spec));
}

Observed::Observed(const Fd& ns, bool inodes)
    : Observed(std::vector<NamedNamespace>{{main_namespace, &ns}}, inodes) {}

Observed::Observed(std::span<const NamedNamespace> namespaces, bool inodes)
    : proc(need(open_proc(linux_kernel()))),
      parent(need(capture(linux_kernel(), proc,
                          need(open_namespace_file(linux_kernel(), "/proc/thread-self/ns/mnt"))))),
      live(need(
          capture_container(linux_kernel(), proc, namespaces, [&](const Fd& ns, MountTable& table) {
            const LiveDepth depth = inodes ? LiveDepth::inodes : LiveDepth::mounts;
            return survey(linux_kernel(), proc, ns, depth, parent, table);
          }))) {}

ResolvedSources Observed::sources(const Plan& plan) const {
  SourceResolver resolver(linux_kernel(), proc, parent);
  return resolve_sources(plan, resolver, &live);
}

std::vector<Change> Observed::changes(const Plan& plan) const {
  return diff(plan, sources(plan), live);
}

std::string captured(const std::string& name, const Fd& ns) {
  return captured(name, std::vector<NamedNamespace>{{main_namespace, &ns}});
}

std::string captured(const std::string& name, std::span<const NamedNamespace> namespaces) {
  const Observed seen(namespaces);
  return write_spec(name, seen.live, seen.parent);
}

std::string base_spec(const std::string& data) {
  std::string spec =
      "spec = 1\nname = \"base\"\n[root]\ntype = \"tmpfs\"\n"
      "[[mount]]\ntarget = \"/proc\"\ntype = \"proc\"\n";
  if (!data.empty()) spec += "[[mount]]\ntarget = \"/data\"\nsource = \"parent:" + data + "\"\n";
  return spec;
}

std::string comes_back(const std::string& spec, const std::function<void()>& set_up) {
  const Built first = applied(spec);
  inside(first.ns(), set_up);
  std::string text = captured("base", first.ns());
  INFO(text);
  const Built again = applied(text);
  CHECK(captured("base", again.ns()) == text);
  CHECK(differences(first.ns(), text).empty());
  return text;
}

std::string differences(const Fd& ns, const Plan& plan) {
  return differences(std::vector<NamedNamespace>{{main_namespace, &ns}}, plan);
}

std::string differences(std::span<const NamedNamespace> namespaces, const Plan& plan) {
  const Observed seen(namespaces, false);
  const ResolvedSources sources = seen.sources(plan);
  const std::vector<Change> changes = diff(plan, sources, seen.live);
  return changes.empty() ? std::string{}
                         : write_text({plan, seen.live, seen.parent, sources, changes, {}});
}

const LiveMount& mount_at(const MountTable& table, const std::string& mountpoint) {
  const LiveMount* found = nullptr;
  for (const LiveMount& mount : table.mounts) {
    if (mount.mountpoint == mountpoint) found = &mount;
  }
  if (found == nullptr) FAIL("no mount at " << mountpoint);
  return *found;
}

void inside(const Fd& ns, const std::function<void()>& work) {
  std::exception_ptr thrown;
  const auto ran = join_thread([&] {
    try {
      if (const auto moved = enter_mount_namespace(linux_kernel(), ns.get()); !moved) {
        throw std::runtime_error(moved.error().message);
      }
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  if (!ran) FAIL(ran.error().message);
  if (thrown) std::rethrow_exception(thrown);
}

MachineState machine_state() {
  MachineState state{file_text("/proc/thread-self/mountinfo"), count_namespaces(), open_files(),
                     tree_below(scratch())};
  for (std::string& path : tree_below(pin_store)) state.tree.push_back(std::move(path));
  return state;
}

bool settles_to(const MachineState& before) {
  for (int tries = 0; tries < 200; ++tries) {
    if (machine_state() == before) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void private_run() {
  static const bool done = [] {
    mount_tmpfs("/run");
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace mntcr::sandbox
