#include "runtime/apply/overlay_maker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "runtime/apply/nodes.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"
#include "runtime/kernel/features.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

constexpr std::uint32_t scratch_mode = 0755;

/// What is to be cloned so that the layer can be reached: its own directory, or that which holds
/// the upper and the work layer.
std::string part_of(const DesiredSuperblock& overlay, const DesiredLayer& layer) {
  if (layer.role == LayerRole::lower) return layer.root;
  const auto root = [&](LayerRole role) -> const std::string& {
    return std::ranges::find(overlay.layers, role, &DesiredLayer::role)->root;
  };
  return path::common_parent(root(LayerRole::upper), root(LayerRole::work));
}

}  // namespace

std::optional<std::string> needs_single_layers(const DesiredSuperblock& overlay) {
  std::vector<std::string_view> lower;
  for (const DesiredLayer& layer : overlay.layers) {
    if (layer.role == LayerRole::lower) lower.push_back(layer.shown);
    for (const DesiredLayer& other : overlay.layers) {
      if (&layer != &other && path::is_at_or_below(other.shown, layer.shown)) {
        return fmt::format("the path of the layer {} lies in that of {}",
                           path::printable(other.shown), path::printable(layer.shown));
      }
    }
    if (layer.shown == "/") return "a layer has the path /";
  }
  if (lower_list(lower).size() > longest_layer_word)
    return fmt::format("the paths of the lower layers have more than {} bytes", longest_layer_word);
  return std::nullopt;
}

void OverlayMaker::close() {
  making_.clear();
  own_root_.reset();
}

std::expected<Fd, StepFailure> OverlayMaker::open(const Op& op) {
  const DesiredSuperblock& wanted = plan_.superblocks[op.b];
  const auto configure = [&](const Fd& context) -> Result<void> {
    Result<void> done;
    if (!wanted.fsname.empty())
      done = kernel_.fsconfig_string(context.get(), "source", wanted.fsname);
    for (const std::string& param : wanted.params) {
      if (!done) return done;
      const ParamWord word = split_param(param);
      const std::string key(word.key);
      done = word.has_value ? kernel_.fsconfig_string(context.get(), key, std::string(word.value))
                            : kernel_.fsconfig_flag(context.get(), key);
    }
    return done;
  };
  Result<Fd> context = kernel_.fsopen(wanted.type);
  if (!context) return StepError(refused(plan_, op, context.error()));
  if (const Result<void> done = configure(*context); !done)
    return StepError(refused(plan_, op, done.error()));
  making_[op.dst].superblock = op.b;
  if (!one_by_one_) one_by_one_ = has_overlay_layers(kernel_);
  return std::move(*context);
}

std::expected<Fd, StepFailure> OverlayMaker::create(const Op& op, Fd& context) {
  const auto make = [&]() -> Result<Fd> {
    const Result<void> done = one_by_one_.value_or(true) ? kernel_.fsconfig_create(context.get())
                                                         : create_at_once(context, making_[op.a]);
    if (!done) return Failure(done.error());
    return kernel_.fsmount(context.get(), 0);
  };
  Result<Fd> made = make();
  making_.erase(op.a);
  context.reset();
  if (!made) return StepError(refused(plan_, op, made.error()));
  return std::move(*made);
}

Step OverlayMaker::add_layer(const Op& op, const Fd& staging, const Fd& anchor, const Fd& context) {
  Making& making = making_[op.b];
  const DesiredLayer& layer = superblock(making).layers[making.next++];
  const std::string part = part_of(superblock(making), layer);
  const auto add = [&]() -> Result<void> {
    if (const Result<void> ready = open_scratch(op, staging, making); !ready) return ready;
    const bool lower = layer.role == LayerRole::lower;
    Fd own;
    std::string name = making.writable_name;
    if (lower || !making.writable) {
      name = free_name(making);
      Result<Fd> mounted = mount_part(making, anchor, part, name);
      if (!mounted) return Failure(mounted.error());
      (lower ? own : making.writable) = std::move(*mounted);
      if (!lower) making.writable_name = name;
    }
    const Fd& mount = lower ? own : making.writable;
    const std::string below = path::relative_to(layer.root, part);
    const Result<Fd> place =
        kernel_.openat2(mount.get(), below.empty() ? "." : below,
                        {.flags = O_PATH | O_DIRECTORY, .resolve = literal_walk});
    if (!place) return Failure(place.error());
    return give(context, making, layer, *place, "/" + path::join(name, below));
  };
  if (const Result<void> done = add(); !done) {
    return StepError(failure(op, layer, done.error()));
  }
  return {};
}

Result<void> OverlayMaker::open_scratch(const Op& op, const Fd& staging, Making& making) {
  if (making.scratch) return {};
  const std::string name = fmt::format("overlay-{}", op.b);
  if (Result<void> done = kernel_.mkdirat(staging.get(), name, scratch_mode); !done) return done;
  Result<Fd> opened = kernel_.openat2(staging.get(), name,
                                      {.flags = O_PATH | O_DIRECTORY, .resolve = literal_walk});
  if (!opened) return Failure(opened.error());
  making.scratch = std::move(*opened);
  if (own_root_) return {};
  Result<Fd> root = kernel_.openat2(Kernel::at_fdcwd, "/", {.flags = O_PATH | O_DIRECTORY});
  if (!root) return Failure(root.error());
  own_root_ = std::move(*root);
  return {};
}

/// A name in the scratch tree that no layer's path begins with.
std::string OverlayMaker::free_name(const Making& making) const {
  std::string name = std::to_string(making.next);
  const auto begins = [&](const DesiredLayer& layer) {
    const auto names = path::components(layer.shown);
    return !names.empty() && names.front() == name;
  };
  while (std::ranges::any_of(superblock(making).layers, begins)) name += '_';
  return name;
}

/// A clone of the directory `root` of the anchor, mounted in the scratch tree.
Result<Fd> OverlayMaker::mount_part(Making& making, const Fd& anchor, const std::string& root,
                                    const std::string& name) {
  const Result<Fd> found =
      kernel_.openat2(anchor.get(), root.empty() ? "." : root,
                      {.flags = O_PATH | O_DIRECTORY, .resolve = literal_walk});
  if (!found) return Failure(found.error());
  Result<Fd> cloned = kernel_.open_tree(found->get(), "", abi::open_tree_clone);
  if (!cloned) return cloned;
  Result<void> done = kernel_.mkdirat(making.scratch.get(), name, scratch_mode);
  if (done) done = kernel_.move_mount(cloned->get(), "", making.scratch.get(), name, 0);
  if (!done) return Failure(done.error());
  return cloned;
}

/// Gives the context a layer by its path, which is made to lead to `link_target` of the scratch
/// tree, for so long or, where layers are not taken one by one, until the end. The path "/" is the
/// layer as the thread's root.
Result<void> OverlayMaker::give(const Fd& context, const Making& making, const DesiredLayer& layer,
                                const Fd& place, const std::string& link_target) {
  if (layer.shown == "/") return give_in(context, place, layer);
  std::vector<std::string> chain;
  Result<void> done = make_link(making, layer, link_target, chain);
  if (!done || !one_by_one_.value_or(true)) return done;
  Result<void> given = give_in(context, making.scratch, layer);
  const int scratch = making.scratch.get();
  done = kernel_.unlinkat(scratch, path::relative_to(layer.shown, "/"), 0);
  for (auto made = chain.rbegin(); done && made != chain.rend(); ++made)
    done = kernel_.unlinkat(scratch, *made, AT_REMOVEDIR);
  return given ? done : given;
}

/// The symlink at the layer's path, at the end of `chain`. Where paths stay, two may share a part.
Result<void> OverlayMaker::make_link(const Making& making, const DesiredLayer& layer,
                                     const std::string& link_target,
                                     std::vector<std::string>& chain) {
  const std::string spelled = path::relative_to(layer.shown, "/");
  for (const std::string_view name : path::components(path::parent(spelled))) {
    chain.push_back(path::join(chain.empty() ? "" : chain.back(), name));
    Result<void> done = kernel_.mkdirat(making.scratch.get(), chain.back(), scratch_mode);
    if (!done && done.error().number != EEXIST) return done;
  }
  return kernel_.symlinkat(link_target, making.scratch.get(), spelled);
}

Result<void> OverlayMaker::give_all(const Fd& context, const DesiredSuperblock& overlay) {
  std::vector<std::string_view> lower;
  for (const DesiredLayer& layer : overlay.layers) {
    if (layer.role == LayerRole::lower) lower.push_back(layer.shown);
  }
  Result<void> done = kernel_.fsconfig_string(context.get(), "lowerdir", lower_list(lower));
  for (const DesiredLayer& layer : overlay.layers) {
    if (!done || layer.role == LayerRole::lower) continue;
    done = kernel_.fsconfig_string(context.get(), std::string(layer_parameter(layer.role)),
                                   layer_word(layer.role, layer.shown));
  }
  return done;
}

/// All layers and the overlay itself, with the scratch tree as the thread's root.
Result<void> OverlayMaker::create_at_once(const Fd& context, const Making& making) {
  Result<void> done = kernel_.fchdir(making.scratch.get());
  if (done) done = kernel_.chroot(".");
  if (done) done = give_all(context, superblock(making));
  if (done) done = kernel_.fsconfig_create(context.get());
  Result<void> back = kernel_.fchdir(own_root_.get());
  if (back) back = kernel_.chroot(".");
  return done ? back : done;
}

/// With `root` as the thread's root, which is put back whatever happens.
Result<void> OverlayMaker::give_in(const Fd& context, const Fd& root, const DesiredLayer& layer) {
  Result<void> done = kernel_.fchdir(root.get());
  if (done) done = kernel_.chroot(".");
  if (done) {
    done = kernel_.fsconfig_string(context.get(), std::string(layer_parameter(layer.role)),
                                   layer_word(layer.role, layer.shown));
  }
  Result<void> back = kernel_.fchdir(own_root_.get());
  if (back) back = kernel_.chroot(".");
  return done ? back : done;
}

StepFailure OverlayMaker::failure(const Op& op, const DesiredLayer& layer,
                                  const Error& error) const {
  StepFailure failure = refused(plan_, op, error);
  const DesiredSuperblock& holder = plan_.superblocks[layer.superblock];
  std::string where = path::printable(layer.shown);
  if (holder.kind == DesiredSuperblock::Kind::parent) {
    where += fmt::format(" (parent:{})", path::printable(path::join(holder.path, layer.root)));
  }
  const auto because = [&](std::string why, std::string help) {
    failure = {Code::E0615,
               fmt::format("the {} layer {} {}", layer_key(layer.role), where, why),
               {},
               {std::move(help)}};
  };
  switch (error.number) {
    case ENOENT:
      because("does not exist",
              "make it first: mntcr makes layers only on filesystems of the spec");
      break;
    case ENOTDIR:
      because("is no directory", "layers are directories");
      break;
    case ELOOP:
      because("is reached through a symlink", "write the path that the symlink leads to");
      break;
    case EXDEV:
      because("is on another filesystem than it seems",
              "something is mounted on the way; take both directories from that mount");
      break;
    default:
      failure.notes.insert(failure.notes.begin(),
                           fmt::format("the {} layer {}", layer_key(layer.role), where));
      break;
  }
  return failure;
}

}  // namespace mntcr
