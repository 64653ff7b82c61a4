#include "runtime/diff/showing.h"

#include "runtime/base/path.h"
#include "runtime/diff/names.h"

namespace mntcr {

Showing::Showing(const MountTable& table, const MountTree& tree, const std::vector<bool>& eligible,
                 const std::vector<bool>& unseen)
    : table_(table), tree_(tree), unseen_(unseen) {
  for (std::uint32_t mount = 0; mount < table.mounts.size(); ++mount) {
    const LiveMount& shown = table.mounts[mount];
    if (eligible.empty() || eligible[mount])
      by_root_.emplace(Key{{shown.dev_major, shown.dev_minor}, shown.root}, mount);
    idmapped_ |= shown.idmap.has_value();
  }
}

std::optional<Showing::Shown> Showing::path_to(const LiveMount& wanted, std::uint32_t ns,
                                               std::uint32_t without) const {
  auto shown = path_to(wanted, ns, without, true);
  return shown || !idmapped_ ? shown : path_to(wanted, ns, without, false);
}

std::optional<Showing::Shown> Showing::path_to(const LiveMount& wanted, std::uint32_t ns,
                                               std::uint32_t without, bool fitting) const {
  if (is_deleted_root(wanted.root)) return std::nullopt;
  const DeviceNumber device{wanted.dev_major, wanted.dev_minor};
  std::string_view root = wanted.root;
  while (true) {
    const auto [begin, end] = by_root_.equal_range({device, std::string(root)});
    for (auto found = begin; found != end; ++found) {
      const LiveMount& shown = table_.mounts[found->second];
      if (shown.ns != ns) continue;
      if (fitting && shown.idmap && shown.idmap != wanted.idmap) continue;
      std::string path = path::join(shown.mountpoint, path::relative_to(wanted.root, root));
      if (tree_.walk(ns, path, unseen_, without) == found->second)
        return Shown{path, found->second};
    }
    if (root == "/" || root.empty()) return std::nullopt;
    root = path::parent(root);
  }
}

}  // namespace mntcr
