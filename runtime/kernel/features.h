// What this kernel can do, found out by asking it. Versions are named in messages and never
// compared: distributions carry features back, and seccomp filters take them away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/kernel/kernel.h"

namespace mntcr {

enum class Feature : std::uint8_t {
  openat2,
  open_tree,
  move_mount,
  fsopen,
  mount_setattr,
  set_group,
  statmount,
  listmount,
  unique_mount_ids,
  mount_namespace_ids,
  overlay_layers,
};

struct FeatureInfo {
  Feature feature;
  std::string_view name;   ///< as manual pages write it
  std::string_view since;  ///< the Linux that introduced it, for messages only
  bool for_apply;          ///< apply cannot do without
  bool for_capture;        ///< capture by statmount cannot; by mountinfo it can
};

/// All of them, in the order of Feature.
std::span<const FeatureInfo> feature_table();
const FeatureInfo& describe(Feature feature);

/// The answers of one kernel.
struct Features {
  std::uint32_t present = 0;  ///< bit N is Feature N

  [[nodiscard]] bool has(Feature feature) const {
    return (present >> static_cast<unsigned>(feature) & 1U) != 0;
  }
  [[nodiscard]] std::vector<Feature> missing_for_apply() const;
  [[nodiscard]] std::vector<Feature> missing_for_capture() const;
};

/// Whether overlays take layers one by one, each looked up when it is given.
bool has_overlay_layers(Kernel& kernel);

/// Calls each with arguments that make it fail before it does anything, and takes every errno but
/// the one of a missing feature for its presence. Changes nothing and needs no privilege.
Features probe_features(Kernel& kernel);

}  // namespace mntcr
