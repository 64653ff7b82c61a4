// Reading a table by its keys. A reader asks for each key that it knows, a line or two each; what
// nobody asked for is unknown, so the list of known keys is written nowhere twice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spec/mount_facts.h"
#include "compiler/spec/params.h"
#include "compiler/spec/placement.h"
#include "compiler/spec/text.h"
#include "compiler/spec/vocabulary.h"
#include "compiler/syntax/syntax_tree.h"
#include "runtime/base/diagnostic.h"
#include "runtime/base/idmap.h"

namespace mntcr::spec {

/// What all decoders share.
struct Context {
  Params& params;
  Diagnostics& diagnostics;
  std::vector<std::string_view> filesystem_names = {};  ///< all, also faulty ones
  /// By the name of a filesystem with `of`: the mount that shows it.
  std::map<std::string, MountIndex, std::less<>> shown = {};
  /// The same where a later file removes that mount: what says so.
  std::map<std::string, Span, std::less<>> lost = {};
  std::optional<IdMap> userns = {};      ///< what [userns] says
  bool has_userns = false;               ///< there is one, also a faulty one
  std::vector<FileId> listed = {};       ///< files whose [policy] says copies = "listed"
  std::vector<FileId> merge_order = {};  ///< all files, the one that is compiled last
  std::vector<MountFacts> facts = {};    ///< of all mounts, also faulty ones; first [root]
};

/// One table. Ask for every key, then call finish().
class TableReader {
 public:
  /// `title` is what messages call the table: "[[mount]]".
  TableReader(Context& context, Room room, const syntax::Node& table, std::string title);

  /// The key, whatever it holds, or nullptr.
  const syntax::Entry* find(std::string_view key);

  /// The key when it holds a value of this kind; complains and gives nullptr when it holds another.
  const syntax::Entry* find(std::string_view key, syntax::Node::Kind kind,
                            std::string_view help = {});

  /// A string with its params replaced.
  std::optional<Text> string(std::string_view key);

  std::optional<bool> boolean(std::string_view key);

  /// Complains when the key is missing; `help` says what to write.
  void require(std::string_view key, std::string_view help);

  /// Complains when the key is there: it means nothing for this table, because `reason`.
  void refuse(std::string_view key, std::string_view reason, std::string_view help);

  /// Complains about all keys that nobody asked for.
  void finish();

  [[nodiscard]] const std::string& title() const { return title_; }
  [[nodiscard]] Span span() const { return table_.span; }

 private:
  void complain(const syntax::Entry& entry);
  [[nodiscard]] bool is_below_params(std::string_view key) const;

  Context& context_;
  Room room_;
  const syntax::Node& table_;
  std::string title_;
  std::vector<std::string_view> known_;
};

/// Complains that `node`, called `what`, is not of the kind `expected`.
Diagnostic& wrong_kind(Context& context, const syntax::Node& node, std::string_view what,
                       std::string_view expected);

/// "did you mean `x`?" when `word` is close to a candidate, else `otherwise`, which may be empty.
void suggest(Diagnostic& diagnostic, std::string_view word,
             const std::vector<std::string_view>& candidates, std::string_view otherwise = {});

}  // namespace mntcr::spec
