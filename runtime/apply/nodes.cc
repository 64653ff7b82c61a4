#include "runtime/apply/nodes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/base/path.h"

namespace mntcr {
namespace {

/// The directory that holds an inode, and the inode's name in it.
struct Seat {
  Fd directory;
  std::string name;
};

Result<Seat> seat_of(Kernel& kernel, const Fd& filesystem, const DesiredNode& node) {
  const std::string above(path::parent(node.path));
  Result<Fd> directory = open_beneath(kernel, filesystem, above.empty() ? "." : above);
  if (!directory) return Failure(directory.error());
  return Seat{std::move(*directory), std::string(path::components(node.path).back())};
}

std::uint32_t type_bits(NodeKind kind) {
  switch (kind) {
    case NodeKind::fifo:
      return S_IFIFO;
    case NodeKind::socket:
      return S_IFSOCK;
    case NodeKind::character:
      return S_IFCHR;
    case NodeKind::block:
      return S_IFBLK;
    case NodeKind::directory:
    case NodeKind::file:
    case NodeKind::symlink:
      break;
  }
  return S_IFREG;
}

/// Nobody else may open it before its owner is right.
Result<void> make_inode(Kernel& kernel, const Seat& seat, const DesiredNode& node) {
  constexpr std::uint32_t closed = 0;
  const int directory = seat.directory.get();
  if (node.kind == NodeKind::directory) return kernel.mkdirat(directory, seat.name, closed);
  if (node.kind == NodeKind::symlink) return kernel.symlinkat(node.target, directory, seat.name);
  return kernel.mknodat(directory, seat.name, type_bits(node.kind) | closed, node.dev_major,
                        node.dev_minor);
}

}  // namespace

Result<Fd> open_beneath(Kernel& kernel, const Fd& root, const std::string& path, bool link) {
  const std::uint64_t flags = link ? O_PATH | O_NOFOLLOW : O_PATH;
  return kernel.openat2(root.get(), path, {.flags = flags, .resolve = literal_walk});
}

// A change of the owner clears the set-id bits, so the mode comes last.
Result<void> make_node(Kernel& kernel, const Fd& filesystem, const DesiredNode& node) {
  const Result<Seat> seat = seat_of(kernel, filesystem, node);
  if (!seat) return Failure(seat.error());
  const int directory = seat->directory.get();
  Result<void> done = make_inode(kernel, *seat, node);
  if (done) done = kernel.fchownat(directory, seat->name, node.uid, node.gid, AT_SYMLINK_NOFOLLOW);
  if (!done || node.kind == NodeKind::symlink) return done;
  return kernel.fchmodat(directory, seat->name, node.mode);
}

Result<void> remove_node(Kernel& kernel, const Fd& filesystem, const DesiredNode& node) {
  const Result<Seat> seat = seat_of(kernel, filesystem, node);
  if (!seat) return Failure(seat.error());
  const int flags = node.kind == NodeKind::directory ? AT_REMOVEDIR : 0;
  return kernel.unlinkat(seat->directory.get(), seat->name, flags);
}

}  // namespace mntcr
