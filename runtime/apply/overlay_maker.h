// Makes the overlays of a plan, so that the kernel prints for each layer the path that the plan
// says, and takes for it the directory that the plan says.
//
// The kernel prints the string that it was given for a layer, and finds the layer by walking that
// string. So a small tree is made on the staging tmpfs in which the string leads to the layer and
// to nothing else: a clone of the layer's mount, and at the end of a chain of directories that
// spells the string a symlink to the layer. While the string is given, the thread's root is that
// tree. An overlay keeps clones of its layers' mounts, so the tree goes with the staging tmpfs.
//
// `upper` and `work` must be reached through one mount (fs/overlayfs/super.c); it is a clone of the
// directory that holds both. A directory that is made a symlink between the walk that looks and the
// kernel's own could lead elsewhere within that mount, never out of it.
//
// Kernels before 6.7 take the lower layers as one list, and before 6.5 look all layers up at the
// end. There all strings lead to their layers at once, and the tree is the thread's root when the
// overlay is made. That cannot be where the path of one layer lies in another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/apply/failure.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// Why the overlay cannot be made where layers are not taken one by one; nothing when it can.
std::optional<std::string> needs_single_layers(const DesiredSuperblock& overlay);

/// See the top of the file. Runs on the executor's thread.
class OverlayMaker {
 public:
  OverlayMaker(Kernel& kernel, const Plan& plan) : kernel_(kernel), plan_(plan) {}

  /// The fs context of superblock op.b, with its parameters and without layers.
  std::expected<Fd, StepFailure> open(const Op& op);
  /// Gives the overlay in register op.b, which is `context`, its next layer: op.text below
  /// `anchor`.
  Step add_layer(const Op& op, const Fd& staging, const Fd& anchor, const Fd& context);
  /// A mount of the overlay in register op.a.
  std::expected<Fd, StepFailure> create(const Op& op, Fd& context);
  /// Lets go of what is open.
  void close();

 private:
  /// An overlay that gets its layers.
  struct Making {
    std::uint32_t superblock = 0;
    std::size_t next = 0;  ///< layer
    Fd scratch;            ///< the tree's root
    Fd writable;           ///< the mount of upper and work
    std::string writable_name;
  };

  [[nodiscard]] const DesiredSuperblock& superblock(const Making& making) const {
    return plan_.superblocks[making.superblock];
  }
  Result<void> open_scratch(const Op& op, const Fd& staging, Making& making);
  Result<Fd> mount_part(Making& making, const Fd& anchor, const std::string& root,
                        const std::string& name);
  Result<void> give(const Fd& context, const Making& making, const DesiredLayer& layer,
                    const Fd& place, const std::string& link_target);
  Result<void> make_link(const Making& making, const DesiredLayer& layer,
                         const std::string& link_target, std::vector<std::string>& chain);
  Result<void> create_at_once(const Fd& context, const Making& making);
  Result<void> give_all(const Fd& context, const DesiredSuperblock& overlay);
  Result<void> give_in(const Fd& context, const Fd& root, const DesiredLayer& layer);
  [[nodiscard]] std::string free_name(const Making& making) const;
  StepFailure failure(const Op& op, const DesiredLayer& layer, const Error& error) const;

  Kernel& kernel_;
  const Plan& plan_;
  std::unordered_map<Slot, Making> making_;
  std::optional<bool> one_by_one_;  ///< layers are given when they are added
  Fd own_root_;
};

}  // namespace mntcr
