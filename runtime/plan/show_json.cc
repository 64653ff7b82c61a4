// A plan as JSON: the form is in specs/plan.md.
#include <nlohmann/json.hpp>

#include "runtime/base/filesystem_flags.h"
#include "runtime/base/utf8.h"
#include "runtime/plan/show.h"

namespace mntcr {
namespace {

using Json = nlohmann::ordered_json;

std::string text(std::string_view bytes) { return utf8::replace_invalid(bytes); }

Json flags(const AttrDemand& attrs) {
  Json words = Json::array();
  for (const std::string_view word : attr_words(attrs.value, attrs.mask)) words.push_back(word);
  return words;
}

Json place(const Plan& plan, Span span) {
  if (!plan.sources.has(span.file)) return nullptr;
  const LineColumn at = plan.sources.position(span.file, span.begin);
  return Json{
      {"file", text(plan.sources.at(span.file).name)}, {"line", at.line}, {"column", at.column}};
}

Json layers(const Plan& plan, const DesiredSuperblock& in) {
  Json list = Json::array();
  for (const DesiredLayer& layer : in.layers) {
    list.push_back(Json{{"role", layer_key(layer.role)},
                        {"superblock", layer.superblock},
                        {"root", text(layer.root)},
                        {"shown", text(layer.shown)},
                        {"place", place(plan, layer.span)}});
  }
  return list;
}

Json superblock(const Plan& plan, const DesiredSuperblock& in) {
  if (in.kind == DesiredSuperblock::Kind::parent) {
    return Json{{"parent", text(in.path)}, {"follow", in.follow}, {"place", place(plan, in.span)}};
  }
  Json params = Json::array();
  for (const std::string& param : in.params) params.push_back(text(param));
  Json flags = Json::array();
  for (const std::string_view word : filesystem_flag_words(in.flags.value, in.flags.mask)) {
    flags.push_back(word);
  }
  Json json{{"type", in.type},
            {"name", text(in.name)},
            {"fsname", text(in.fsname)},
            {"params", params},
            {"flags", flags}};
  if (!in.layers.empty()) json["layers"] = layers(plan, in);
  json["place"] = place(plan, in.span);
  return json;
}

Json index_or_null(std::uint32_t index) { return index == no_index ? Json(nullptr) : Json(index); }

Json implied(const DesiredMount& in) {
  const std::string_view word = implied_word(in.implied);
  return word.empty() ? Json(nullptr) : Json(word);
}

Json ranges(const IdRanges& in) {
  Json texts = Json::array();
  for (const IdRange& range : in) texts.push_back(idmap::range_text(range));
  return texts;
}

Json id_map(const Plan& plan, std::uint32_t index) {
  if (index >= plan.idmaps.size()) return nullptr;
  return Json{{"uid", ranges(plan.idmaps[index].uid)}, {"gid", ranges(plan.idmaps[index].gid)}};
}

Json mount(const Plan& plan, const DesiredMount& in) {
  return Json{{"target", text(in.target)},
              {"parent", index_or_null(in.parent)},
              {"mountpoint", text(in.mountpoint)},
              {"superblock", in.superblock},
              {"root", text(in.root)},
              {"deleted", in.deleted ? Json(text(deleted_label(in.root))) : Json(nullptr)},
              {"options", flags(in.attrs)},
              {"idmap", id_map(plan, in.idmap)},
              {"namespace", in.ns},
              {"group", index_or_null(in.group)},
              {"master", index_or_null(in.master)},
              {"unbindable", in.unbindable},
              {"implied", implied(in)},
              {"place", place(plan, in.span)}};
}

Json name_space(const Plan& plan, const DesiredNamespace& in) {
  return Json{
      {"name", text(in.name)}, {"clone", index_or_null(in.clone)}, {"place", place(plan, in.span)}};
}

Json group(const Plan& plan, const DesiredGroup& in) {
  return Json{{"name", text(in.name)},
              {"master", index_or_null(in.master)},
              {"parent", in.parent.empty() ? Json(nullptr) : Json(text(in.parent))},
              {"exact", in.exact},
              {"place", place(plan, in.span)}};
}

Json node(const Plan& plan, const DesiredNode& in) {
  Json json{{"superblock", in.superblock}, {"path", text(in.path)}, {"kind", kind_word(in.kind)}};
  if (in.kind == NodeKind::symlink) {
    json["target"] = text(in.target);
  } else {
    json["mode"] = in.mode;
  }
  json["uid"] = in.uid;
  json["gid"] = in.gid;
  if (in.kind == NodeKind::character || in.kind == NodeKind::block)
    json["device"] = Json::array({in.dev_major, in.dev_minor});
  json["deleted"] = in.deleted;
  json["place"] = place(plan, in.span);
  return json;
}

Json step(const Plan& plan, const Op& op) {
  Json json{{"op", describe(op.kind).name}, {"mount", index_or_null(op.mount)}};
  if (op.dst != no_slot) json["dst"] = op.dst;
  if (op.a != no_slot) json["a"] = op.a;
  if (op.b != no_slot) {
    if (op.kind == OpKind::set_attributes) {
      json["idmap"] = id_map(plan, op.b);
    } else if (op.kind == OpKind::set_propagation) {
      json["propagation"] = propagation_name(static_cast<Propagation>(op.b));
    } else {
      json["b"] = op.b;
    }
  }
  if (!op.text.empty()) json["path"] = text(op.text);
  if (op.attrs.mask != 0) json["options"] = flags(op.attrs);
  json["place"] = place(plan, op.span);
  return json;
}

}  // namespace

std::string show_json(const Plan& plan) {
  Json superblocks = Json::array();
  for (const DesiredSuperblock& in : plan.superblocks) superblocks.push_back(superblock(plan, in));
  Json namespaces = Json::array();
  for (const DesiredNamespace& in : plan.namespaces) namespaces.push_back(name_space(plan, in));
  Json groups = Json::array();
  for (const DesiredGroup& in : plan.groups) groups.push_back(group(plan, in));
  Json mounts = Json::array();
  for (const DesiredMount& in : plan.mounts) mounts.push_back(mount(plan, in));
  Json nodes = Json::array();
  for (const DesiredNode& in : plan.nodes) nodes.push_back(node(plan, in));
  Json steps = Json::array();
  for (const Op& op : plan.ops) steps.push_back(step(plan, op));
  const Json json{{"name", text(plan.name)},  {"superblocks", superblocks},
                  {"namespaces", namespaces}, {"groups", groups},
                  {"mounts", mounts},         {"nodes", nodes},
                  {"registers", plan.slots},  {"steps", steps}};
  return json.dump(2) + "\n";
}

}  // namespace mntcr
