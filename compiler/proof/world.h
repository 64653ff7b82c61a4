// The machine on which a plan is proven: a parent namespace in which every bind source of the plan
// is a mount of its own, and the worst that a parent can be: each of its mounts is shared, and has
// a peer and a slave in other namespaces. What leaves the container by mistake shows there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/kernel/model/model_kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// What a superblock of the parent is on that machine: a part of one of the model's.
struct ParentPlace {
  const model::Superblock* superblock = nullptr;
  std::string root;  ///< path within it, as the kernel shows it: "/" for all of it
};

/// See the top of the file. The calling thread stands in the parent.
class ProofWorld {
 public:
  explicit ProofWorld(const Plan& plan);

  ModelKernel& kernel() { return kernel_; }
  [[nodiscard]] const Fd& proc() const { return proc_; }
  /// What went wrong while it was made; empty when nothing did.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  /// Where the superblock `index` of the plan, which is of the parent, is.
  [[nodiscard]] const ParentPlace& place(std::uint32_t index) const { return places_.at(index); }
  /// What the group `index` of the plan, which has a path of the parent, shall be.
  [[nodiscard]] const model::PeerGroup* group(std::uint32_t index) const;
  /// Whether all mounts outside of the container are what they were when the world was made.
  [[nodiscard]] bool is_untouched();

 private:
  void make_files(const Plan& plan);
  void add_relatives();
  const model::Mount* mount_at(const std::string& path);
  /// All that can change about the mounts outside.
  [[nodiscard]] std::vector<std::string> fingerprints();

  template <class T>
  void check(const Result<T>& done) {
    if (!done && trouble_.empty()) trouble_ = done.error().message;
  }
  Fd kept(Result<Fd> made) {
    check(made);
    return made ? std::move(*made) : Fd();
  }

  ModelKernel kernel_;
  Fd proc_;
  Fd peers_;
  Fd slaves_;
  Fd parent_;
  std::map<std::uint32_t, ParentPlace> places_;
  std::map<std::uint32_t, const model::PeerGroup*> groups_;
  std::vector<std::uint64_t> outside_;  ///< ids of the namespaces that are not the container's
  std::vector<std::string> before_;
  std::string trouble_;
};

}  // namespace mntcr
