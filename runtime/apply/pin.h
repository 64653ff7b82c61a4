// Pins: mount namespaces kept alive by a bind of their file, /run/mntcr/NAME/NAMESPACE, for
// `nsenter --mount=` and for diff. They last until deleted or until the machine restarts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/diagnostic.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace mntcr {

/// The folder of pins.
inline constexpr const char* pin_store = "/run/mntcr";

/// One pinned namespace of a container.
struct PinnedNamespace {
  std::string name;
  std::string path;
  bool alive = false;    ///< a namespace is bound there; false for a left-over file
  std::uint64_t id = 0;  ///< 0 where the kernel does not tell
};

/// A pinned container.
struct PinnedContainer {
  std::string name;
  std::vector<PinnedNamespace> namespaces;
};

/// Where the pin of a container's namespace stands.
std::string pin_path(const std::string& container, const std::string& name = main_namespace);

/// Binds the mount namespace `ns` at its pin path. All or nothing; says why not in `diagnostics`.
bool pin(Kernel& kernel, const std::string& container, const Fd& ns, Diagnostics& diagnostics);

/// All pinned containers, by name.
Result<std::vector<PinnedContainer>> list_pins(Kernel& kernel);

/// Whether a container of this name is pinned.
bool is_pinned(Kernel& kernel, const std::string& container);

/// Unbinds all namespaces of a container and removes its folder. A namespace lives on while a
/// process is in it. Says what stood in the way in `diagnostics`.
bool remove_pin(Kernel& kernel, const std::string& container, Diagnostics& diagnostics);

}  // namespace mntcr
