// What a file extends, as its [[change]] and [[remove]] entries see it: mounts that can be found by
// target, layer or name, and what lies on each.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spec/keys.h"
#include "compiler/spec/placement.h"

namespace mntcr::spec {

/// A mount while files are merged: its table, put together from all that was said about it. The
/// first of a list is [root], also when no file has written it yet.
struct MergedMount {
  syntax::Node node;
  std::vector<FileId> files;  ///< those that declare it; [root] may have several, or none
  std::uint32_t id = 0;       ///< stays when others come and go
};

/// The words by which an entry says which mount it means.
struct Selector {
  Span span;  ///< the most telling of them
  std::optional<Text> target;
  std::optional<Text> name;
  std::optional<std::int64_t> layer;
  Span layer_span;
};

/// Reads `key` (a target) and `layer`, and `name` where `by_name`. Nothing after a complaint.
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

  /// The lowest mount at `target` that says `on = name`.
  [[nodiscard]] std::optional<std::size_t> find_on(std::string_view target,
                                                   std::string_view name) const;

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
  };

  void add(const MergedMount& mount, std::size_t at, const Params& params);
  void resolve_names();
  [[nodiscard]] std::vector<const Item*> matching(const Selector& selector) const;
  void complain_none(Context& context, const Selector& selector) const;
  static void complain_many(Context& context, const Selector& selector,
                            const std::vector<const Item*>& found);

  std::vector<Item> items_;
  std::vector<std::optional<MountIndex>> numbers_;  ///< of the mounts of the list
  std::optional<Placement> placement_;
  std::vector<MountIndex> order_;                                          ///< tree order
  std::map<std::string, std::vector<MountIndex>, std::less<>> by_target_;  ///< in tree order
  bool has_root_ = false;
};

}  // namespace mntcr::spec
