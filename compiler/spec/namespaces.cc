// See namespaces.h. While files are merged faulty entries are passed over; decode_namespaces
// complains about them, except for what only the place of a file among others decides.
#include "compiler/spec/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "runtime/base/mount_options.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

std::string peek_string(const Node& table, std::string_view key, const Params& params) {
  const Entry* entry = table.find(key);
  const bool said = entry != nullptr && entry->value.kind == Node::Kind::string;
  return said ? params.peek(entry->value) : std::string();
}

bool is_in(const SpecFile& file, FileId id) {
  return id == file.file || std::find(file.bases.begin(), file.bases.end(), id) != file.bases.end();
}

Diagnostic& complain_unknown(Context& context, Span span, std::string_view name,
                             const std::vector<std::string_view>& known) {
  Diagnostic& diagnostic =
      context.diagnostics.add(Code::E0290, span, fmt::format("there is no namespace `{}`", name));
  suggest(diagnostic, name, known,
          fmt::format("declare it: [[namespace]] with name = \"{}\"", name));
  return diagnostic;
}

/// The namespaces that one file adds.
class Adder {
 public:
  Adder(Context& context, const SpecFile& file, MergedMounts& merged)
      : context_(context), file_(file), merged_(merged) {}

  void run() {
    const Entry* entry = file_.tree.find("namespace");
    if (entry == nullptr || entry->value.kind != Node::Kind::array) return;
    for (const Node& item : entry->value.items) {
      if (item.kind == Node::Kind::table) declare(item);
    }
    while (!clones_.empty()) {
      const auto ready = std::find_if(clones_.begin(), clones_.end(),
                                      [&](const Clone& clone) { return !is_waiting(clone.of); });
      if (ready == clones_.end()) return report_ring();
      copy(*ready);
      clones_.erase(ready);
    }
  }

 private:
  /// A namespace that waits for the one that it is a copy of.
  struct Clone {
    std::string name;
    std::string of;
    Span span;  ///< the value of `clone`
  };

  void declare(const Node& node) {
    const std::string name = namespace_name(node, context_.params);
    const auto& known = merged_.namespaces;
    if (name.empty() || std::ranges::find(known, name, &MergedNamespace::name) != known.end())
      return;
    merged_.namespaces.push_back({name, file_.file});
    const Entry* root = node.find("root");
    const Entry* clone = node.find("clone");
    if (root != nullptr && root->value.kind == Node::Kind::table) {
      MergedMount mount{root->value, {file_.file}, merged_.next_id++};
      mount.ns = name;
      mount.root = true;
      mount.content = mount.id;
      insert({std::move(mount)});
    } else if (clone != nullptr && clone->value.kind == Node::Kind::string) {
      clones_.push_back({name, context_.params.peek(clone->value), clone->value.span});
    }
  }

  [[nodiscard]] bool is_waiting(const std::string& name) const {
    return std::ranges::find(clones_, name, &Clone::name) != clones_.end();
  }

  /// Behind the root of main and before all others, so that what lies on copies is on top.
  void insert(std::vector<MergedMount>&& mounts) {
    auto& all = merged_.mounts;
    all.insert(all.begin() + 1, std::make_move_iterator(mounts.begin()),
               std::make_move_iterator(mounts.end()));
  }

  void copy(const Clone& clone) {
    if (!check_namespace(context_, merged_, file_, {clone.of, clone.span})) return;
    std::vector<FileId> scope = file_.bases;
    scope.push_back(file_.file);
    const BaseView view(merged_.mounts, scope, context_.params);
    std::map<std::size_t, std::uint32_t> ids;
    for (const std::size_t at : view.tree_order()) {
      if (is_copied(view, at, clone)) ids.emplace(at, merged_.next_id++);
    }
    if (ids.empty()) return report_no_root(clone);
    std::vector<MergedMount> copies;
    for (const auto& [at, id] : ids) {
      const auto under = view.parent(at);
      const auto on = under ? ids.find(*under) : ids.end();
      copies.push_back(copy_of(merged_.mounts[at], clone.name, id));
      if (on != ids.end()) copies.back().on = on->second;
    }
    insert(std::move(copies));
  }

  [[nodiscard]] bool is_copied(const BaseView& view, std::size_t at, const Clone& clone) const {
    const MergedMount& mount = merged_.mounts[at];
    return mount.ns == clone.of && view.sees(at) && !mount.files.empty();
  }

  [[nodiscard]] MergedMount copy_of(const MergedMount& mount, const std::string& ns,
                                    std::uint32_t id) const {
    MergedMount copy = mount;
    for (const std::string_view key : {"name", "on", "layer", "namespace"})
      drop_entry(copy.node, key);
    copy.files = {file_.file};
    copy.id = id;
    copy.ns = ns;
    copy.from = mount.from.value_or(CopiedFrom{mount.id});
    copy.from->walk = Walk::copies;
    copy.on.reset();
    return copy;
  }

  /// Also when main's root comes by a file that this one does not extend.
  void report_no_root(const Clone& clone) const {
    const bool whole = merged_.mounts.front().files.empty() && file_.file == 0;
    if (whole || clone.of != main_namespace) return;  // E0203 says that
    context_.diagnostics
        .add(Code::E0295, clone.span,
             fmt::format("`{}` has no root where `{}` is made of it", clone.of, clone.name))
        .note("a clone is a copy of what its own file and the files that it extends declare")
        .help("declare the clone in the file that has [root], or in one that extends it");
  }

  void report_ring() const {
    std::vector<const Clone*> way = {&clones_.front()};
    while (true) {
      const auto next = std::ranges::find(clones_, way.back()->of, &Clone::name);
      const auto seen = std::ranges::find(way, &*next);
      if (seen == way.end()) {
        way.push_back(&*next);
        continue;
      }
      way.erase(way.begin(), seen);
      break;
    }
    std::string names;
    for (const Clone* clone : way) names += clone->name + " → ";
    Diagnostic& diagnostic = context_.diagnostics.add(
        Code::E0293, way.front()->span,
        fmt::format("namespaces that are copies of each other: {}{}", names, way.front()->name));
    for (std::size_t at = 1; at < way.size(); ++at) diagnostic.label(way[at]->span, "and this");
    diagnostic.help("let one of them be a copy of main, or give it a `root`");
  }

  Context& context_;
  const SpecFile& file_;
  MergedMounts& merged_;
  std::vector<Clone> clones_;
};

constexpr auto content_keys =
    std::to_array<std::string_view>({"source", "type", "follow", "deleted"});
constexpr auto walking_keys = std::to_array<std::string_view>({"source", "lower", "upper", "work"});
constexpr auto filesystem_keys =
    std::to_array<std::string_view>({"fsname", "tree", "lower", "upper", "work"});

bool unsets(const Change& change, std::string_view key) {
  return std::any_of(change.unset.begin(), change.unset.end(),
                     [&](const Node& word) { return word.text == key; });
}

/// The first key or word of a change that is about the filesystem and not about the mount.
std::optional<Span> about_filesystem(const Change& change, const Params& params) {
  for (const Entry& entry : change.keys) {
    if (std::ranges::find(filesystem_keys, entry.key) != filesystem_keys.end())
      return entry.key_span;
    if (entry.key != "options") continue;
    for (const Node& word : entry.value.items) {
      const std::string text = params.peek(word);
      const bool of_mount =
          find_mount_option(text.substr(0, text.find('='))) != nullptr && !text.ends_with("=fs");
      if (word.kind == Node::Kind::string && !of_mount) return word.span;
    }
  }
  return std::nullopt;
}

/// By id: the mount that stands for all of one kind, an original where there is one.
class Representatives {
 public:
  void add(std::uint32_t id, MountIndex mount, bool copy) {
    const auto [entry, fresh] = found_.try_emplace(id, mount);
    if (!fresh && !copy) entry->second = mount;
  }
  [[nodiscard]] std::optional<MountIndex> other(std::uint32_t id, MountIndex mount) const {
    const MountIndex found = found_.at(id);
    return found == mount ? std::nullopt : std::optional(found);
  }

 private:
  std::map<std::uint32_t, MountIndex> found_;
};

std::uint32_t original_id(const MergedMount& mount) {
  return mount.from ? mount.from->original : mount.id;
}

/// The namespace that an entry names by `clone`, which is declared or complained about.
std::optional<std::uint32_t> find_clone(const std::vector<NamespaceDecl>& namespaces,
                                        const std::string& name) {
  const auto found = std::ranges::find(namespaces, name, &NamespaceDecl::name);
  if (found == namespaces.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - namespaces.begin());
}

std::string decode_name(Context& context, TableReader& table,
                        const std::vector<NamespaceDecl>& before) {
  table.require("name", R"(for example name = "worker")");
  const auto name = table.string("name");
  if (!name) return {};
  if (const auto fault = syntax::find_name_fault(name->value)) {
    context.diagnostics.add(Code::E0206, name->at(*fault), fault->message).help(fault->help);
    return name->value;
  }
  const auto same = std::ranges::find(before, name->value, &NamespaceDecl::name);
  if (same == before.end()) return name->value;
  const bool main = same == before.begin();
  Diagnostic& diagnostic =
      context.diagnostics.add(Code::E0291, name->span,
                              main ? "`main` is the first namespace of every container"
                                   : fmt::format("a second namespace `{}`", name->value));
  if (main) {
    diagnostic.help("[root] and mounts without `namespace` are its own; take the entry away");
  } else {
    diagnostic.label(same->span, "the first is here").help("give it another name");
  }
  return name->value;
}

void check_kind(Context& context, TableReader& table, const Node& node) {
  const Entry* root =
      table.find("root", Node::Kind::table, R"(write root = { source = "parent:/path" })");
  const auto clone = table.string("clone");
  const bool has_root = node.find("root") != nullptr;
  const bool has_clone = node.find("clone") != nullptr;
  if (has_root != has_clone) return;
  Diagnostic& diagnostic = context.diagnostics.add(
      Code::E0292, clone ? clone->span : node.span,
      has_root ? "a namespace with both `clone` and `root`" : "a namespace with nothing in it");
  if (root != nullptr) diagnostic.label(root->key_span, "a root of its own");
  diagnostic.help(
      has_root ? "take one of them away"
               : R"(write clone = "main" for a copy, or root = { source = "parent:/path" })");
}

}  // namespace

std::string namespace_said(const Node& mount, const Params& params) {
  const std::string said = peek_string(mount, "namespace", params);
  return said.empty() ? main_namespace : said;
}

std::string namespace_name(const Node& entry, const Params& params) {
  return peek_string(entry, "name", params);
}

bool check_namespace(Context& context, const MergedMounts& merged, const SpecFile& file,
                     const Text& name) {
  std::vector<std::string_view> known;
  for (const MergedNamespace& candidate : merged.namespaces) {
    const bool main = candidate.name == main_namespace;
    if (main || is_in(file, candidate.file)) known.push_back(candidate.name);
  }
  if (std::ranges::find(known, name.value) != known.end()) return true;
  complain_unknown(context, name.span, name.value, known)
      .note(
          "a file sees the namespaces of the files that it extends; its [[change]] and [[remove]] "
          "do "
          "not see its own");
  return false;
}

void add_namespaces(Context& context, const SpecFile& file, MergedMounts& merged) {
  Adder(context, file, merged).run();
}

void note_change(const Change& change, MergedMount& mount, std::uint32_t& next_id) {
  const bool other = std::ranges::any_of(
      content_keys, [&](std::string_view key) { return change.sets(key) || unsets(change, key); });
  if (other) mount.content = next_id++;
  if (change.sets("on")) mount.on.reset();
  const bool walks =
      std::ranges::any_of(walking_keys, [&](std::string_view key) { return change.sets(key); });
  if (mount.from && walks) mount.from->walk = Walk::all;
}

void check_change_of_copy(Context& context, const MergedMounts& merged, std::uint32_t id,
                          const Change& change) {
  const auto& mounts = merged.mounts;
  const auto about = about_filesystem(change, context.params);
  const auto changed = std::ranges::find(mounts, id, &MergedMount::id);
  if (!about || changed == mounts.end() || !changed->from) return;
  const auto original = std::find_if(mounts.begin(), mounts.end(), [&](const MergedMount& mount) {
    return !mount.from && mount.content == changed->content;
  });
  if (original == mounts.end() || original->node.find("type") == nullptr) return;
  context.diagnostics
      .add(Code::E0296, *about, "this is about a filesystem that another mount makes")
      .label(original->node.span,
             fmt::format("this one, in `{}`; the other is a copy", original->ns))
      .note("a mount and its copies show one filesystem")
      .help("change it at the mount that makes it");
}

std::vector<MountFacts> gather_facts(const std::vector<MergedMount>& mounts) {
  Representatives originals;
  Representatives contents;
  std::map<std::uint32_t, MountIndex> ids;
  for (MountIndex at = 0; at < mounts.size(); ++at) {
    const MergedMount& mount = mounts[at];
    ids.emplace(mount.id, at);
    originals.add(original_id(mount), at, mount.from.has_value());
    contents.add(mount.content, at, mount.from.has_value());
  }
  std::vector<MountFacts> all;
  for (MountIndex at = 0; at < mounts.size(); ++at) {
    const MergedMount& mount = mounts[at];
    MountFacts& facts = all.emplace_back();
    facts.ns = mount.ns;
    facts.walk = mount.from ? mount.from->walk : Walk::all;
    facts.root = mount.root;
    facts.copy = mount.from.has_value();
    facts.original = originals.other(original_id(mount), at);
    facts.shows = contents.other(mount.content, at);
    const auto on = mount.on ? ids.find(*mount.on) : ids.end();
    if (on != ids.end()) facts.on = on->second;
  }
  return all;
}

std::vector<NamespaceDecl> decode_namespaces(Context& context, TableReader& top) {
  std::vector<NamespaceDecl> namespaces = {{main_namespace, {}, {}}};
  const Entry* entry =
      top.find("namespace", Node::Kind::array, "write [[namespace]], with two brackets");
  if (entry == nullptr) return namespaces;
  std::vector<std::string> clones = {""};
  for (const Node& item : entry->value.items) {
    if (item.kind != Node::Kind::table) {
      wrong_kind(context, item, "an entry of `namespace`", "a table");
      continue;
    }
    TableReader table(context, Room::name_space, item, "[[namespace]]");
    std::string name = decode_name(context, table, namespaces);
    check_kind(context, table, item);
    table.finish();
    namespaces.push_back({std::move(name), {}, item.span});
    clones.push_back(peek_string(item, "clone", context.params));
  }
  for (std::size_t at = 1; at < namespaces.size(); ++at)
    namespaces[at].clone = find_clone(namespaces, clones[at]);
  return namespaces;
}

void set_namespace(Context& context, const Node& node, const MountFacts& facts,
                   const std::vector<NamespaceDecl>& namespaces, MountDecl& mount) {
  const auto number = find_clone(namespaces, facts.ns);
  if (number) {
    mount.ns = *number;
  } else {
    std::vector<std::string_view> known;
    for (const NamespaceDecl& candidate : namespaces) known.push_back(candidate.name);
    const Entry* said = node.find("namespace");
    complain_unknown(context, said == nullptr ? node.span : said->value.span, facts.ns, known);
  }
  mount.walk = facts.walk;
  mount.is_root = facts.root;
  mount.copied = facts.copy;
  mount.original = facts.original;
  if (mount.made) mount.shows = facts.shows;
  mount.on_mount = facts.on;
  if (!mount.shows) return;
  mount.made->tree.clear();  // what it holds the mount says that makes it
  mount.made->layers.clear();
}

}  // namespace mntcr::spec
