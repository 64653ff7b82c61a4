// See show_sharing.h.
#include "runtime/plan/show_sharing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

std::string group_title(const Plan& plan, std::uint32_t index) {
  const DesiredGroup& group = plan.groups[index];
  std::string title = "  " + group_words(plan, index);
  if (!group.parent.empty()) {
    title += fmt::format(", the parent's: that of the mount {} {}",
                         group.exact ? "at" : "that holds", path::printable(group.parent));
  }
  if (group.master < plan.groups.size()) title += ", a slave of " + group_words(plan, group.master);
  return title + "\n";
}

std::string list_line(std::string_view title, const std::vector<std::string>& mounts) {
  return mounts.empty() ? "" : fmt::format("    {:<9}{}\n", title, fmt::join(mounts, ", "));
}

}  // namespace

std::string group_words(const Plan& plan, std::uint32_t group) {
  if (group >= plan.groups.size()) return "?";
  const std::string& name = plan.groups[group].name;
  return name.empty() ? fmt::format("#{}", group) : path::printable(name);
}

std::vector<bool> lone_groups(const Plan& plan) {
  std::vector<std::size_t> uses(plan.groups.size());
  for (const DesiredMount& mount : plan.mounts) {
    for (const std::uint32_t group : {mount.group, mount.master}) {
      if (group < uses.size()) ++uses[group];
    }
  }
  std::vector<bool> lone(plan.groups.size());
  for (std::size_t group = 0; group < lone.size(); ++group)
    lone[group] = plan.groups[group].name.empty() && uses[group] == 1;
  return lone;
}

std::string propagation_words(const Plan& plan, const DesiredMount& mount,
                              const std::vector<bool>& lone) {
  std::vector<std::string> words;
  if (mount.master != no_index) words.push_back("slave:" + group_words(plan, mount.master));
  if (mount.group < lone.size() && lone[mount.group]) {
    words.emplace_back("shared");
  } else if (mount.group != no_index) {
    words.push_back("shared:" + group_words(plan, mount.group));
  }
  if (mount.unbindable) words.emplace_back("unbindable");
  return fmt::format("{}", fmt::join(words, " "));
}

std::string mount_words(const Plan& plan, const DesiredMount& mount) {
  const std::string target = path::printable(mount.target);
  const bool alone = plan.namespaces.size() < 2 || mount.ns >= plan.namespaces.size();
  return alone ? target : plan.namespaces[mount.ns].name + ":" + target;
}

std::string namespace_words(const Plan& plan, std::uint32_t number) {
  if (number >= plan.namespaces.size()) return "?";
  const DesiredNamespace& ns = plan.namespaces[number];
  const bool clone = ns.clone < plan.namespaces.size();
  return path::printable(ns.name) +
         (clone ? ", a clone of " + path::printable(plan.namespaces[ns.clone].name) : "");
}

std::string sharing_text(const Plan& plan) {
  std::vector<std::vector<std::string>> members(plan.groups.size());
  std::vector<std::vector<std::string>> slaves(plan.groups.size());
  for (const DesiredMount& mount : plan.mounts) {
    if (mount.group < members.size()) {
      members[mount.group].push_back(mount_words(plan, mount));
    } else if (mount.master < slaves.size()) {
      slaves[mount.master].push_back(mount_words(plan, mount));
    }
  }
  std::string text;
  for (std::uint32_t group = 0; group < plan.groups.size(); ++group) {
    text += group_title(plan, group) + list_line("members", members[group]) +
            list_line("slaves", slaves[group]);
  }
  return text.empty() ? text : "\npeer groups\n" + text;
}

}  // namespace mntcr
