// Which filesystems can be idmapped the kernel decides by their type, so for those that the spec
// makes it is known here; for binds of the parent's apply finds out.
#include <fmt/format.h>

#include "compiler/layout/checks.h"

namespace mntcr::layout {

void check_idmaps(const Resolved& resolved, Diagnostics& diagnostics) {
  for (spec::MountIndex index = 0; index < resolved.spec.mounts.size(); ++index) {
    const spec::MountDecl& mount = resolved.spec.mounts[index];
    if (!mount.idmap) continue;
    const auto* made = find_made(resolved.spec, resolved.contents[index]->filesystem);
    if (made == nullptr || idmap::takes_idmap(made->type)) continue;
    diagnostics
        .add(Code::E0268, mount.idmap->span,
             fmt::format("a mount of {} cannot have an idmap", made->type))
        .label(made->span, "the filesystem is made here")
        .note("the kernel refuses it for filesystems that do not store who owns a file")
        .help("take `idmap` away");
  }
}

}  // namespace mntcr::layout
