#include "tests/kernel/support/picture.h"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "runtime/capture/container.h"
#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {
namespace {

class Picture {
 public:
  void add(std::size_t ns, const std::string& target, const std::string& root,
           std::uint64_t superblock, std::uint64_t group, std::uint64_t master, bool unbindable) {
    lines_ += fmt::format("{} {} shows {}:{} group {} master {}{}\n", ns, target,
                          numbered(superblocks_, superblock), root, numbered(groups_, group),
                          numbered(groups_, master), unbindable ? " unbindable" : "");
  }
  [[nodiscard]] const std::string& text() const { return lines_; }

 private:
  using Numbers = std::map<std::uint64_t, std::size_t>;
  static std::size_t numbered(Numbers& numbers, std::uint64_t what) {
    return what == 0 ? 0 : numbers.emplace(what, numbers.size() + 1).first->second;
  }

  std::string lines_;
  Numbers superblocks_;
  Numbers groups_;
};

}  // namespace

std::string picture_of(const Layout& layout) {
  const auto number = [](std::uint32_t index) { return index == no_index ? 0U : index + 1U; };
  Picture picture;
  for (const LayoutMount& mount : layout.mounts) {
    picture.add(mount.ns, mount.target, "/" + mount.root, mount.superblock + 1U,
                number(mount.group), number(mount.master), mount.unbindable);
  }
  return picture.text();
}

std::string picture_of(const MountTable& table) {
  Picture picture;
  for (const LiveMount& mount : table.mounts) {
    picture.add(mount.ns, mount.mountpoint, mount.root, mount.dev_minor + 1U, mount.peer_group,
                mount.master, mount.unbindable);
  }
  return picture.text();
}

MountTable read_built(const std::vector<DesiredNamespace>& namespaces, const Built& built) {
  const Result<Fd> proc = open_proc(linux_kernel());
  if (!proc) throw std::runtime_error(proc.error().message);
  std::vector<NamedNamespace> named;
  for (std::size_t ns = 0; ns < namespaces.size(); ++ns)
    named.push_back({namespaces[ns].name, &built.ns(ns)});
  Result<MountTable> table = capture_container(linux_kernel(), *proc, named);
  if (!table) throw std::runtime_error(table.error().message);
  return std::move(*table);
}

}  // namespace mntcr::sandbox
