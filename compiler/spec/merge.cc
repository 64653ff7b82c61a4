// See merge.h.
#include "compiler/spec/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compiler/spec/checkpoint.h"
#include "compiler/spec/edits.h"
#include "compiler/spec/namespaces.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

Entry* find_entry(std::vector<Entry>& entries, std::string_view key) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

/// Puts `from` among `entries`: tables merge key by key, `depth` levels down; lists called `tree`
/// are appended, other values are replaced. What is no table where one is expected stays, so that
/// the decoder sees it.
void merge_entry(std::vector<Entry>& entries, const Entry& from, int depth) {
  Entry* to = find_entry(entries, from.key);
  const bool adds = to != nullptr && from.key == "tree" && to->value.kind == Node::Kind::array &&
                    from.value.kind == Node::Kind::array;
  if (to == nullptr) {
    entries.push_back(from);
  } else if (adds) {
    auto& items = to->value.items;
    items.insert(items.end(), from.value.items.begin(), from.value.items.end());
  } else if (depth == 0 || from.value.kind != Node::Kind::table) {
    *to = from;
  } else if (to->value.kind == Node::Kind::table) {
    for (const Entry& entry : from.value.entries) merge_entry(to->value.entries, entry, depth - 1);
  }
}

/// Appends a list to that of other files.
void append_entry(std::vector<Entry>& entries, const Entry& from) {
  Entry* to = find_entry(entries, from.key);
  if (to == nullptr) {
    entries.push_back(from);
  } else if (to->value.kind == Node::Kind::array) {
    to->value.items.insert(to->value.items.end(), from.value.items.begin(), from.value.items.end());
  }
}

/// Keys that are read elsewhere, and leave nothing in the merged document.
constexpr std::array<std::string_view, 6> consumed = {"params", "extends",    "change",
                                                      "remove", "checkpoint", "policy"};

class Merger {
 public:
  Merger(Context& context, const SpecFiles& files) : context_(context), files_(files) {
    document_.kind = Node::Kind::table;
    document_.span = files.back().tree.span;
  }

  Node merge() {
    for (const SpecFile& file : files_) {
      check_version(file);
      check_checkpoint(context_, files_, file);
      for (const Entry& entry : file.tree.entries) add(entry, file);
      apply_file(context_, file, mounts_);
      drop_removed(file);
    }
    finish();
    return std::move(document_);
  }

 private:
  void check_version(const SpecFile& file) {
    if (&file == &files_.back() || file.tree.find("spec") != nullptr) return;
    context_.diagnostics.add(Code::E0203, file.tree.span, "a spec has no `spec`")
        .help("write the version of the language in the first line: spec = 1");
  }

  void add(const Entry& entry, const SpecFile& file) {
    if (std::find(consumed.begin(), consumed.end(), entry.key) != consumed.end()) return;
    if (entry.key == "userns") {
      merge_entry(document_.entries, entry, 1);
    } else if (entry.key == "filesystem" || entry.key == "group") {
      merge_entry(document_.entries, entry, 2);
    } else if (entry.key == "root" && entry.value.kind == Node::Kind::table) {
      add_root(entry, file);
    } else if (entry.key == "mount" && entry.value.kind == Node::Kind::array) {
      has_mounts_ = true;
    } else if (entry.key == "namespace" && entry.value.kind == Node::Kind::array) {
      append_entry(document_.entries, entry);
    } else if (entry.key == "name" || entry.key == "spec") {
      merge_entry(document_.entries, entry, 0);
    } else {
      document_.entries.push_back(entry);  // a fault, or a word of a later version
    }
  }

  /// Takes away the entries of namespaces that a [[remove]] took: of their files, for a later one
  /// may declare another by the same name. Copies of them stay, and are nobody's copies then.
  void drop_removed(const SpecFile& file) {
    Entry* list = find_entry(document_.entries, "namespace");
    if (list == nullptr) return;
    for (const MergedNamespace& removed : mounts_.removed) {
      std::erase_if(list->value.items, [&](const Node& item) {
        return item.kind == Node::Kind::table && item.span.file == removed.file &&
               namespace_name(item, context_.params) == removed.name;
      });
      for (Node& item : list->value.items) {
        Entry* clone = find_entry(item.entries, "clone");
        const bool older = clone != nullptr && item.span.file != file.file;
        if (older && context_.params.peek(clone->value) == removed.name) clone->value.text.clear();
      }
    }
    mounts_.removed.clear();
  }

  void add_root(const Entry& entry, const SpecFile& file) {
    MergedMount& root = mounts_.mounts.front();
    if (root.files.empty()) {
      root_ = entry;
      root.node = entry.value;
    } else {
      for (const Entry& key : entry.value.entries) merge_entry(root.node.entries, key, 0);
    }
    root.files.push_back(file.file);
  }

  void finish() {
    for (const SpecFile& file : files_) {
      const Entry* params = file.tree.find("params");
      if (params != nullptr) merge_entry(document_.entries, *params, 1);
    }
    auto& all = mounts_.mounts;
    context_.facts = gather_facts(all);
    const bool has_root = !all.front().files.empty();
    if (has_root)
      document_.entries.push_back({"root", root_.key_span, std::move(all.front().node)});
    Entry mounts{"mount", {}, {}};
    mounts.value.kind = Node::Kind::array;
    for (std::size_t at = 1; at < all.size(); ++at)
      mounts.value.items.push_back(std::move(all[at].node));
    if (has_mounts_ || all.size() > 1) document_.entries.push_back(std::move(mounts));
    resolve_shown();
  }

  void resolve_shown() {
    const auto& all = mounts_.mounts;
    for (const auto& [name, shown] : mounts_.shown) {
      auto found = std::ranges::find(all, shown.id, &MergedMount::id);
      if (found == all.end()) found = std::ranges::find(all, shown.content, &MergedMount::content);
      if (found != all.end()) {
        context_.shown.emplace(name, static_cast<MountIndex>(found - all.begin()));
        continue;
      }
      context_.lost.emplace(name, shown.span);
    }
  }

  Context& context_;
  const SpecFiles& files_;
  Node document_;
  MergedMounts mounts_;
  Entry root_;
  bool has_mounts_ = false;
};

}  // namespace

std::vector<Entry> merge_params(const SpecFiles& files, Diagnostics& diagnostics) {
  std::vector<Entry> params;
  for (const SpecFile& file : files) {
    const Entry* table = file.tree.find("params");
    if (table != nullptr && table->value.kind == Node::Kind::table) {
      for (const Entry& entry : table->value.entries) merge_entry(params, entry, 0);
    }
    for (const Entry& entry : checkpoint_settings(file)) {
      if (entry.value.kind != Node::Kind::string) continue;
      if (find_entry(params, entry.key) != nullptr) {
        merge_entry(params, entry, 0);
        continue;
      }
      diagnostics
          .add(
              Code::E0225, entry.key_span,
              fmt::format("the checkpoint sets `{}`, which no file declares as a param", entry.key))
          .help("take it away");
    }
  }
  return params;
}

Node merge_documents(Context& context, const SpecFiles& files) {
  return Merger(context, files).merge();
}

}  // namespace mntcr::spec
