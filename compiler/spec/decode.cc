// See decode.h. The top level of a spec; its tables are read by the files next to this one.
#include "compiler/spec/decode.h"

#include <fmt/format.h>

#include "compiler/spec/filesystem.h"
#include "compiler/spec/groups.h"
#include "compiler/spec/idmap.h"
#include "compiler/spec/keys.h"
#include "compiler/spec/merge.h"
#include "compiler/spec/mount.h"
#include "compiler/spec/names.h"
#include "compiler/spec/namespaces.h"
#include "compiler/spec/params.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

constexpr std::int64_t language_version = 1;

/// Whether the spec is written in a version that this compiler reads; one that says none is taken
/// for it.
bool is_known_version(const Node& root, Diagnostics& diagnostics) {
  const Entry* version = root.find("spec");
  if (version == nullptr || version->value.kind != Node::Kind::integer) return true;
  if (version->value.integer == language_version) return true;
  diagnostics
      .add(Code::E0205, version->value.span,
           fmt::format("version {} of the language is not known here", version->value.integer))
      .help(fmt::format("this mntcr reads spec = {}", language_version));
  return false;
}

Str decode_name(Context& context, TableReader& top) {
  top.require("name", R"(for example name = "web")");
  const auto name = top.string("name");
  if (!name) return {};
  if (const auto fault = syntax::find_name_fault(name->value)) {
    context.diagnostics.add(Code::E0206, name->at(*fault), fault->message).help(fault->help);
  }
  return {name->value, name->span};
}

/// Complains about a [filesystem] without a name, or an entry of it that is no table.
bool is_filesystem_table(Context& context, const Entry& entry) {
  if (entry.value.kind == Node::Kind::table) return true;
  Diagnostic& diagnostic =
      wrong_kind(context, entry.value, fmt::format("the filesystem `{}`", entry.key), "a table");
  const auto& items = entry.value.items;
  if (!items.empty() && items.front().kind == Node::Kind::table) {
    diagnostic.help(fmt::format("write [filesystem.{}] with single brackets", entry.key));
  } else {
    diagnostic.help("a filesystem has a name: [filesystem.NAME]");
  }
  return false;
}

void decode_filesystems(Context& context, TableReader& top, Spec& spec) {
  const Entry* table = top.find("filesystem", Node::Kind::table, "write [filesystem.NAME]");
  if (table == nullptr) return;
  for (const Entry& entry : table->value.entries) context.filesystem_names.push_back(entry.key);
  for (const Entry& entry : table->value.entries) {
    if (is_filesystem_table(context, entry))
      spec.filesystems.push_back(decode_filesystem(context, entry));
  }
}

void decode_mounts(Context& context, TableReader& top, Spec& spec) {
  top.require("root", R"(the mount at / is: [root] and below it source = "parent:/path")");
  if (const Entry* root = top.find("root", Node::Kind::table, "there is one root: write [root]")) {
    spec.mounts.push_back(decode_root(context, root->value));
    spec.mounts.back().is_root = true;
  }
  const Entry* mounts =
      top.find("mount", Node::Kind::array, "mounts are a list: write [[mount]], with two brackets");
  if (mounts == nullptr) return;
  std::size_t number = 0;
  for (const Node& item : mounts->value.items) {
    const MountFacts& facts = context.facts.at(++number);
    if (item.kind != Node::Kind::table) {
      wrong_kind(context, item, "an entry of `mount`", "a table");
      continue;
    }
    MountDecl& mount = spec.mounts.emplace_back(
        facts.root ? decode_root(context, item, fmt::format("the root of `{}`", facts.ns))
                   : decode_mount(context, item));
    set_namespace(context, item, facts, spec.namespaces, mount);
  }
}

/// Complains about mounts of a filesystem that was taken from a mount which a later file removes.
void check_lost(Context& context, const Spec& spec) {
  for (const MountDecl& mount : spec.mounts) {
    if (!mount.source || mount.source->scheme != SourceRef::Scheme::fs) continue;
    const auto lost = context.lost.find(mount.source->name);
    if (lost == context.lost.end()) continue;
    context.diagnostics
        .add(
            Code::E0231, lost->second,
            fmt::format("the mount that the filesystem `{}` is taken from is removed", lost->first))
        .label(mount.source->span, "this mount shows it")
        .note("a file that is merged later removes it")
        .help("name the filesystem in the file that makes it: [filesystem.NAME] with a type");
  }
}

/// How many mounts the document has, when all its entries are tables and it has a root.
std::size_t mounts_written(const Node& root) {
  const Entry* mounts = root.find("mount");
  return 1 + (mounts == nullptr ? 0 : mounts->value.items.size());
}

}  // namespace

std::optional<Spec> decode(const SpecFiles& files, const std::vector<ParamSetting>& settings,
                           Diagnostics& diagnostics) {
  bool known = true;
  for (const SpecFile& file : files) known = is_known_version(file.tree, diagnostics) && known;
  if (!known) return std::nullopt;
  const std::vector<Entry> declared = merge_params(files, diagnostics);
  std::vector<const Node*> users;
  for (const SpecFile& file : files) users.push_back(&file.tree);
  Params params(declared, users, settings, diagnostics);
  Context context{.params = params, .diagnostics = diagnostics};
  for (const SpecFile& file : files) context.merge_order.push_back(file.file);
  const Node root = merge_documents(context, files);
  TableReader top(context, Room::top, root, "the spec");
  top.require("spec", "write the version of the language in the first line: spec = 1");
  top.find("spec", Node::Kind::integer, "write spec = 1");
  Spec spec;
  spec.name = decode_name(context, top);
  top.find("params", Node::Kind::table, "write [params]");
  decode_userns(context, top);
  decode_policies(context, files, top, spec);
  decode_groups(context, top, spec);
  decode_filesystems(context, top, spec);
  spec.namespaces = decode_namespaces(context, top);
  decode_mounts(context, top, spec);
  add_undeclared_groups(spec);
  check_lost(context, spec);
  top.finish();
  if (spec.mounts.size() == mounts_written(root)) resolve_names(spec, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  return spec;
}

}  // namespace mntcr::spec
