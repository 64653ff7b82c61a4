#include "runtime/capture/process_tree.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/capture/capture.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

/// How often the tree is walked again because a process ended on the way: its children have got
/// another parent, which may have been passed already.
constexpr int most_walks = 3;

/// The whole of `text` as a number above 0; else 0.
template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stopped == end && number > 0 ? number : 0;
}

bool is_refusal(const Error& error) { return error.number == EACCES || error.number == EPERM; }

Result<std::vector<std::string>> names_in(Kernel& kernel, const Fd& proc, const std::string& path) {
  const Result<Fd> folder = kernel.openat2(proc.get(), path, {.flags = O_RDONLY | O_DIRECTORY});
  if (!folder) return Failure(folder.error());
  return kernel.getdents(folder->get());
}

Result<std::string> content_of(Kernel& kernel, const Fd& proc, const std::string& path) {
  const Result<Fd> file = kernel.openat2(proc.get(), path, {.flags = O_RDONLY});
  if (!file) return Failure(file.error());
  return kernel.read_all(file->get());
}

/// The parent that a /proc/PID/stat tells: the second word after the name, which may hold anything.
int parent_in(std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return 0;
  const std::size_t state = stat.find_first_not_of(' ', name_end + 1);
  const std::size_t gap = stat.find(' ', state);
  if (gap == std::string_view::npos) return 0;
  const std::string_view parent = stat.substr(gap + 1);
  return number_of<int>(parent.substr(0, parent.find(' ')));
}

/// One walk.
class Walk {
 public:
  Walk(Kernel& kernel, const Fd& proc) : kernel_(kernel), proc_(proc) {}

  Result<ProcessTree> run(int pid, Kinship kinship) {
    Result<Fd> own = open_namespace_of_pid(kernel_, proc_, pid);
    if (!own) return Failure(own.error());
    if (Result<void> kept = keep(std::move(*own), pid); !kept) return Failure(kept.error());
    by_parents_ = kinship == Kinship::parents ||
                  !kernel_.openat2(proc_.get(), "thread-self/children", {.flags = O_RDONLY});
    if (by_parents_) read_parents();
    std::vector<int> queue = {pid};
    for (std::size_t next = 0; next < queue.size(); ++next) {
      for (const int child : visit(queue[next])) {
        if (met_processes_.insert(child).second && child != pid) queue.push_back(child);
      }
    }
    return std::move(tree_);
  }

 private:
  /// Looks at the threads of a process and returns its children.
  std::vector<int> visit(int pid) {
    const std::string tasks = std::to_string(pid) + "/task";
    const Result<std::vector<std::string>> threads = names_in(kernel_, proc_, tasks);
    if (!threads) {
      (is_refusal(threads.error()) ? tree_.refused : tree_.ended).push_back(pid);
      return {};
    }
    bool refused = false;
    std::vector<int> children;
    for (const std::string& thread : *threads) {
      const Result<void> looked = look_at(pid, fmt::format("{}/{}/ns/mnt", tasks, thread));
      refused = refused || (!looked && is_refusal(looked.error()));
      if (!by_parents_) add_children(fmt::format("{}/{}/children", tasks, thread), children);
    }
    if (refused) tree_.refused.push_back(pid);
    return by_parents_ ? children_[pid] : children;
  }

  Result<void> look_at(int pid, const std::string& file) {
    const Result<std::string> link = kernel_.readlinkat(proc_.get(), file);
    if (!link) return Failure(link.error());
    if (inodes_.contains(mount_namespace_inode(*link))) return {};
    Result<Fd> ns = kernel_.openat2(proc_.get(), file, {});
    if (!ns) return Failure(ns.error());
    return keep(std::move(*ns), pid);
  }

  Result<void> keep(Fd ns, int pid) {
    const Result<FileStatus> status = kernel_.statx(ns.get(), "", 0);
    if (!status) return Failure(status.error());
    if (inodes_.insert(status->inode).second)
      tree_.namespaces.push_back({std::move(ns), status->inode, pid});
    return {};
  }

  void add_children(const std::string& file, std::vector<int>& children) {
    const Result<std::string> text = content_of(kernel_, proc_, file);
    if (!text) return;  // the thread has ended, and its children have another parent
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      if (const int child = number_of<int>(rest.substr(0, end)); child != 0)
        children.push_back(child);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  void read_parents() {
    const Result<std::vector<int>> all = all_processes(kernel_, proc_);
    if (!all) return;
    for (const int pid : *all) {
      const Result<std::string> stat = content_of(kernel_, proc_, std::to_string(pid) + "/stat");
      if (stat) children_[parent_in(*stat)].push_back(pid);
    }
  }

  Kernel& kernel_;
  const Fd& proc_;
  bool by_parents_ = false;
  std::map<int, std::vector<int>> children_;  ///< by parent, when by_parents_
  std::set<int> met_processes_;
  std::set<std::uint64_t> inodes_;
  ProcessTree tree_;
};

}  // namespace

std::uint64_t mount_namespace_inode(std::string_view link) {
  constexpr std::string_view head = "mnt:[";
  if (!link.starts_with(head) || !link.ends_with(']')) return 0;
  return number_of<std::uint64_t>(link.substr(head.size(), link.size() - head.size() - 1));
}

Result<std::vector<int>> all_processes(Kernel& kernel, const Fd& proc) {
  const Result<std::vector<std::string>> names = names_in(kernel, proc, ".");
  if (!names) return in_context("/proc", names.error());
  std::vector<int> pids;
  for (const std::string& name : *names) {
    if (const int pid = number_of<int>(name); pid != 0) pids.push_back(pid);
  }
  std::ranges::sort(pids);
  return pids;
}

Result<ProcessTree> walk_process_tree(Kernel& kernel, const Fd& proc, int pid, Kinship kinship) {
  Result<ProcessTree> tree = Walk(kernel, proc).run(pid, kinship);
  for (int walk = 1; tree && !tree->ended.empty() && walk < most_walks; ++walk)
    tree = Walk(kernel, proc).run(pid, kinship);
  return tree;
}

}  // namespace mntcr
