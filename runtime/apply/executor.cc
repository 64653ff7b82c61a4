#include "runtime/apply/executor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "runtime/apply/idmapping.h"
#include "runtime/apply/nodes.h"
#include "runtime/base/filesystem_flags.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

constexpr std::uint32_t made_directory_mode = 0755;
constexpr std::uint32_t made_file_mode = 0644;

/// What an anchor is called on the staging tmpfs.
std::string anchor_name(Slot slot) { return std::to_string(slot); }

}  // namespace

Executor::Executor(Kernel& kernel, const Plan& plan, const ExecutorSetting& setting,
                   HostMountpoints& host_mountpoints)
    : kernel_(kernel),
      plan_(plan),
      setting_(setting),
      slots_(plan.slots),
      slot_mounts_(plan.slots, no_index),
      host_mountpoints_(host_mountpoints),
      overlays_(kernel, plan),
      namespaces_(kernel, plan, setting),
      groups_(kernel, plan, setting) {}

std::vector<Fd> Executor::run(Diagnostics& diagnostics) {
  auto user_namespaces = make_user_namespaces(kernel_, plan_, setting_.proc, diagnostics);
  if (!user_namespaces) return {};
  user_namespaces_ = std::move(*user_namespaces);
  for (const Op& op : plan_.ops) {
    // All sources are tried before anything is given up, so that every missing one is told.
    if (op.kind != OpKind::open_source && diagnostics.has_errors()) break;
    Step done = execute(op);
    if (done) continue;
    const bool missing = done.error().code == Code::E0601;
    report(op, std::move(done.error()), diagnostics);
    if (!missing) break;
  }
  slots_.clear();
  overlays_.close();
  user_namespaces_.clear();
  std::vector<Fd> made = namespaces_.take();
  if (diagnostics.has_errors()) return {};
  return made;
}

Step Executor::execute(const Op& op) {
  switch (op.kind) {
    case OpKind::unshare:
    case OpKind::make_private:
    case OpKind::stage:
    case OpKind::new_namespace:
    case OpKind::enter_namespace:
      return enter(op);
    case OpKind::open_group:
    case OpKind::set_propagation:
    case OpKind::set_group:
      return share(op);
    case OpKind::open_source:
      return open_source(op);
    case OpKind::new_filesystem:
      return new_filesystem(op);
    case OpKind::open_overlay:
    case OpKind::add_layer:
    case OpKind::new_overlay:
      return make_overlay(op);
    case OpKind::anchor:
      return anchor(op);
    case OpKind::make_node:
    case OpKind::remove_node:
      return change_node(op);
    case OpKind::make_layer:
    case OpKind::make_directory:
      return make_directory(op);
    case OpKind::clone:
      return clone(op);
    case OpKind::reopen:
      return reopen(op);
    case OpKind::set_attributes:
      return set_attributes(op);
    case OpKind::make_mountpoint:
      return make_mountpoint(op);
    case OpKind::attach_root:
      return attach_root(op);
    case OpKind::attach:
      return attach(op);
    case OpKind::make_read_only:
      return make_read_only(op);
    case OpKind::close:
      slots_[op.a].reset();
      return {};
    case OpKind::pivot:
      return pivot(op);
    case OpKind::drop_staging:
    case OpKind::drop_parent:
      return drop(op);
  }
  return {};
}

Step Executor::enter(const Op& op) {
  switch (op.kind) {
    case OpKind::unshare:
      return namespaces_.unshare(op);
    case OpKind::make_private:
      return namespaces_.make_private(op);
    case OpKind::stage:
      return namespaces_.stage(op);
    case OpKind::new_namespace:
      return namespaces_.make(op);
    default:
      return namespaces_.enter(op);
  }
}

Step Executor::share(const Op& op) {
  if (op.kind == OpKind::set_propagation) return groups_.set_propagation(op, slots_[op.a]);
  if (op.kind == OpKind::set_group) return groups_.set_group(op, slots_[op.a], slots_[op.b]);
  std::expected<Fd, StepFailure> group = groups_.open_group(op, namespaces_.original_root());
  if (!group) return StepError(std::move(group.error()));
  slots_[op.dst] = std::move(*group);
  return {};
}

/// Looked up as any path of the parent is: symlinks are followed, but never out of its root.
Step Executor::open_source(const Op& op) {
  const DesiredSuperblock& source = plan_.superblocks[op.b];
  const std::uint64_t nofollow = source.follow ? 0U : O_NOFOLLOW;
  const Result<Fd> found =
      kernel_.openat2(namespaces_.parent_root().get(), source.path,
                      {.flags = O_PATH | nofollow, .resolve = abi::resolve_in_root});
  if (!found) {
    StepFailure failure = refused(plan_, op, found.error());
    if (found.error().number == ENOENT || found.error().number == ENOTDIR) {
      failure = {Code::E0601,
                 fmt::format("the bind source {} does not exist in the parent",
                             path::printable(source.path)),
                 {},
                 {"make it first, or correct the path: mntcr never creates a source"}};
    }
    return StepError(std::move(failure));
  }
  Result<Fd> cloned = kernel_.open_tree(found->get(), "", abi::open_tree_clone);
  if (!cloned) return StepError(refused(plan_, op, cloned.error()));
  slots_[op.dst] = std::move(*cloned);
  return {};
}

Step Executor::new_filesystem(const Op& op) {
  const DesiredSuperblock& wanted = plan_.superblocks[op.b];
  const auto make = [&]() -> Result<Fd> {
    Result<Fd> context = kernel_.fsopen(wanted.type);
    if (!context) return context;
    Result<void> done;
    if (!wanted.fsname.empty()) {
      done = kernel_.fsconfig_string(context->get(), "source", wanted.fsname);
    }
    for (const std::string& param : wanted.params) {
      if (!done) return Failure(done.error());
      const ParamWord word = split_param(param);
      const std::string key(word.key);
      done = word.has_value ? kernel_.fsconfig_string(context->get(), key, std::string(word.value))
                            : kernel_.fsconfig_flag(context->get(), key);
    }
    if (done) done = set_filesystem_flags(*context, op.b);
    if (done) done = kernel_.fsconfig_create(context->get());
    if (!done) return Failure(done.error());
    return kernel_.fsmount(context->get(), 0);
  };
  Result<Fd> made = make();
  if (!made) return StepError(refused(plan_, op, made.error()));
  slots_[op.dst] = std::move(*made);
  return {};
}

Step Executor::make_overlay(const Op& op) {
  if (op.kind == OpKind::add_layer)
    return overlays_.add_layer(op, namespaces_.staging(), slots_[op.a], slots_[op.b]);
  std::expected<Fd, StepFailure> made =
      op.kind == OpKind::open_overlay ? overlays_.open(op) : overlays_.create(op, slots_[op.a]);
  if (!made) return StepError(std::move(made.error()));
  if (op.kind == OpKind::open_overlay) {
    const Result<void> done = set_filesystem_flags(*made, op.b);
    if (!done) return StepError(refused(plan_, op, done.error()));
  }
  slots_[op.dst] = std::move(*made);
  return {};
}

/// A new filesystem has none of the flags, so those that it shall not have need no word.
Result<void> Executor::set_filesystem_flags(const Fd& context, std::uint32_t superblock) {
  std::uint64_t flags = plan_.superblocks[superblock].flags.value;
  const auto later = [&](const Op& op) {
    return op.kind == OpKind::make_read_only && op.b == superblock;
  };
  if ((flags & fs_flag::rdonly) != 0 && std::ranges::any_of(plan_.ops, later))
    flags &= ~fs_flag::rdonly;
  for (const std::string_view word : filesystem_flag_words(flags, flags)) {
    Result<void> done = kernel_.fsconfig_flag(context.get(), std::string(split_param(word).key));
    if (!done) return done;
  }
  return {};
}

/// By reconfiguring the filesystem that was made writable. Only this flag is named, and the
/// filesystems on which places can be made keep all that is not (devpts on older kernels would
/// forget its parameters, but nothing can be made on it).
Step Executor::make_read_only(const Op& op) {
  const Result<Fd> context = kernel_.fspick(slots_[op.a].get());
  if (!context) return StepError(refused(plan_, op, context.error()));
  Result<void> done = kernel_.fsconfig_flag(context->get(), "ro");
  if (done) done = kernel_.fsconfig_reconfigure(context->get());
  if (!done) return StepError(refused(plan_, op, done.error()));
  return {};
}

Step Executor::anchor(const Op& op) { return attach_to_staging(op, anchor_name(op.a)); }

/// The namespaces' staging tmpfs is one filesystem.
Step Executor::attach_root(const Op& op) {
  slot_mounts_[op.a] = op.mount;
  return attach_to_staging(op, fmt::format("root-{}", namespaces_.current()));
}

/// The place is made of the kind of what shall stand there: a bind source may be a file.
Step Executor::attach_to_staging(const Op& op, const std::string& name) {
  const auto place = [&]() -> Result<Fd> {
    const Result<bool> directory = is_directory(slots_[op.a]);
    if (!directory) return Failure(directory.error());
    return make_component(namespaces_.staging(), name, *directory, false);
  };
  const Result<Fd> made = place();
  if (!made) return StepError(refused(plan_, op, made.error()));
  if (Result<void> done = kernel_.move_mount(slots_[op.a].get(), "", made->get(), "", 0); !done) {
    return StepError(refused(plan_, op, done.error()));
  }
  return {};
}

Step Executor::change_node(const Op& op) {
  const DesiredNode& node = plan_.nodes[op.b];
  const Result<void> done = op.kind == OpKind::make_node ? make_node(kernel_, slots_[op.a], node)
                                                         : remove_node(kernel_, slots_[op.a], node);
  if (!done) return StepError(refused(plan_, op, done.error()));
  return {};
}

Step Executor::make_directory(const Op& op) { return make_path(op, true, false); }

Step Executor::make_mountpoint(const Op& op) {
  const Result<bool> directory = is_directory(slots_[op.b]);
  if (!directory) return StepError(refused(plan_, op, directory.error()));
  const bool wrong_kind =
      (op.create == Create::dir && !*directory) || (op.create == Create::file && *directory);
  if (wrong_kind) {
    return StepError(
        {Code::E0608,
         fmt::format("{}: its source is a {}", doing(plan_, op), *directory ? "directory" : "file"),
         {},
         {fmt::format("write create = \"{}\"", *directory ? "dir" : "file")}});
  }
  return make_path(op, *directory, op.host);
}

/// Walks op.text below slot a, one component at a time and never through a symlink; what is missing
/// is made. What exists stays as it is.
Step Executor::make_path(const Op& op, bool directory, bool on_host) {
  if (open_below(slots_[op.a], op.text)) return {};
  const std::vector<std::string_view> names = path::components(op.text);
  Fd reached;
  for (std::size_t index = 0; index < names.size(); ++index) {
    const Fd& from = reached ? reached : slots_[op.a];
    const std::string name(names[index]);
    Result<Fd> next = open_below(from, name);
    if (!next && next.error().number == ENOENT) {
      const bool last = index + 1 == names.size();
      next = make_component(from, name, directory || !last, on_host);
    }
    if (!next) return StepError(walk_failure(op, slots_[op.a], no_index, next.error()));
    reached = std::move(*next);
  }
  return {};
}

Result<Fd> Executor::make_component(const Fd& below, const std::string& name, bool directory,
                                    bool on_host) {
  if (directory) {
    const Result<void> made = kernel_.mkdirat(below.get(), name, made_directory_mode);
    if (!made) return Failure(made.error());
  } else {
    const Result<Fd> made = kernel_.openat2(
        below.get(), name,
        {.flags = O_WRONLY | O_CREAT | O_EXCL, .mode = made_file_mode, .resolve = literal_walk});
    if (!made) return Failure(made.error());
  }
  if (on_host) {
    Result<Fd> parent = kernel_.openat2(below.get(), ".", {.flags = O_PATH | O_DIRECTORY});
    if (!parent) {
      static_cast<void>(kernel_.unlinkat(below.get(), name, directory ? AT_REMOVEDIR : 0));
      return parent;
    }
    host_mountpoints_.made(std::move(*parent), name, directory);
  }
  return open_below(below, name);
}

Step Executor::clone(const Op& op) {
  const Fd& anchor = slots_[op.a];
  const bool link = op.b != no_slot && plan_.nodes[op.b].kind == NodeKind::symlink;
  Result<Fd> part = op.text.empty() ? Fd() : open_beneath(kernel_, anchor, op.text, link);
  if (!part) return StepError(walk_failure(op, anchor, no_index, part.error()));
  const int from = op.text.empty() ? anchor.get() : part->get();
  Result<Fd> cloned = kernel_.open_tree(from, "", abi::open_tree_clone);
  if (!cloned) return StepError(refused(plan_, op, cloned.error()));
  slots_[op.dst] = std::move(*cloned);
  return {};
}

Step Executor::reopen(const Op& op) {
  Result<Fd> copy = namespaces_.staged(anchor_name(op.a));
  if (!copy) return StepError(refused(plan_, op, copy.error()));
  slots_[op.dst] = std::move(*copy);
  return {};
}

/// atime is an enumeration: all of its bits are cleared before one is set, else the kernel refuses.
/// An idmap is taken only as long as the mount is attached nowhere.
Step Executor::set_attributes(const Op& op) {
  const std::uint64_t atime = op.attrs.mask & mount_attr::atime_mask;
  MountAttr attr{.attr_set = op.attrs.value, .attr_clr = (op.attrs.mask & ~op.attrs.value) | atime};
  const bool maps = op.b != no_slot;
  if (maps) {
    attr.attr_set |= abi::mount_attr_idmap;
    attr.userns = user_namespaces_[op.b].get();
  }
  if (Result<void> done = kernel_.mount_setattr(slots_[op.a].get(), "", 0, attr); !done) {
    if (maps) return StepError(idmap_refused(kernel_, plan_, op, slots_[op.a], done.error()));
    return StepError(refused(plan_, op, done.error()));
  }
  return {};
}

Step Executor::attach(const Op& op) {
  slot_mounts_[op.a] = op.mount;
  const Fd& parent = slots_[op.b];
  Result<Fd> mountpoint = op.text.empty() ? Fd() : open_below(parent, op.text);
  if (!mountpoint) {
    return StepError(walk_failure(op, parent, slot_mounts_[op.b], mountpoint.error()));
  }
  const Fd& onto = op.text.empty() ? parent : *mountpoint;
  if (Result<void> done = kernel_.move_mount(slots_[op.a].get(), "", onto.get(), "", 0); !done) {
    return StepError(attach_failure(op, onto, done.error()));
  }
  return {};
}

/// The old root, with the staging tmpfs on it, comes to lie on the new one.
Step Executor::pivot(const Op& op) {
  Result<void> done = kernel_.fchdir(slots_[op.a].get());
  if (done) done = kernel_.pivot_root(".", ".");
  if (!done) return StepError(refused(plan_, op, done.error()));
  return {};
}

/// What lies topmost on the new root goes with all that hangs on it.
Step Executor::drop(const Op& op) {
  if (const Result<void> done = kernel_.umount2(".", abi::mnt_detach); !done) {
    return StepError(refused(plan_, op, done.error()));
  }
  return {};
}

Result<Fd> Executor::open_below(const Fd& root, const std::string& path) {
  return open_beneath(kernel_, root, path);
}

Result<bool> Executor::is_directory(const Fd& file) {
  const Result<FileStatus> status = kernel_.statx(file.get(), "", abi::at_statx_dont_sync);
  if (!status) return Failure(status.error());
  return S_ISDIR(status->mode);
}

/// Why the literal walk of op.text below `from` ended early: a missing place or a symlink, and
/// which.
StepFailure Executor::walk_failure(const Op& op, const Fd& from, std::uint32_t from_mount,
                                   const Error& error) {
  if (error.number == ENOENT || error.number == ENOTDIR) {
    StepFailure failure{
        Code::E0602,
        fmt::format("{}: `{}` does not exist there", doing(plan_, op), path::printable(op.text)),
        {},
        {}};
    if (op.kind == OpKind::attach) {
      failure.helps.emplace_back(
          "write create = \"dir\" or create = \"file\", or make it in the image");
    }
    return failure;
  }
  if (error.number != ELOOP) return refused(plan_, op, error);
  std::string walked;
  for (const std::string_view name : path::components(op.text)) {
    walked = path::join(walked, name);
    const Result<std::string> target = kernel_.readlinkat(from.get(), walked);
    if (!target) continue;
    const std::string base =
        from_mount < plan_.mounts.size() ? plan_.mounts[from_mount].target : "/";
    const std::string rest =
        op.text.substr(walked.size() + (walked.size() < op.text.size() ? 1 : 0));
    const std::string at = path::join(base, walked);
    const std::string leads =
        target->starts_with('/') ? *target : path::join(path::parent(at), *target);
    return {Code::E0603,
            fmt::format("{}: `{}` is a symlink to `{}`", doing(plan_, op), path::printable(at),
                        path::printable(*target)),
            {"targets are literal: a symlink in an image could lead anywhere"},
            {fmt::format("write the place meant: `{}`", path::printable(path::join(leads, rest)))}};
  }
  return refused(plan_, op, error);
}

StepFailure Executor::attach_failure(const Op& op, const Fd& mountpoint, const Error& error) {
  const Result<bool> source = is_directory(slots_[op.a]);
  const Result<bool> place = is_directory(mountpoint);
  if (source && place && *source != *place) {
    return {Code::E0608,
            fmt::format("{}: its source is a {}, the mountpoint is a {}", doing(plan_, op),
                        *source ? "directory" : "file", *place ? "directory" : "file"),
            {},
            {"a directory is mounted on a directory, anything else on a file"}};
  }
  return refused(plan_, op, error);
}

void Executor::report(const Op& op, StepFailure failure, Diagnostics& diagnostics) const {
  Diagnostic& item = diagnostics.add(failure.code, op.span, std::move(failure.message));
  for (std::string& note : failure.notes) item.note(std::move(note));
  item.note(step_note(plan_, op));
  for (std::string& help : failure.helps) item.help(std::move(help));
}

}  // namespace mntcr
