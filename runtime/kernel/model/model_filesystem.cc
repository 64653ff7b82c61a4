#include "runtime/kernel/model/model_filesystem.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <functional>

#include "runtime/kernel/linux_abi.h"

namespace mntcr::model {
namespace {

constexpr std::uint32_t open_to_all = 0755;

struct Magic {
  std::string_view type;
  std::uint64_t number;
};

constexpr auto magics = std::to_array<Magic>({
    {"proc", abi::proc_super_magic},
    {"nsfs", abi::nsfs_magic},
    {"tmpfs", 0x1021994},
    {"ramfs", 0x858458f6},
    {"devpts", 0x1cd1},
    {"sysfs", 0x62656572},
    {"mqueue", 0x19800202},
    {"cgroup2", 0x63677270},
    {"overlay", 0x794c7630},
});

std::uint32_t type_bits(InodeKind kind) {
  switch (kind) {
    case InodeKind::directory:
    case InodeKind::fd_folder:
    case InodeKind::unknown:
      return S_IFDIR;
    case InodeKind::symlink:
    case InodeKind::magic:
      return S_IFLNK;
    case InodeKind::fifo:
      return S_IFIFO;
    case InodeKind::socket:
      return S_IFSOCK;
    case InodeKind::character:
      return S_IFCHR;
    case InodeKind::block:
      return S_IFBLK;
    case InodeKind::file:
    case InodeKind::ns_file:
      break;
  }
  return S_IFREG;
}

Inode& add_inode(Superblock& superblock, InodeKind kind, std::uint32_t permissions) {
  Inode& inode = superblock.inodes.emplace_back();
  inode.superblock = &superblock;
  inode.number = superblock.inodes.size();
  inode.kind = kind;
  inode.permissions = permissions;
  return inode;
}

}  // namespace

std::shared_ptr<Superblock> make_superblock(std::string type, std::uint32_t dev_minor) {
  auto made = std::make_shared<Superblock>();
  made->type = std::move(type);
  made->dev_minor = dev_minor;
  add_inode(*made, InodeKind::directory, open_to_all);
  return made;
}

std::uint64_t magic_of(std::string_view type) {
  for (const Magic& magic : magics) {
    if (magic.type == type) return magic.number;
  }
  constexpr std::uint64_t all_bits_of_an_f_type = 0xffffffff;
  return std::hash<std::string_view>()(type) & all_bits_of_an_f_type;
}

Inode* lookup(Inode& directory, std::string_view name) {
  if (directory.kind == InodeKind::fd_folder) {
    const auto known = directory.entries.find(name);
    if (known != directory.entries.end()) return known->second;
    Inode& link = make_inode(directory, name, InodeKind::magic, open_to_all);
    link.target = fmt::format("fd/{}", name);
    return &link;
  }
  const auto found = directory.entries.find(name);
  if (found != directory.entries.end()) return found->second;
  const bool any = directory.superblock->boundless &&
                   (directory.kind == InodeKind::unknown || directory.parent == nullptr);
  return any ? &make_inode(directory, name, InodeKind::unknown, open_to_all) : nullptr;
}

Inode& make_inode(Inode& directory, std::string_view name, InodeKind kind,
                  std::uint32_t permissions) {
  Inode& made = add_inode(*directory.superblock, kind, permissions);
  made.parent = &directory;
  made.name = name;
  directory.entries.insert_or_assign(made.name, &made);
  return made;
}

void remove_inode(Inode& inode) {
  if (inode.superblock->boundless) {
    inode.parent->entries.insert_or_assign(inode.name, nullptr);
  } else {
    inode.parent->entries.erase(inode.name);
  }
  inode.deleted = true;
}

bool is_at_or_below(const Inode& inode, const Inode& above) {
  const Inode* at = &inode;
  while (at != nullptr && at != &above) at = at->parent;
  return at != nullptr;
}

std::string path_below(const Inode& inode, const Inode& above) {
  std::vector<std::string_view> names;
  for (const Inode* at = &inode; at != &above && at->parent != nullptr; at = at->parent) {
    names.push_back(at->name);
  }
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (!path.empty()) path += '/';
    path += *name;
  }
  return path;
}

std::string path_in_filesystem(const Inode& inode) {
  std::string path = "/" + path_below(inode, inode.superblock->root());
  if (inode.deleted) path += "//deleted";
  return path;
}

std::uint32_t mode_of(const Inode& inode) { return type_bits(inode.kind) | inode.permissions; }

}  // namespace mntcr::model
