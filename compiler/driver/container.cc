#include "compiler/driver/container.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <utility>

#include "compiler/driver/naming.h"
#include "runtime/base/name.h"
#include "runtime/base/path.h"
#include "runtime/capture/bound_namespaces.h"
#include "runtime/capture/capture.h"

namespace mntcr::driver {
namespace {

/// "process 7", "processes 7, 8 and 9", "processes 7, 8, 9 and 4 more".
std::string processes(std::span<const int> pids) {
  constexpr std::size_t most_shown = 3;
  if (pids.size() == 1) return fmt::format("process {}", pids.front());
  const std::size_t shown = std::min(pids.size() - 1, most_shown);
  const std::size_t rest = pids.size() - shown;
  return fmt::format("processes {} and {}", fmt::join(pids.first(shown), ", "),
                     rest == 1 ? std::to_string(pids.back()) : fmt::format("{} more", rest));
}

Result<std::uint64_t> inode_of(Kernel& kernel, const Fd& ns) {
  const Result<FileStatus> status = kernel.statx(ns.get(), "", 0);
  if (!status) return Failure(status.error());
  return status->inode;
}

void no_such(const Error& error, const std::string& context, Diagnostics& diagnostics) {
  diagnostics.add(Code::E0701, {}, context + error.message).help("mntcr list shows what is pinned");
}

}  // namespace

std::optional<OpenContainer> OpenContainer::open(Kernel& kernel,
                                                 const std::vector<WhereWord>& words,
                                                 const Fd& parent,
                                                 std::vector<std::string> expected,
                                                 Diagnostics& diagnostics) {
  OpenContainer container(kernel);
  container.expected_ = std::move(expected);
  if (!words.front().name.empty()) {
    if (!container.open_words(words, diagnostics)) return std::nullopt;
    return container;
  }
  const Result<void> opened = container.open_one(words.front().where, parent);
  if (opened) return container;
  no_such(opened.error(), {}, diagnostics);
  return std::nullopt;
}

std::vector<NamedNamespace> OpenContainer::named() const {
  std::vector<NamedNamespace> all;
  for (const Held& held : held_) all.push_back({held.name, &held.met.ns});
  return all;
}

bool OpenContainer::open_words(const std::vector<WhereWord>& words, Diagnostics& diagnostics) {
  for (const WhereWord& word : words) {
    Result<Fd> ns = open_where(*kernel_, word.where);
    const Result<std::uint64_t> inode = ns ? inode_of(*kernel_, *ns) : Failure(ns.error());
    if (!inode) {
      no_such(inode.error(), word.name + ": ", diagnostics);
      continue;
    }
    const auto same =
        std::ranges::find(held_, *inode, [](const Held& held) { return held.met.inode; });
    if (same != held_.end()) {
      diagnostics
          .add(Code::E0646, {},
               fmt::format("`{}` and `{}` are the same namespace", same->name, word.name))
          .help("name each namespace of the container once");
    }
    held_.push_back({word.name, {std::move(*ns), *inode, 0}});
  }
  return !diagnostics.has_errors();
}

Result<void> OpenContainer::open_one(const std::string& where, const Fd& parent) {
  if (const int pid = as_pid(where); pid != 0) return open_process(pid, parent);
  if (is_container_name(where) && is_pinned(*kernel_, where)) return open_pinned(where);
  Result<Fd> ns = open_where(*kernel_, where);
  if (!ns) return Failure(ns.error());
  held_.push_back({main_namespace, {std::move(*ns), 0, 0}});
  return {};
}

Result<void> OpenContainer::open_pinned(const std::string& container) {
  Result<Fd> main = open_namespace_file(*kernel_, pin_path(container));
  if (!main) return Failure(main.error());
  const Result<std::uint64_t> inode = inode_of(*kernel_, *main);
  if (!inode) return Failure(inode.error());
  held_.push_back({main_namespace, {std::move(*main), *inode, 0}});
  home_ = container;
  read_pins();
  add_pins_of_main();
  return {};
}

Result<void> OpenContainer::open_process(int pid, const Fd& parent) {
  Result<Fd> proc = open_proc(*kernel_);
  if (!proc) return Failure(proc.error());
  proc_ = std::move(*proc);
  const Result<std::uint64_t> outside = inode_of(*kernel_, parent);
  if (!outside) return Failure(outside.error());
  parent_inode_ = *outside;
  Result<Fd> own = open_namespace_of_pid(*kernel_, proc_, pid);
  if (!own) return Failure(own.error());
  const Result<std::uint64_t> inode = inode_of(*kernel_, *own);
  if (!inode) return Failure(inode.error());
  grows_ = *inode != parent_inode_;
  held_.push_back({main_namespace, {std::move(*own), *inode, pid}});
  if (!grows_) return {};
  Result<ProcessTree> tree = walk_process_tree(*kernel_, proc_, pid);
  if (!tree) return Failure(tree.error());
  add_tree(std::move(*tree));
  read_pins();
  for (const PinnedContainer& pinned : pins_) {
    const bool is_home = std::ranges::any_of(pinned.namespaces, [&](const PinnedNamespace& ns) {
      return ns.alive && ns.inode == held_.front().met.inode && ns.name == main_namespace;
    });
    if (is_home && home_.empty()) home_ = pinned.name;
  }
  add_pins_of_main();
  name_all();
  return {};
}

void OpenContainer::add_tree(ProcessTree tree) {
  for (MetNamespace& met : tree.namespaces) {
    if (met.inode == parent_inode_) {
      left_out_.push_back(fmt::format(
          "process {} is in the parent namespace, which is none of the container's", met.process));
    } else if (!has(met.inode)) {
      held_.push_back({{}, std::move(met)});
    }
  }
  if (!tree.refused.empty()) {
    left_out_.push_back(fmt::format("{}: no permission to look into their mount namespaces",
                                    processes(tree.refused)));
  }
  if (!tree.ended.empty())
    left_out_.push_back(fmt::format("{} ended meanwhile", processes(tree.ended)));
}

void OpenContainer::read_pins() {
  Result<std::vector<PinnedContainer>> pins = list_pins(*kernel_);
  if (pins) {
    pins_ = std::move(*pins);
  } else {
    left_out_.push_back("the pins could not be read: " + pins.error().message);
  }
}

/// What is pinned together with `main` belongs to the container, whether a process is in it or not.
void OpenContainer::add_pins_of_main() {
  const auto home = std::ranges::find(pins_, home_, &PinnedContainer::name);
  if (home_.empty() || home == pins_.end()) return;
  for (const PinnedNamespace& pinned : home->namespaces) {
    if (pinned.name == main_namespace || (pinned.alive && has(pinned.inode))) continue;
    Result<Fd> ns = open_namespace_file(*kernel_, pinned.path);
    const Result<std::uint64_t> inode = ns ? inode_of(*kernel_, *ns) : Failure(ns.error());
    if (!inode || !is_container_name(pinned.name)) {
      left_out_.push_back(fmt::format("{} is no pin of a namespace", path::printable(pinned.path)));
    } else if (!has(*inode)) {
      held_.push_back({pinned.name, {std::move(*ns), *inode, 0}});
    }
  }
}

bool OpenContainer::has(std::uint64_t inode) const {
  return std::ranges::any_of(held_, [&](const Held& held) { return held.met.inode == inode; });
}

/// Of several pins of a namespace that of the container's own counts.
std::string OpenContainer::pin_name_of(std::uint64_t inode) const {
  std::string name;
  for (const PinnedContainer& container : pins_) {
    for (const PinnedNamespace& pinned : container.namespaces) {
      const bool is_pin = pinned.alive && pinned.inode == inode && is_container_name(pinned.name);
      if (is_pin && (name.empty() || container.name == home_)) name = pinned.name;
    }
  }
  return name;
}

void OpenContainer::name_all() {
  std::vector<NamelessNamespace> nameless;
  for (const Held& held : held_) {
    const Result<std::uint64_t> id = kernel_->ioctl_ns_get_mntns_id(held.met.ns.get());
    nameless.push_back(
        {id.value_or(0), held.met.inode, held.met.process, pin_name_of(held.met.inode)});
  }
  Naming naming = name_namespaces(nameless, expected_);
  std::vector<Held> ordered;
  for (const std::size_t index : naming.order)
    ordered.push_back({std::move(naming.names[index]), std::move(held_[index].met)});
  held_ = std::move(ordered);
  naming_ = std::move(naming.notes);
}

bool OpenContainer::add_bound(const MountTable& live) {
  if (!grows_) return false;
  std::set<std::uint64_t> bound;
  for (const std::uint64_t inode : bound_namespaces(live)) {
    if (inode != parent_inode_ && !has(inode) && sought_.insert(inode).second) bound.insert(inode);
  }
  if (bound.empty()) return false;
  const auto id = [&](const Held& held) {
    return kernel_->ioctl_ns_get_mntns_id(held.met.ns.get()).value_or(0);
  };
  const Fd& oldest = std::ranges::min_element(held_, {}, id)->met.ns;
  Result<std::vector<MetNamespace>> found = open_namespaces(*kernel_, proc_, oldest, bound);
  const std::size_t known = found ? found->size() : 0;
  if (known < bound.size()) {
    left_out_.push_back(fmt::format(
        "{} that a mount keeps could not be opened",
        bound.size() - known == 1 ? std::string("a mount namespace")
                                  : fmt::format("{} mount namespaces", bound.size() - known)));
  }
  if (known == 0) return false;
  for (MetNamespace& met : *found) held_.push_back({{}, std::move(met)});
  name_all();
  return true;
}

void OpenContainer::report(Diagnostics& diagnostics) const {
  const auto say = [&](Code code, const char* message, const std::vector<std::string>& notes) {
    if (notes.empty()) return;
    Diagnostic& diagnostic = diagnostics.add(code, {}, message);
    for (const std::string& note : notes) diagnostic.note(note);
  };
  say(Code::W0645, "namespaces of the container were named by the order in which they were made",
      naming_);
  say(Code::W0646, "not all that could be the container's was looked at", left_out_);
}

}  // namespace mntcr::driver
