// See base_view.h. Tables are looked at before they are decoded, so whatever is faulty in them is
// passed over here and complained about by the decoder.
#include "compiler/spec/base_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/spec/names.h"
#include "runtime/base/path.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

std::string text_of(const Node& table, std::string_view key, const Params& params) {
  const Entry* entry = table.find(key);
  return entry != nullptr && entry->value.kind == Node::Kind::string ? params.peek(entry->value)
                                                                     : std::string();
}

bool is_true(const Node& table, std::string_view key) {
  const Entry* entry = table.find(key);
  return entry != nullptr && entry->value.kind == Node::Kind::boolean && entry->value.boolean;
}

}  // namespace

std::optional<Selector> read_selector(Context& context, TableReader& table, std::string_view key,
                                      bool by_name) {
  Selector selector;
  selector.target = table.string(key);
  if (by_name) selector.name = table.string("name");
  selector.ns = table.string("namespace");
  if (const Entry* layer = table.find("layer", Node::Kind::integer)) {
    selector.layer = layer->value.integer;
    selector.layer_span = layer->value.span;
  }
  if (selector.target) {
    selector.span = selector.target->span;
    return selector;
  }
  if (selector.name) {
    selector.span = selector.name->span;
    table.refuse("layer", "a name is that of one mount", "take it away");
    return selector;
  }
  if (table.find(key) == nullptr && table.find("name") == nullptr) {
    context.diagnostics
        .add(Code::E0203, table.span(), fmt::format("{} does not say which mount", table.title()))
        .help(R"(write its target = "/path", or its name = "NAME")");
  }
  return std::nullopt;
}

BaseView::BaseView(const std::vector<MergedMount>& mounts, const std::vector<FileId>& scope,
                   const Params& params)
    : numbers_(mounts.size()), namespaces_({{main_namespace, 0}}) {
  for (std::size_t at = 0; at < mounts.size(); ++at) {
    const auto& files = mounts[at].files;
    const bool seen =
        std::find_first_of(files.begin(), files.end(), scope.begin(), scope.end()) != files.end();
    if (at == 0) has_root_ = seen;
    if (at == 0 || seen) add(mounts[at], at, params);
  }
  resolve_names();
  std::vector<Standing> standings;
  for (const Item& item : items_) standings.push_back(item.standing);
  placement_.emplace(std::move(standings));
  order_ = placement_->tree_order();
  for (const MountIndex number : order_) {
    const Standing& standing = items_[number].standing;
    by_place_[{standing.ns, standing.target}].push_back(number);
  }
}

void BaseView::add(const MergedMount& mount, std::size_t at, const Params& params) {
  Item item{at,
            {},
            text_of(mount.node, "name", params),
            text_of(mount.node, "on", params),
            mount.node.span,
            &mount};
  item.standing.ns =
      namespaces_.try_emplace(mount.ns, static_cast<std::uint32_t>(namespaces_.size()))
          .first->second;
  item.standing.root = mount.root;
  item.standing.copied = mount.from.has_value();
  item.standing.cover = !mount.root && is_true(mount.node, "cover");
  item.standing.target = mount.root ? "/" : text_of(mount.node, "target", params);
  if (mount.root) item.name = root_name;
  if (const Entry* target = mount.node.find("target")) item.span = target->value.span;
  if (!path::is_normal_absolute(item.standing.target)) return;
  numbers_[at] = static_cast<MountIndex>(items_.size());
  items_.push_back(std::move(item));
}

void BaseView::resolve_names() {
  std::map<std::pair<std::uint32_t, std::string_view>, MountIndex> names;
  std::map<std::uint32_t, MountIndex> ids;
  for (MountIndex number = 0; number < items_.size(); ++number) {
    const Item& item = items_[number];
    ids.emplace(item.mount->id, number);
    if (!item.name.empty()) names.try_emplace({item.standing.ns, item.name}, number);
  }
  for (Item& item : items_) {
    if (item.mount->on) {
      const auto on = ids.find(*item.mount->on);
      if (on != ids.end()) item.standing.on = on->second;
    } else if (!item.on.empty()) {
      const auto on = names.find({item.standing.ns, item.on});
      if (on != names.end()) item.standing.on = on->second;
    }
  }
}

std::vector<const BaseView::Item*> BaseView::matching(const Selector& selector) const {
  const auto ns = namespaces_.find(selector.ns ? selector.ns->value : main_namespace);
  if (ns == namespaces_.end()) return {};
  const std::vector<MountIndex>* candidates = &order_;
  if (selector.target) {
    const auto at = by_place_.find({ns->second, selector.target->value});
    if (at == by_place_.end()) return {};
    candidates = &at->second;
  }
  std::vector<const Item*> found;
  for (const MountIndex number : *candidates) {
    const Item& item = items_[number];
    const bool everywhere = !selector.target && !selector.ns && !item.mount->root;
    const bool elsewhere = !everywhere && item.standing.ns != ns->second;
    const bool other_name = selector.name && selector.name->value != item.name;
    if (!is_missing(item) && !elsewhere && !other_name) found.push_back(&item);
  }
  return found;
}

std::optional<std::size_t> BaseView::find(Context& context, const Selector& selector) const {
  const auto found = matching(selector);
  if (found.empty()) {
    complain_none(context, selector);
  } else if (selector.layer) {
    const std::int64_t layer = *selector.layer;
    if (layer >= 0 && layer < static_cast<std::int64_t>(found.size()))
      return found[static_cast<std::size_t>(layer)]->at;
    context.diagnostics
        .add(Code::E0229, selector.layer_span,
             fmt::format("{} has no layer {}", selector.target->value, layer))
        .label(found.back()->span, fmt::format("the highest is layer {}", found.size() - 1))
        .note("layers are counted from 0, the bottom, in what the file extends");
  } else if (found.size() > 1) {
    complain_many(context, selector, found);
  } else {
    return found.front()->at;
  }
  return std::nullopt;
}

void BaseView::complain_none(Context& context, const Selector& selector) const {
  const bool by_target = selector.target.has_value();
  const Text& wanted = by_target ? *selector.target : *selector.name;
  const std::string_view ns =
      selector.ns ? std::string_view(selector.ns->value) : std::string_view(main_namespace);
  const bool everywhere = !by_target && !selector.ns;
  const std::string where = selector.ns ? fmt::format(" in `{}`", selector.ns->value) : "";
  Diagnostic& diagnostic = context.diagnostics.add(
      Code::E0229, selector.span,
      by_target ? fmt::format("there is no mount at {}{} to be found",
                              path::printable(wanted.value), where)
                : fmt::format("there is no mount named `{}`{} to be found", wanted.value, where));
  std::vector<std::string_view> candidates;
  for (const Item& item : items_) {
    if (is_missing(item) || (!everywhere && item.mount->ns != ns)) continue;
    const std::string& candidate = by_target ? item.standing.target : item.name;
    if (!candidate.empty()) candidates.push_back(candidate);
  }
  if (candidates.empty()) {
    diagnostic.note("mounts are looked for in what the file `extends`, and that has none");
    return;
  }
  diagnostic.note("mounts are looked for in what the file `extends`, before its own are added");
  suggest(diagnostic, wanted.value, candidates);
}

void BaseView::complain_many(Context& context, const Selector& selector,
                             const std::vector<const Item*>& found) {
  const Text& wanted = selector.target ? *selector.target : *selector.name;
  Diagnostic& diagnostic =
      context.diagnostics.add(Code::E0230, selector.span,
                              fmt::format("{} mounts are meant by {}", found.size(), wanted.value));
  for (std::size_t layer = 0; layer < found.size(); ++layer)
    diagnostic.label(found[layer]->span, fmt::format("layer {}", layer));
  diagnostic.help(
      fmt::format("say which: layer = 0 for the bottom, up to layer = {}", found.size() - 1));
}

std::optional<std::size_t> BaseView::find_on(std::string_view ns, std::string_view target,
                                             std::string_view name) const {
  const auto known = namespaces_.find(ns);
  if (known == namespaces_.end()) return std::nullopt;
  const auto candidates = by_place_.find({known->second, std::string(target)});
  if (candidates == by_place_.end()) return std::nullopt;
  for (const MountIndex number : candidates->second) {
    const Item& item = items_[number];
    const bool copied = item.on.empty() && item.standing.on;
    if (copied ? items_[*item.standing.on].name == name : item.on == name) return item.at;
  }
  return std::nullopt;
}

std::optional<std::size_t> BaseView::parent(std::size_t mount) const {
  if (!numbers_[mount]) return std::nullopt;
  const auto under = placement_->below(*numbers_[mount]);
  if (!under) return std::nullopt;
  return items_[under->mount].at;
}

std::optional<std::size_t> BaseView::named(std::size_t mount) const {
  if (!numbers_[mount]) return std::nullopt;
  const auto on = items_[*numbers_[mount]].standing.on;
  return on ? std::optional(items_[*on].at) : std::nullopt;
}

std::vector<std::size_t> BaseView::tree_order() const {
  std::vector<std::size_t> order;
  for (const MountIndex number : order_) order.push_back(items_[number].at);
  return order;
}

const std::string& BaseView::target(std::size_t mount) const {
  return items_[numbers_[mount].value()].standing.target;
}

}  // namespace mntcr::spec
