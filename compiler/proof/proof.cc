#include "compiler/proof/proof.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "compiler/proof/world.h"
#include "runtime/apply/executor.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"

namespace mntcr {
namespace {

using Flaw = std::optional<std::string>;

/// Compares the desired state of a plan with the mounts of the model.
class Judge {
 public:
  Judge(const Plan& plan, const ProofWorld& world)
      : plan_(plan),
        world_(world),
        found_(plan.mounts.size(), nullptr),
        superblocks_(plan.superblocks.size(), nullptr),
        groups_(plan.groups.size(), nullptr) {}

  /// `namespaces` in the order of the plan's.
  Flaw judge(const std::vector<const model::Namespace*>& namespaces) {
    if (Flaw flaw = find_counterparts(namespaces)) return flaw;
    for (std::uint32_t index = 0; index < plan_.mounts.size(); ++index) {
      Flaw flaw = content_flaw(index);
      if (!flaw) flaw = attribute_flaw(index);
      if (!flaw) flaw = sharing_flaw(index);
      if (flaw) return fmt::format("mount {} at {} {}", index, plan_.mounts[index].target, *flaw);
    }
    return group_flaw();
  }

 private:
  /// Fills found_: by place, parents first.
  Flaw find_counterparts(const std::vector<const model::Namespace*>& namespaces) {
    std::vector<std::size_t> counts(namespaces.size(), 0);
    for (std::uint32_t index = 0; index < plan_.mounts.size(); ++index) {
      const DesiredMount& wanted = plan_.mounts[index];
      ++counts[wanted.ns];
      // A namespace begins with a mount that nobody sees, under the first root.
      const model::Mount* parent =
          wanted.parent == no_index ? namespaces[wanted.ns]->root : found_[wanted.parent];
      found_[index] = child(*parent, wanted.mountpoint);
      if (found_[index] == nullptr)
        return fmt::format("mount {} does not stand at {}", index, wanted.target);
    }
    for (std::size_t ns = 0; ns < namespaces.size(); ++ns) {
      const std::size_t standing = namespaces[ns]->mounts.size() - 1;
      if (standing != counts[ns]) {
        return fmt::format("namespace {} has {} mounts instead of {}", plan_.namespaces[ns].name,
                           standing, counts[ns]);
      }
    }
    return std::nullopt;
  }

  const model::Mount* child(const model::Mount& parent, const std::string& place) {
    const auto [known, is_new] = children_.try_emplace(&parent);
    if (is_new) {
      for (const auto& [number, mount] : parent.children)
        known->second.emplace(model::mountpoint_below_parent(*mount), mount);
    }
    const auto found = known->second.find(place);
    return found == known->second.end() ? nullptr : found->second;
  }

  /// The right part of the right superblock.
  Flaw content_flaw(std::uint32_t index) {
    const DesiredMount& wanted = plan_.mounts[index];
    const DesiredSuperblock& superblock = plan_.superblocks[wanted.superblock];
    const model::Mount& mount = *found_[index];
    std::string root = "/";
    if (superblock.kind == DesiredSuperblock::Kind::parent) {
      const ParentPlace& place = world_.place(wanted.superblock);
      if (mount.superblock.get() != place.superblock)
        return "shows another of the parent's superblocks";
      root = place.root;
    } else {
      const model::Superblock*& bound = superblocks_[wanted.superblock];
      if (bound == nullptr) {
        bound = mount.superblock.get();
        if (bound->type != superblock.type) return "shows another type of filesystem";
        if (!bound_.insert(bound).second && !is_singleton(superblock.type))
          return "shows the superblock of another filesystem";
      }
      if (mount.superblock.get() != bound) return "shows another superblock";
    }
    root = path::join(root, wanted.root);
    if (wanted.deleted) root += "//deleted";
    if (model::path_in_filesystem(*mount.root) != root)
      return "shows another part of its filesystem";
    return std::nullopt;
  }

  Flaw attribute_flaw(std::uint32_t index) const {
    const DesiredMount& wanted = plan_.mounts[index];
    const model::Mount& mount = *found_[index];
    if ((mount.attrs & wanted.attrs.mask) != wanted.attrs.value) return "has other flags";
    if (mount.idmap.has_value() != (wanted.idmap != no_index)) return "is wrong about its idmap";
    if (mount.locked) return "is locked";
    return std::nullopt;
  }

  Flaw sharing_flaw(std::uint32_t index) {
    const DesiredMount& wanted = plan_.mounts[index];
    const model::Mount& mount = *found_[index];
    if (mount.unbindable != wanted.unbindable) return "is wrong about unbindable";
    if (!is_group(wanted.group, mount.group)) return "is in another peer group";
    // A group of the parent's has the master that it has there.
    const bool crossing = wanted.group != no_index && !plan_.groups[wanted.group].parent.empty();
    if (!crossing && !is_group(wanted.master, model::master_group(mount)))
      return "has another master";
    if (wanted.group != no_index) ++members_[wanted.group];
    if (!crossing && wanted.master != no_index) ++slaves_[wanted.master];
    return std::nullopt;
  }

  /// Whether the peer group `is` stands for the desired one, now and always.
  bool is_group(std::uint32_t wanted, const model::PeerGroup* is) {
    if (wanted == no_index) return is == nullptr;
    if (is == nullptr) return false;
    if (!plan_.groups[wanted].parent.empty()) return is == world_.group(wanted);
    if (groups_[wanted] == nullptr && taken_.insert(is).second) groups_[wanted] = is;
    return groups_[wanted] == is;
  }

  /// Groups of the container have nobody in them but mounts of the plan.
  Flaw group_flaw() {
    for (std::uint32_t index = 0; index < plan_.groups.size(); ++index) {
      const model::PeerGroup* group = groups_[index];
      if (group == nullptr) continue;
      std::size_t slaves = 0;
      for (const model::Mount* member : group->members) slaves += member->slaves.size();
      if (group->members.size() != members_[index] || slaves != slaves_[index])
        return fmt::format("group {} has others in it or among its slaves", index);
    }
    return std::nullopt;
  }

  const Plan& plan_;
  const ProofWorld& world_;
  std::vector<const model::Mount*> found_;
  std::map<const model::Mount*, std::map<std::string, const model::Mount*>> children_;
  std::vector<const model::Superblock*> superblocks_;
  std::set<const model::Superblock*> bound_;
  std::vector<const model::PeerGroup*> groups_;
  std::set<const model::PeerGroup*> taken_;
  std::map<std::uint32_t, std::size_t> members_;
  std::map<std::uint32_t, std::size_t> slaves_;
};

Flaw first_error(const Diagnostics& diagnostics) {
  for (const Diagnostic& item : diagnostics.items()) {
    if (item.severity() == Severity::error) return "its operations fail: " + item.message;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_flaw(const Plan& plan) {
  ProofWorld world(plan);
  if (!world.trouble().empty()) return "no parent can be made for it: " + world.trouble();
  Diagnostics diagnostics;
  const ExecutorSetting setting{world.proc()};
  HostMountpoints mountpoints(world.kernel());
  const std::vector<Fd> made =
      Executor(world.kernel(), plan, setting, mountpoints).run(diagnostics);
  mountpoints.keep();
  if (Flaw flaw = first_error(diagnostics)) return flaw;
  std::vector<const model::Namespace*> namespaces;
  for (const Fd& ns : made) {
    const Result<std::uint64_t> id = world.kernel().ioctl_ns_get_mntns_id(ns.get());
    namespaces.push_back(id ? world.kernel().state().find_namespace(*id) : nullptr);
  }
  if (namespaces.size() != plan.namespaces.size()) return "it makes too few namespaces";
  if (Flaw flaw = Judge(plan, world).judge(namespaces)) return flaw;
  if (!world.is_untouched()) return "it changes the parent's mounts";
  return std::nullopt;
}

}  // namespace mntcr
