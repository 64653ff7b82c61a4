// What a [[change]] says about the mount that it found, and how that gets into the mount's table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spec/keys.h"

namespace mntcr::spec {

struct Change {
  std::optional<Text> to;           ///< the new target
  std::vector<syntax::Entry> keys;  ///< what replaces the mount's own
  std::vector<syntax::Node> unset;  ///< strings: the keys that go

  [[nodiscard]] bool sets(std::string_view key) const;
};

/// Reads all keys of a [[change]] but those that find the mount.
Change decode_change(Context& context, TableReader& table, const syntax::Node& node);

/// Changes the table of a mount, `to` excepted: first `unset`, then keys. A word of `options`
/// replaces what it contradicts, entries of `tree` are added, any other key is replaced whole.
void apply_change(Context& context, const Change& change, syntax::Node& mount);

void drop_entry(syntax::Node& table, std::string_view key);

/// Gives a mount another target, which shall be pointed at as `span`.
void set_target(syntax::Node& mount, std::string_view target, Span span);

}  // namespace mntcr::spec
