// Which filesystems answer by themselves. Looking at a file may take for ever where somebody has to
// be asked (a FUSE server, a network, an automounter); whoever reads live mounts must not wait for
// the dead, and looks only where no such filesystem is on the way.
//
// An overlay asks whoever serves its layers, so it is neither one that answers by itself nor one
// that may hang: who uses this table decides what follows from that.
#pragma once

#include <string_view>

namespace mntcr {

/// Whether no server stands behind a filesystem of this type: the kernel makes it by itself, or it
/// lies on a local disk. What nobody knows has a server.
bool answers_by_itself(std::string_view fs_type);

}  // namespace mntcr
