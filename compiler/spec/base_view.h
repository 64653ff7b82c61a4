// What a file extends, as its [[change]] and [[remove]] entries see it: mounts that can be found by
// namespace, target, layer or name, and what lies on each.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/keys.h"
#include "compiler/spec/placement.h"
#include "runtime/plan/plan.h"

namespace mntcr::spec {

/// What a copy is a copy of, the mount by its id.
struct CopiedFrom {
  std::uint32_t original = 0;  ///< the mount at the beginning, of a copy of copies
  Walk walk = Walk::copies;    ///< how its `self:` paths are meant
};

/// A mount while files are merged: its table, put together from all that was said about it. The
/// first of a list is [root], also when no file has written it yet.
struct MergedMount {
  syntax::Node node;
  std::vector<FileId> files;  ///< those that declare it; [root] may have several, or none
  std::uint32_t id = 0;       ///< stays when others come and go
  std::string ns = main_namespace;
  bool root = false;                     ///< of its namespace
  std::optional<CopiedFrom> from = {};   ///< of a copy that a `clone` makes
  std::optional<std::uint32_t> on = {};  ///< the id of what it lies on, where no word says it
  std::uint32_t content = 0;             ///< mounts with equal ones are one mount and copies of it
};

/// The words by which an entry says which mount it means.
struct Selector {
  Span span;  ///< the most telling of them
  std::optional<Text> target;
  std::optional<Text> name;
  std::optional<std::int64_t> layer;
  Span layer_span;
  std::optional<Text> ns;  ///< without it main, but a name is looked for everywhere
};

/// Reads `key` (a target), `namespace` and `layer`, and `name` where `by_name`. Nothing after a
/// complaint.
std::optional<Selector> read_selector(Context& context, TableReader& table, std::string_view key,
                                      bool by_name);

/// See the top of the file. Mounts are called by their index in the list given; it must stay as it
/// is while this lives.
class BaseView {
 public:
  /// Sees those of `mounts` that the files of `scope` declare.
  BaseView(const std::vector<MergedMount>& mounts, const std::vector<FileId>& scope,
           const Params& params);

  /// The mount that is meant, or nothing after a complaint.
  [[nodiscard]] std::optional<std::size_t> find(Context& context, const Selector& selector) const;

  /// The lowest mount of the namespace at `target` that says `on = name`, or is a copy and lies on
  /// the mount of that name.
  [[nodiscard]] std::optional<std::size_t> find_on(std::string_view ns, std::string_view target,
                                                   std::string_view name) const;

  /// Whether a mount is seen.
  [[nodiscard]] bool sees(std::size_t mount) const { return numbers_[mount].has_value(); }

  /// What a mount lies on; nothing for the root and for mounts that are not seen.
  [[nodiscard]] std::optional<std::size_t> parent(std::size_t mount) const;

  /// The mount that a mount names by `on`.
  [[nodiscard]] std::optional<std::size_t> named(std::size_t mount) const;

  /// The mounts that are seen, each behind what it lies on.
  [[nodiscard]] std::vector<std::size_t> tree_order() const;

  [[nodiscard]] const std::string& target(std::size_t mount) const;

 private:
  /// A mount that is seen. Its index is that of the placement.
  struct Item {
    std::size_t at = 0;
    Standing standing;
    std::string name;
    std::string on;
    Span span;
    const MergedMount* mount;
  };
  using Place = std::pair<std::uint32_t, std::string>;

  void add(const MergedMount& mount, std::size_t at, const Params& params);
  void resolve_names();
  [[nodiscard]] bool is_missing(const Item& item) const { return item.at == 0 && !has_root_; }
  [[nodiscard]] std::vector<const Item*> matching(const Selector& selector) const;
  void complain_none(Context& context, const Selector& selector) const;
  static void complain_many(Context& context, const Selector& selector,
                            const std::vector<const Item*>& found);

  std::vector<Item> items_;
  std::vector<std::optional<MountIndex>> numbers_;  ///< of the mounts of the list
  std::optional<Placement> placement_;
  std::map<std::string, std::uint32_t, std::less<>> namespaces_;  ///< their numbers
  std::vector<MountIndex> order_;                                 ///< tree order
  std::map<Place, std::vector<MountIndex>> by_place_;  ///< by namespace and target, in tree order
  bool has_root_ = false;
};

}  // namespace mntcr::spec
