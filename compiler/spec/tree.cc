// See tree.h. An inode is said in two ways, by the keys of an entry of `tree` and by those beside
// `deleted`; they differ only in that an entry may write its kind as a key of its own.
#include "compiler/spec/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "compiler/spec/source.h"
#include "runtime/base/filesystems.h"
#include "runtime/base/path.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

constexpr std::uint32_t directory_mode = 0755;
constexpr std::uint32_t other_mode = 0644;
constexpr std::uint32_t most_mode = 07777;
constexpr std::int64_t most_id = 4294967294;  // the highest number stands for "none"
constexpr std::size_t most_label = 200;

constexpr std::string_view kind_forms =
    R"(it is "dir", "file", "fifo", "socket", "char:MAJOR:MINOR", "block:MAJOR:MINOR" or "symlink:TARGET")";

struct KindWord {
  std::string_view word;
  NodeKind kind;
};

constexpr auto plain_kinds = std::to_array<KindWord>({
    {"dir", NodeKind::directory},
    {"file", NodeKind::file},
    {"fifo", NodeKind::fifo},
    {"socket", NodeKind::socket},
});

/// Those that are followed by more; in a `tree` they are keys as well.
constexpr auto telling_kinds = std::to_array<KindWord>({
    {"char", NodeKind::character},
    {"block", NodeKind::block},
    {"symlink", NodeKind::symlink},
});

/// A number in `base` that all of `digits` are, up to `most`.
std::optional<std::uint32_t> number(std::string_view digits, int base, std::uint32_t most) {
  std::uint32_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc{} || stopped != end || value > most) return std::nullopt;
  return value;
}

/// Reads "1:3", the bytes of `text` from `begin` on.
void decode_device(Context& context, const Text& text, std::size_t begin, InodeDecl& inode) {
  constexpr std::uint32_t most_major = (1U << 12U) - 1;
  constexpr std::uint32_t most_minor = (1U << 20U) - 1;
  const std::string_view words = std::string_view(text.value).substr(begin);
  const std::size_t colon = words.find(':');
  const bool whole = colon != std::string_view::npos;
  const auto major = number(words.substr(0, colon), 10, most_major);
  const auto minor = whole ? number(words.substr(colon + 1), 10, most_minor) : std::nullopt;
  if (!major || !minor) {
    context.diagnostics
        .add(Code::E0246, text.span,
             fmt::format("`{}` is no device number", path::printable(words)))
        .note(fmt::format("major numbers go up to {}, minor ones to {}", most_major, most_minor))
        .help(R"(write MAJOR:MINOR as `ls -l` shows them: "1:3" for /dev/null)");
    return;
  }
  inode.dev_major = *major;
  inode.dev_minor = *minor;
}

/// Reads where a symlink leads, the bytes of `text` from `begin` on.
void decode_link(Context& context, const Text& text, std::size_t begin, InodeDecl& inode) {
  inode.target = text.value.substr(begin);
  const bool nul = inode.target.find('\0') != std::string::npos;
  if (!inode.target.empty() && inode.target.size() <= syntax::max_path && !nul) return;
  context.diagnostics
      .add(Code::E0246, text.span, "a symlink cannot lead there",
           inode.target.empty() ? "it is empty" : "it is too long, or has a NUL byte")
      .help(fmt::format("a target has 1 to {} bytes, of any value but NUL", syntax::max_path));
}

/// What follows the kind.
void decode_details(Context& context, const Text& text, std::size_t begin, InodeDecl& inode) {
  if (inode.kind == NodeKind::symlink) {
    decode_link(context, text, begin, inode);
  } else {
    decode_device(context, text, begin, inode);
  }
}

/// Reads "fifo" or "char:1:3".
void decode_kind(Context& context, const Text& text, InodeDecl& inode) {
  for (const KindWord& kind : plain_kinds) {
    if (kind.word != text.value) continue;
    inode.kind = kind.kind;
    return;
  }
  const std::size_t colon = std::min(text.value.find(':'), text.value.size());
  const std::string_view word = std::string_view(text.value).substr(0, colon);
  for (const KindWord& kind : telling_kinds) {
    if (kind.word != word || colon == text.value.size()) continue;
    inode.kind = kind.kind;
    decode_details(context, text, colon + 1, inode);
    return;
  }
  context.diagnostics
      .add(Code::E0246, text.span,
           fmt::format("`{}` is no kind of inode", path::printable(text.value)))
      .help(std::string(kind_forms));
}

void decode_id(Context& context, TableReader& table, std::string_view key, std::uint32_t& id) {
  const Entry* entry = table.find(key, Node::Kind::integer, "write the number, as `id` shows it");
  if (entry == nullptr) return;
  if (entry->value.integer >= 0 && entry->value.integer <= most_id) {
    id = static_cast<std::uint32_t>(entry->value.integer);
    return;
  }
  context.diagnostics
      .add(Code::E0247, entry->value.span, fmt::format("{} is no number of an owner", key))
      .help(fmt::format("a user or group has a number from 0 to {}", most_id));
}

void decode_mode(Context& context, TableReader& table, InodeDecl& inode) {
  inode.mode = inode.kind == NodeKind::directory ? directory_mode : other_mode;
  if (inode.kind == NodeKind::symlink) {
    inode.mode = 0;
    table.refuse("mode", "a symlink has no permissions of its own", "take it away");
    return;
  }
  if (table.find("mode", Node::Kind::string, R"(write octal digits: mode = "0755")") == nullptr)
    return;
  const auto text = table.string("mode");
  if (!text) return;
  if (const auto mode = number(text->value, 8, most_mode)) {
    inode.mode = *mode;
    return;
  }
  context.diagnostics
      .add(Code::E0247, text->span, fmt::format("`{}` is no mode", path::printable(text->value)))
      .help(R"(write permission bits in octal, up to "7777": "0755", "1777")");
}

void decode_rights(Context& context, TableReader& table, InodeDecl& inode) {
  decode_mode(context, table, inode);
  decode_id(context, table, "uid", inode.uid);
  decode_id(context, table, "gid", inode.gid);
}

/// Reads `kind`, `symlink`, `char` and `block` of an entry, of which there is one at most.
void decode_kind_keys(Context& context, TableReader& table, InodeDecl& inode) {
  const Entry* first = table.find("kind");
  if (first != nullptr) {
    if (const auto text = table.string("kind")) decode_kind(context, *text, inode);
  }
  for (const KindWord& kind : telling_kinds) {
    const Entry* entry = table.find(kind.word);
    if (entry == nullptr) continue;
    if (first != nullptr) {
      context.diagnostics
          .add(Code::E0246, entry->key_span,
               fmt::format("an entry with both `{}` and `{}`", first->key, entry->key))
          .label(first->key_span, "this says what it is, too")
          .help("keep one of them");
      continue;
    }
    first = entry;
    inode.kind = kind.kind;
    if (const auto text = table.string(kind.word)) decode_details(context, *text, 0, inode);
  }
}

void decode_path(Context& context, TableReader& table, TreeEntry& entry) {
  table.require("path", R"(say where it is, from the filesystem's root on: path = "run/app")");
  const auto path = table.string("path");
  if (!path) return;
  entry.path = {path->value, path->span};
  if (path->value.empty()) {
    context.diagnostics.add(Code::E0207, path->span, "`path` is empty")
        .help("the root of a filesystem is there by itself; for its mode there is an option");
  } else if (is_deleted_place(path->value)) {
    context.diagnostics
        .add(Code::E0207, path->span,
             fmt::format("mntcr keeps the name `{}` for itself", deleted_folder))
        .help("take another name; an inode without one is a mount with `deleted`");
  } else {
    check_path(context, *path, "path", 0, syntax::PathForm::relative);
  }
}

TreeEntry decode_entry(Context& context, const Node& node) {
  TreeEntry entry;
  entry.span = node.span;
  const std::vector<FileId>& order = context.merge_order;
  entry.rank = static_cast<std::size_t>(std::find(order.begin(), order.end(), node.span.file) -
                                        order.begin());
  TableReader table(context, Room::tree, node, "an entry of `tree`");
  decode_path(context, table, entry);
  decode_kind_keys(context, table, entry.inode);
  decode_rights(context, table, entry.inode);
  table.finish();
  return entry;
}

/// Whether a filesystem of `type` can hold the entry; complains when not.
bool check_holds(Context& context, std::string_view type, const TreeEntry& entry) {
  const Holds holds = what_holds(type);
  if (type.empty() || holds == Holds::everything) return true;
  if (holds == Holds::directories && entry.inode.kind == NodeKind::directory) return true;
  context.diagnostics.add(Code::E0245, entry.span, fmt::format("{} cannot hold this", type))
      .note(holds == Holds::nothing ? "nothing can be made there: the kernel fills it"
                                    : "only directories can be made there")
      .help("take the entry away");
  return false;
}

/// Entries in the order in which they are read, and which of them has a path.
struct Entries {
  std::vector<TreeEntry> list;
  std::unordered_map<std::string, std::size_t> by_path;
};

/// Puts `entry` among `entries`: of one path there is one in a file, and a later file's counts.
/// Those whose path is empty, which is an error by itself, are all kept.
void add_entry(Context& context, Entries& entries, TreeEntry entry) {
  const auto [known, is_new] = entry.path.value.empty()
                                   ? std::pair(entries.by_path.end(), true)
                                   : entries.by_path.emplace(entry.path.value, entries.list.size());
  if (is_new) {
    entries.list.push_back(std::move(entry));
    return;
  }
  TreeEntry& same = entries.list[known->second];
  if (same.span.file != entry.span.file) {
    same = std::move(entry);
    return;
  }
  context.diagnostics
      .add(Code::E0248, entry.path.span,
           fmt::format("a second entry for `{}`", path::printable(entry.path.value)))
      .label(same.path.span, "the first is here")
      .help("keep one of them");
}

/// Why these bytes are no label; nothing when they are one.
std::optional<std::string_view> label_fault(std::string_view label) {
  if (label.empty()) return "it is empty";
  if (label.size() > most_label) return "it is longer than 200 bytes";
  if (label == "." || label == "..") return "it is no name of a file";
  if (label.find('/') != std::string_view::npos) return "it has a /";
  if (label.find('\0') != std::string_view::npos) return "it has a NUL byte";
  return std::nullopt;
}

void refuse_inode(TableReader& table, const MountDecl& mount) {
  constexpr std::string_view reason = "it says what an inode without a name is";
  const std::string_view help = mount.made
                                    ? R"(for the root of the filesystem: options = ["mode=0755"])"
                                    : "take it away, or give the inode a label: `deleted`";
  for (const std::string_view key : {"mode", "uid", "gid"}) table.refuse(key, reason, help);
  table.refuse("kind", reason, "take it away, or give the inode a label: `deleted`");
}

}  // namespace

std::string_view inode_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::directory:
      return "a directory";
    case NodeKind::file:
      return "a file";
    case NodeKind::fifo:
      return "a fifo";
    case NodeKind::socket:
      return "a socket";
    case NodeKind::character:
      return "a character device";
    case NodeKind::block:
      return "a block device";
    case NodeKind::symlink:
      return "a symlink";
  }
  return "";
}

std::vector<TreeEntry> decode_tree(Context& context, TableReader& table, std::string_view type) {
  Entries entries;
  const Entry* list = table.find("tree", Node::Kind::array, R"(write tree = [{ path = "run" }])");
  if (list == nullptr) return {};
  for (const Node& item : list->value.items) {
    if (item.kind != Node::Kind::table) {
      wrong_kind(context, item, "an entry of `tree`", "a table")
          .help(R"(write { path = "run" } for a directory)");
      continue;
    }
    TreeEntry entry = decode_entry(context, item);
    if (check_holds(context, type, entry)) add_entry(context, entries, std::move(entry));
  }
  return std::move(entries.list);
}

void decode_deleted(Context& context, TableReader& table, MountDecl& mount) {
  if (mount.made) {
    table.refuse("deleted", "a filesystem is mounted whole where it is made",
                 "declare it as [filesystem.NAME] and write source = \"fs:NAME\"");
  }
  const Entry* entry = table.find("deleted");
  if (entry == nullptr || mount.made) {
    refuse_inode(table, mount);
    return;
  }
  DeletedDecl deleted;
  if (const auto label = table.string("deleted")) {
    deleted.label = {label->value, label->span};
    if (const auto fault = label_fault(label->value)) {
      context.diagnostics
          .add(Code::E0250, label->span,
               fmt::format("`{}` is no label", path::printable(label->value)), std::string(*fault))
          .help("any name of a file up to 200 bytes will do: it tells inodes apart");
    }
  }
  table.require("kind", R"(say what it is: kind = "dir")");
  if (const auto kind = table.string("kind")) decode_kind(context, *kind, deleted.inode);
  decode_rights(context, table, deleted.inode);
  mount.deleted = std::move(deleted);
}

}  // namespace mntcr::spec
