// Layers of an overlay filesystem: what they are called in specs, what the kernel's parameters for
// them are, and how a live overlay's parameters are read back.
//
// Kernel facts: `lowerdir+=` is one path as it is; `lowerdir=` is several, separated by ':', with
// '\' before a ':' or '\' of a name; `upperdir=` and `workdir=` are one path with '\' before a '\'.
// All are printed as they were given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mntcr {

enum class LayerRole : std::uint8_t {
  lower,  ///< read-only, the first is the topmost
  upper,  ///< takes what is written
  work,   ///< the kernel's own, beside the upper
  data,   ///< a lower layer that only holds files' content; specs have no word for it
};

inline constexpr std::string_view overlay_type = "overlay";
inline constexpr std::size_t most_lower_layers = 500;  ///< OVL_MAX_STACK of the kernel
/// The kernel lets no more than so many filesystems lie on one another: an overlay on an overlay.
inline constexpr int most_overlay_depth = 2;
/// fsconfig(2) takes no longer string.
inline constexpr std::size_t longest_layer_word = 255;

/// A layer as the kernel prints it, its escapes undone.
struct LayerPath {
  LayerRole role{};
  std::string path;
  bool operator==(const LayerPath&) const = default;
};

/// "lower", "upper", "work": the key of the language; "data".
std::string_view layer_key(LayerRole role);

/// The kernel's parameter that takes one layer: "lowerdir+", "upperdir", "workdir".
std::string_view layer_parameter(LayerRole role);

/// What to give the kernel for a layer at `path`, so that it finds that path and prints it so that
/// overlay_layers() reads it back.
std::string layer_word(LayerRole role, std::string_view path);

/// What to give an older kernel as `lowerdir` for all lower layers.
std::string lower_list(const std::vector<std::string_view>& paths);

/// The layers among the options of a live overlay, in their order.
std::vector<LayerPath> overlay_layers(const std::vector<std::string>& fs_options);

/// The word of the language for an option that newer kernels print in another way than they take
/// it ("fsync=volatile" is `volatile`); any other comes back as it is.
std::string_view overlay_option(std::string_view printed);

}  // namespace mntcr
