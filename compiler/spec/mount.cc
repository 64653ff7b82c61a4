// See mount.h. [root] is a mount with a given target and no mountpoint to make; everything else is
// shared.
#include "compiler/spec/mount.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compiler/spec/filesystem.h"
#include "compiler/spec/idmap.h"
#include "compiler/spec/layers.h"
#include "compiler/spec/names.h"
#include "compiler/spec/options.h"
#include "compiler/spec/propagation.h"
#include "compiler/spec/source.h"
#include "compiler/spec/tree.h"

namespace mntcr::spec {
namespace {

struct CreateWord {
  std::string_view word;
  Create create;
};

constexpr auto create_words = std::to_array<CreateWord>({
    {"auto", Create::automatic},
    {"dir", Create::dir},
    {"file", Create::file},
    {"never", Create::never},
});

void decode_create(Context& context, TableReader& table, MountDecl& mount) {
  const auto text = table.string("create");
  if (!text) return;
  mount.create_span = text->span;
  std::vector<std::string_view> words;
  for (const CreateWord& candidate : create_words) {
    words.push_back(candidate.word);
    if (candidate.word != text->value) continue;
    mount.create = candidate.create;
    return;
  }
  suggest(context.diagnostics.add(Code::E0219, text->span,
                                  fmt::format("`create` cannot be `{}`", text->value)),
          text->value, words, R"(it is "auto", "dir", "file" or "never")");
}

/// A mount with `type`: a new filesystem and all of it.
void decode_made(Context& context, TableReader& table, MountDecl& mount) {
  mount.made = decode_new_filesystem(context, table);
  Options options = decode_options(context, table, OptionPlace::new_mount, mount.made->type);
  mount.attrs = options.attrs;
  mount.made->params = std::move(options.params);
  mount.made->flags = options.filesystem_flags;
}

/// A mount with `source`: a bind.
void decode_bind(Context& context, TableReader& table, MountDecl& mount) {
  if (const auto text = table.string("source")) mount.source = decode_source(context, *text);
  mount.attrs = decode_options(context, table, OptionPlace::bind, {}).attrs;
  table.refuse("fsname", "only a new filesystem can be given a name",
               "write it in [filesystem.NAME], or beside `type`");
  refuse_layers(table, "a mount with `source` shows a filesystem that is there already");
  table.refuse("tree", "only a new filesystem is empty at first",
               "write it in [filesystem.NAME], or beside `type`");
}

void decode_follow(TableReader& table, MountDecl& mount) {
  const bool elsewhere =
      mount.made || (mount.source && mount.source->scheme != SourceRef::Scheme::parent);
  if (elsewhere) {
    table.refuse("follow", "it says whether a symlink at the end of a `parent:` source is followed",
                 "take it away");
  } else if (const auto follow = table.boolean("follow")) {
    mount.follow = *follow;
  }
}

/// What the mount shows: exactly one of `source` and `type`.
void decode_content(Context& context, TableReader& table, MountDecl& mount) {
  const syntax::Entry* source = table.find("source");
  const syntax::Entry* type = table.find("type");
  if (source != nullptr && type != nullptr) {
    context.diagnostics
        .add(Code::E0210, source->key_span,
             fmt::format("{} has both `source` and `type`", table.title()))
        .label(type->key_span, "this makes a new filesystem")
        .note("`source` shows what is there, `type` makes a filesystem")
        .help("take `type` away for a bind; for the name that mountinfo shows write `fsname`");
  }
  if (source == nullptr && type == nullptr) {
    context.diagnostics
        .add(Code::E0203, table.span(),
             fmt::format("{} has neither `source` nor `type`", table.title()))
        .help(R"(write source = "parent:/path" for a bind, or for example type = "tmpfs")");
    // Not known to be a bind, so every word that is good in one of both forms is let pass.
    decode_options(context, table, OptionPlace::new_mount, {});
    for (const std::string_view key : {"fsname", "tree", "lower", "upper", "work"}) table.find(key);
  } else if (type != nullptr) {
    decode_made(context, table, mount);
  } else {
    decode_bind(context, table, mount);
  }
  decode_follow(table, mount);
}

void decode_name(Context& context, TableReader& table, MountDecl& mount) {
  const auto name = table.string("name");
  if (!name) return;
  mount.name = {name->value, name->span};
  if (const auto fault = syntax::find_name_fault(name->value)) {
    context.diagnostics.add(Code::E0206, name->at(*fault), fault->message).help(fault->help);
  }
}

}  // namespace

MountDecl decode_mount(Context& context, const syntax::Node& node) {
  MountDecl mount;
  mount.span = node.span;
  TableReader table(context, Room::mount, node, "[[mount]]");
  table.require("target", R"(write the full path in the container: target = "/srv")");
  if (const auto target = table.string("target")) {
    mount.target = {target->value, target->span};
    check_path(context, *target, "target", 0, syntax::PathForm::absolute);
  }
  decode_content(context, table, mount);
  mount.idmap = decode_idmap(context, table);
  decode_deleted(context, table, mount);
  decode_create(context, table, mount);
  decode_name(context, table, mount);
  if (const auto on = table.string("on")) mount.on = {on->value, on->span};
  mount.cover = table.boolean("cover").value_or(false);
  decode_propagation(context, table, mount);
  mount.propagate = table.boolean("propagate").value_or(true);
  mount.listed_all = std::ranges::find(context.listed, mount.span.file) != context.listed.end();
  table.string("namespace");
  table.finish();
  return mount;
}

MountDecl decode_root(Context& context, const syntax::Node& node, std::string title) {
  MountDecl mount;
  mount.span = node.span;
  mount.target = {"/", node.span};
  mount.name = {std::string(root_name), node.span};
  TableReader table(context, Room::root, node, std::move(title));
  decode_content(context, table, mount);
  mount.idmap = decode_idmap(context, table);
  decode_propagation(context, table, mount);
  table.refuse("namespace", "[root] is that of main",
               "write root = { … } in the [[namespace]] that is meant");
  table.refuse("target", "[root] is the mount at /",
               "take it away; other mounts are [[mount]] entries");
  table.refuse("create", "the root has no mountpoint that could be missing", "take it away");
  table.refuse("name", "[root] is named `root`", "take it away");
  table.refuse("on", "the root lies on nothing", "take it away");
  table.refuse("cover", "the root covers nothing", "take it away");
  table.refuse("propagate", "the root lies on nothing that is shared", "take it away");
  table.refuse("deleted", "the kernel makes nothing without a name a root",
               "take it away; the root is a filesystem, or a directory of one");
  table.finish();
  return mount;
}

}  // namespace mntcr::spec
