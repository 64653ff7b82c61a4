// All mount namespaces of a container in one table: peer groups reach over them, so what one of
// them is can only be said with the others in view.
#pragma once

#include <span>
#include <string>

#include "runtime/base/result.h"
#include "runtime/capture/capture.h"
#include "runtime/capture/mount_table.h"
#include "runtime/kernel/kernel.h"

namespace mntcr {

/// A namespace and what the spec calls it.
struct NamedNamespace {
  std::string name;
  const Fd* ns = nullptr;
};

/// Reads all of `namespaces` (at least one) as one state: they are read again until two readings
/// are equal, for what changes in one can change another. Fails as capture() does.
Result<MountTable> capture_container(Kernel& kernel, const Fd& proc,
                                     std::span<const NamedNamespace> namespaces,
                                     Reader reader = Reader::automatic);

}  // namespace mntcr
