#include "runtime/kernel/model/path_walk.h"

#include <cerrno>

#include "runtime/base/path.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr::model {
namespace {

constexpr int most_links = 40;  ///< as in the kernel

void push_reversed(std::string_view path, std::vector<std::string>& todo) {
  const std::vector<std::string_view> names = path::components(path);
  for (auto name = names.rbegin(); name != names.rend(); ++name) todo.emplace_back(*name);
}

}  // namespace

Outcome<void> PathWalk::begin(std::string_view path) {
  if (path.empty()) return Refusal(ENOENT);
  if (asked(abi::resolve_in_root) || asked(abi::resolve_beneath)) setting_.root = setting_.start;
  at_ = setting_.start;
  if (path.starts_with('/')) {
    if (asked(abi::resolve_beneath)) return Refusal(EXDEV);
    at_ = setting_.root;
  }
  only_directory_ = path.size() > 1 && path.ends_with('/');
  push_reversed(path, todo_);
  return {};
}

Outcome<Place> PathWalk::walk(std::string_view path) {
  if (auto begun = begin(path); !begun) return Refusal(begun.error());
  while (!todo_.empty()) {
    const std::string name = std::move(todo_.back());
    todo_.pop_back();
    if (auto done = step(name, todo_.empty()); !done) return Refusal(done.error());
  }
  if (only_directory_ && !at_.inode->fits_directory()) return Refusal(ENOTDIR);
  return at_;
}

Outcome<Place> PathWalk::walk_to_parent(std::string_view path, std::string& name) {
  if (auto begun = begin(path); !begun) return Refusal(begun.error());
  while (todo_.size() > 1) {
    const std::string next = std::move(todo_.back());
    todo_.pop_back();
    if (auto done = step(next, false); !done) return Refusal(done.error());
  }
  if (!at_.inode->fits_directory()) return Refusal(ENOTDIR);
  name = todo_.empty() ? "" : todo_.back();
  return at_;
}

Outcome<void> PathWalk::step(const std::string& name, bool last) {
  if (!at_.inode->fits_directory()) return Refusal(ENOTDIR);
  if (name == ".") return {};
  if (name == "..") return climb();
  Inode* found = lookup(*at_.inode, name);
  if (found == nullptr) return Refusal(ENOENT);
  const Place place{at_.mount, found};
  const bool ends = last && !setting_.follow && !only_directory_;
  const Place top = topmost(place);
  if (top != place || ends) return arrive(top);
  if (found->kind == InodeKind::symlink) return follow_symlink(*found);
  if (found->kind == InodeKind::magic) return follow_magic(*found);
  return arrive(place);
}

/// "..", which never leaves the root.
Outcome<void> PathWalk::climb() {
  Place above = at_;
  for (;;) {
    if (above == setting_.root) {
      if (asked(abi::resolve_beneath)) return Refusal(EXDEV);
      return arrive(topmost(at_));
    }
    if (above.inode != above.mount->root) {
      if (above.inode->parent != nullptr) above.inode = above.inode->parent;
      return arrive(topmost(above));
    }
    if (above.mount->parent == nullptr) return arrive(topmost(at_));
    above = {above.mount->parent, above.mount->mountpoint};
  }
}

Outcome<void> PathWalk::arrive(const Place& place) {
  if (place.mount != at_.mount && asked(abi::resolve_no_xdev)) return Refusal(EXDEV);
  at_ = place;
  return {};
}

Outcome<void> PathWalk::follow_symlink(const Inode& link) {
  if (asked(abi::resolve_no_symlinks) || ++links_ > most_links) return Refusal(ELOOP);
  if (link.target.starts_with('/')) {
    if (asked(abi::resolve_beneath)) return Refusal(EXDEV);
    if (auto moved = arrive(setting_.root); !moved) return moved;
  }
  push_reversed(link.target, todo_);
  return {};
}

Outcome<void> PathWalk::follow_magic(const Inode& link) {
  if (asked(abi::resolve_no_symlinks) || asked(abi::resolve_no_magiclinks)) return Refusal(ELOOP);
  if (asked(abi::resolve_in_root) || asked(abi::resolve_beneath)) return Refusal(EXDEV);
  const Outcome<Place> target = magic_(link);
  if (!target) return Refusal(target.error());
  return arrive(*target);
}

}  // namespace mntcr::model
