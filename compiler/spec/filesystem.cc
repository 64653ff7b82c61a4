// See filesystem.h.
#include "compiler/spec/filesystem.h"

#include <fmt/format.h>

#include <utility>

#include "compiler/spec/layers.h"
#include "compiler/spec/source.h"
#include "compiler/spec/tree.h"
#include "runtime/base/filesystems.h"

namespace mntcr::spec {
namespace {

/// The kernel takes no longer string for it (fs/fsopen.c, fsconfig).
constexpr std::size_t max_fsname = 255;

/// The type, when it is one of specs/filesystems.def; else "" after a complaint.
std::string known_type(Context& context, const Text& type) {
  if (find_filesystem(type.value) != nullptr) return type.value;
  if (is_reserved_type(type.value)) {
    context.diagnostics
        .add(Code::E0202, type.span,
             fmt::format("the filesystem `{}` is not in this version of the language", type.value))
        .help(R"(mount it in the parent's namespace and show it with source = "parent:/…")");
    return {};
  }
  Diagnostic& diagnostic = context.diagnostics.add(
      Code::E0212, type.span, fmt::format("unknown filesystem type `{}`", type.value));
  if (type.value == "bind" || type.value == "none" || type.value == "rbind") {
    diagnostic.help(R"(a bind has no type: write source = "parent:/…" alone)");
    return {};
  }
  std::vector<std::string_view> types;
  for (const Filesystem& filesystem : filesystems()) types.push_back(filesystem.type);
  diagnostic.note(
      "a spec makes filesystems that the kernel makes out of nothing; those on disks it binds");
  suggest(diagnostic, type.value, types,
          R"(mount it in the parent's namespace and show it with source = "parent:/…")");
  return {};
}

void check_fsname(Context& context, const Text& fsname) {
  if (fsname.value.empty()) {
    context.diagnostics.add(Code::E0206, fsname.span, "`fsname` may not be empty")
        .help("take it away: then it is the type");
  } else if (fsname.value.size() > max_fsname) {
    context.diagnostics.add(
        Code::E0206, fsname.span,
        fmt::format("`fsname` has {} bytes; the kernel takes {}", fsname.value.size(), max_fsname));
  } else if (const std::size_t nul = fsname.value.find('\0'); nul != std::string::npos) {
    context.diagnostics.add(Code::E0206, fsname.at(nul, nul + 1), "a NUL byte in `fsname`");
  }
}

/// One that a mount of the base shows: which, edits.cc has found.
FilesystemDecl decode_shown_filesystem(Context& context, TableReader& table,
                                       const std::string& name) {
  FilesystemDecl result;
  const auto shown = context.shown.find(name);
  if (shown != context.shown.end()) result.of = shown->second;
  for (const std::string_view key : {"layer", "namespace"}) table.find(key);
  for (const std::string_view key : {"type", "options", "fsname", "lower", "upper", "work"}) {
    table.refuse(key, "`of` names a filesystem that there is already, as it is",
                 "change it where the base makes it, or take `of` away");
  }
  result.tree = decode_tree(context, table, {});
  if (context.lost.contains(name)) result.tree.clear();  // it went with its mount
  return result;
}

/// One that the parent namespace shows.
FilesystemDecl decode_parents_filesystem(Context& context, TableReader& table) {
  FilesystemDecl result;
  if (const auto path = table.string("parent")) {
    if (check_path(context, *path, "parent", 0, syntax::PathForm::absolute))
      result.parent = {path->value, path->span};
  }
  for (const std::string_view key :
       {"type", "of", "layer", "options", "fsname", "lower", "upper", "work", "tree"}) {
    table.refuse(key, "`parent` names a filesystem that there is already, as it is",
                 "take one of both away");
  }
  return result;
}

}  // namespace

FilesystemDecl decode_new_filesystem(Context& context, TableReader& table) {
  FilesystemDecl result;
  result.span = table.span();
  if (const auto type = table.string("type")) {
    result.span = type->span;
    result.type = known_type(context, *type);
  }
  result.fsname = result.type;
  if (const auto fsname = table.string("fsname")) {
    check_fsname(context, *fsname);
    result.fsname = fsname->value;
  }
  decode_layers(context, table, result);
  result.tree = decode_tree(context, table, result.type);
  return result;
}

FilesystemDecl decode_filesystem(Context& context, const syntax::Entry& entry) {
  if (const auto fault = syntax::find_name_fault(entry.key)) {
    context.diagnostics.add(Code::E0206, entry.key_span, fault->message).help(fault->help);
  }
  TableReader table(context, Room::filesystem, entry.value,
                    fmt::format("[filesystem.{}]", entry.key));
  FilesystemDecl result;
  if (table.find("parent") != nullptr) {
    result = decode_parents_filesystem(context, table);
  } else if (table.find("of") != nullptr) {
    result = decode_shown_filesystem(context, table, entry.key);
  } else {
    result = decode_new_filesystem(context, table);
    table.require("type", R"(for example type = "tmpfs")");
    Options options = decode_options(context, table, OptionPlace::filesystem, result.type);
    result.params = std::move(options.params);
    result.flags = options.filesystem_flags;
  }
  result.name = entry.key;
  result.span = entry.value.span;
  table.finish();
  return result;
}

}  // namespace mntcr::spec
