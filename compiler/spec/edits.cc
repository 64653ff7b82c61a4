// See edits.h. First all entries are read and find their mounts; then the mounts are edited, then
// new ones put between them, then what is removed goes and what moves comes to the end.
#include "compiler/spec/edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "compiler/spec/change.h"
#include "compiler/spec/namespaces.h"
#include "compiler/spec/source.h"
#include "runtime/base/path.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

/// Applies what one file says.
class FileEdits {
 public:
  FileEdits(Context& context, const SpecFile& file, MergedMounts& merged)
      : context_(context),
        file_(file),
        merged_(merged),
        mounts_(merged.mounts),
        view_(merged.mounts, file.bases, context.params) {}

  void run() {
    for_each("change", "[[change]]", [&](const Node& node) { read_change(node); });
    for_each("remove", "[[remove]]", [&](const Node& node) { read_removal(node); });
    read_filesystems();
    read_own_mounts();
    check_overlap();
    std::vector<std::uint32_t> changed;
    for (const Edit& edit : changes_) {
      MergedMount& mount = mounts_[edit.mount];
      apply_change(context_, edit.change, mount.node);
      note_change(edit.change, mount, merged_.next_id);
      changed.push_back(mount.id);
    }
    move();
    remove_namespaces();
    settle();
    for (std::size_t at = 0; at < changed.size(); ++at)
      check_change_of_copy(context_, merged_, changed[at], changes_[at].change);
  }

 private:
  /// A [[change]], or with an empty change a [[remove]].
  struct Edit {
    std::size_t mount;
    Span span;
    Change change;
  };
  /// A mount of this file, and the mount that it is put directly beneath.
  struct OwnMount {
    MergedMount mount;
    std::optional<std::size_t> beneath;
  };

  template <class Read>
  void for_each(std::string_view key, std::string_view title, Read read) {
    const Entry* entry = file_.tree.find(key);
    if (entry == nullptr) return;
    if (entry->value.kind != Node::Kind::array) {
      wrong_kind(context_, entry->value, fmt::format("`{}`", key), "an array")
          .help(fmt::format("write {}, with two brackets", title));
      return;
    }
    for (const Node& item : entry->value.items) {
      if (item.kind == Node::Kind::table) {
        read(item);
      } else {
        wrong_kind(context_, item, fmt::format("an entry of `{}`", key), "a table");
      }
    }
  }

  void read_change(const Node& node) {
    TableReader table(context_, Room::mount, node, "[[change]]");
    // Beside a target, `name` is what the mount shall be called.
    const auto selector = read_selector(context_, table, "target", node.find("target") == nullptr);
    Change change = decode_change(context_, table, node);
    table.finish();
    const auto mount = find(selector);
    if (!mount) return;
    if (is_root(*mount) && change.to) {
      root_stays(change.to->span, "the root cannot be moved");
      return;
    }
    changes_.push_back({*mount, node.span, std::move(change)});
  }

  void read_removal(const Node& node) {
    TableReader table(context_, Room::mount, node, "[[remove]]");
    const auto selector = read_selector(context_, table, "target", true);
    table.finish();
    const auto mount = find(selector);
    if (mount == std::size_t{0}) {
      root_stays(selector->span, "the root cannot be removed");
    } else if (mount) {
      removals_.push_back({*mount, node.span, {}});
    }
  }

  /// The mount that is meant, or nothing after a complaint.
  std::optional<std::size_t> find(const std::optional<Selector>& selector) {
    if (!selector) return std::nullopt;
    if (selector->ns && !check_namespace(context_, merged_, file_, *selector->ns))
      return std::nullopt;
    return view_.find(context_, *selector);
  }

  [[nodiscard]] bool is_root(std::size_t mount) const { return mounts_[mount].root; }

  void root_stays(Span span, std::string_view message) {
    context_.diagnostics.add(Code::E0232, span, std::string(message))
        .note("everything else lies on it")
        .help(R"(give it another source: [[change]] with target = "/" and source = "…")");
  }

  void read_filesystems() {
    const Entry* tables = file_.tree.find("filesystem");
    if (tables == nullptr) return;
    for (const Entry& entry : tables->value.entries) {
      if (entry.value.kind != Node::Kind::table || entry.value.find("of") == nullptr) continue;
      TableReader table(context_, Room::filesystem, entry.value,
                        fmt::format("[filesystem.{}]", entry.key));
      const auto selector = read_selector(context_, table, "of", false);
      const auto mount = find(selector);
      if (!mount) continue;
      merged_.shown[entry.key] = {mounts_[*mount].id, mounts_[*mount].content, selector->span};
      filesystems_.push_back({*mount, selector->span, {}});
    }
  }

  void read_own_mounts() {
    const Entry* entry = file_.tree.find("mount");
    if (entry == nullptr || entry->value.kind != Node::Kind::array) return;
    for (const Node& item : entry->value.items) {
      OwnMount own{{item, {file_.file}, merged_.next_id++}, std::nullopt};
      own.mount.ns = namespace_said(item, context_.params);
      own.mount.content = own.mount.id;
      if (item.kind == Node::Kind::table) find_beneath(own);
      own_.push_back(std::move(own));
    }
  }

  /// A mount that says `on` lies directly there, so beneath those of the base that say the same.
  void find_beneath(OwnMount& own) {
    const Node& node = own.mount.node;
    const Entry* on = node.find("on");
    const Entry* target = node.find("target");
    if (on != nullptr && target != nullptr) {
      own.beneath = view_.find_on(own.mount.ns, context_.params.peek(target->value),
                                  context_.params.peek(on->value));
    }
    if (node.find("layer") != nullptr) read_layer(own);
  }

  /// `layer` of a new mount: beneath the mount of the base that has this layer.
  void read_layer(OwnMount& own) {
    Node& node = own.mount.node;
    TableReader table(context_, Room::mount, node, "[[mount]]");
    if (node.find("on") != nullptr) {
      table.refuse("layer", "`on` says already what the mount lies on", "keep one of them");
    } else if (const auto selector = read_selector(context_, table, "target", false)) {
      own.beneath = find(selector);
    }
    drop_entry(node, "layer");
    if (!own.beneath) return;
    const MergedMount& above = mounts_[*own.beneath];
    if (above.root) {
      root_stays(node.find("target")->value.span, "nothing lies beneath the root");
      own.beneath.reset();
    } else if (const Entry* on = above.node.find("on")) {
      node.entries.push_back(*on);
    } else {
      own.mount.on = above.on;
    }
  }

  /// Complains about two entries for one mount, and about one for a mount that goes.
  void check_overlap() {
    check_once(changes_);
    check_once(removals_);
    for (const Edit& removal : removals_) removed_by_.emplace(removal.mount, removal.span);
    for (const Edit& edit : changes_) check_stays(edit);
    for (const Edit& edit : filesystems_) {
      if (check_stays(edit)) continue;
      std::erase_if(merged_.shown,
                    [&](const auto& shown) { return shown.second.span == edit.span; });
    }
  }

  void check_once(const std::vector<Edit>& edits) {
    std::map<std::size_t, Span> first;
    for (const Edit& edit : edits) {
      const auto [entry, fresh] = first.emplace(edit.mount, edit.span);
      if (fresh) continue;
      context_.diagnostics
          .add(Code::E0231, edit.span, fmt::format("a second entry for {}", name(edit.mount)))
          .label(entry->second, "the first is here")
          .note("entries of one file find their mounts before any of them has an effect")
          .help("say all about a mount in one entry");
    }
  }

  bool check_stays(const Edit& edit) {
    for (std::optional<std::size_t> at = edit.mount; at; at = view_.parent(*at)) {
      const auto removal = removed_by_.find(*at);
      if (removal == removed_by_.end()) continue;
      context_.diagnostics
          .add(Code::E0231, edit.span, fmt::format("{} is removed", name(edit.mount)))
          .label(removal->second, fmt::format("this removes {} and all that lies on it", name(*at)))
          .help("take one of them away");
      return false;
    }
    return true;
  }

  [[nodiscard]] std::string name(std::size_t mount) const {
    if (mount == 0) return "[root]";
    const std::string target = path::printable(view_.target(mount));
    const std::string& ns = mounts_[mount].ns;
    return ns == main_namespace ? target : fmt::format("{} in `{}`", target, ns);
  }

  /// Gives what moves its new target: a mount, and with it what lies on it.
  void move() {
    std::map<std::size_t, const Edit*> movers;
    for (const Edit& edit : changes_) {
      if (edit.change.to) movers.emplace(edit.mount, &edit);
    }
    if (movers.empty()) return;
    for (std::size_t mount = 1; mount < mounts_.size(); ++mount) {
      for (std::optional<std::size_t> at = mount; at; at = view_.parent(*at)) {
        const auto mover = movers.find(*at);
        if (mover == movers.end()) continue;
        const Text& to = *mover->second->change.to;
        const std::string rest = path::relative_to(view_.target(mount), view_.target(*at));
        set_target(mounts_[mount].node, path::join(to.value, rest), to.span);
        moved_.insert(mount);
        break;
      }
    }
    for (const std::size_t mount : moved_) leave(mount, movers.contains(mount));
  }

  /// What moves away from the mount that it named does not lie on it any more.
  void leave(std::size_t mount, bool moves_itself) {
    const auto change = std::find_if(changes_.begin(), changes_.end(),
                                     [&](const Edit& edit) { return edit.mount == mount; });
    const bool says_on = change != changes_.end() && change->change.sets("on");
    if (says_on) return;
    const auto named = view_.named(mount);
    const bool named_moves = !named || moved_.contains(*named);
    if (!moves_itself && named_moves) return;
    drop_entry(mounts_[mount].node, "on");
    mounts_[mount].on.reset();
  }

  /// A namespace goes with its root.
  void remove_namespaces() {
    for (const Edit& removal : removals_) {
      const MergedMount& mount = mounts_[removal.mount];
      if (!mount.root) continue;
      const auto gone = std::ranges::find(merged_.namespaces, mount.ns, &MergedNamespace::name);
      if (gone == merged_.namespaces.end()) continue;  // removed twice
      merged_.removed.push_back(*gone);
      merged_.namespaces.erase(gone);
    }
  }

  /// Writes the list anew.
  void settle() {
    std::vector<MergedMount> stay;
    std::vector<MergedMount> moved;
    std::vector<MergedMount> top;
    std::map<std::size_t, std::vector<MergedMount>> beneath;
    for (OwnMount& own : own_)
      (own.beneath ? beneath[*own.beneath] : top).push_back(std::move(own.mount));
    const std::set<std::size_t> gone = removed();
    for (std::size_t mount = 0; mount < mounts_.size(); ++mount) {
      append(stay, std::move(beneath[mount]));
      if (gone.contains(mount)) continue;
      (moved_.contains(mount) ? moved : stay).push_back(std::move(mounts_[mount]));
    }
    append(stay, std::move(moved));
    append(stay, std::move(top));
    mounts_ = std::move(stay);
  }

  static void append(std::vector<MergedMount>& to, std::vector<MergedMount>&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }

  [[nodiscard]] std::set<std::size_t> removed() const {
    std::set<std::size_t> gone;
    for (const auto& [mount, span] : removed_by_) gone.insert(mount);
    if (gone.empty()) return gone;
    for (const std::size_t mount : view_.tree_order()) {
      const auto parent = view_.parent(mount);
      if (parent && gone.contains(*parent)) gone.insert(mount);
    }
    return gone;
  }

  Context& context_;
  const SpecFile& file_;
  MergedMounts& merged_;
  std::vector<MergedMount>& mounts_;
  BaseView view_;
  std::vector<Edit> changes_;
  std::vector<Edit> removals_;
  std::vector<Edit> filesystems_;
  std::map<std::size_t, Span> removed_by_;  ///< what [[remove]] entries mean, and where they stand
  std::vector<OwnMount> own_;
  std::set<std::size_t> moved_;
};

}  // namespace

void apply_file(Context& context, const SpecFile& file, MergedMounts& merged) {
  FileEdits(context, file, merged).run();
  add_namespaces(context, file, merged);
}

}  // namespace mntcr::spec
