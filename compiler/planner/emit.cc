#include "compiler/planner/emit.h"

#include <cstring>
#include <unordered_map>

#include "runtime/plan/format.h"
#include "specs/plan_generated.h"

namespace mntcr {
namespace {

namespace format = plan_format;

fb::Span write_span(Span span) { return {span.file, span.begin, span.end}; }

/// Numbers strings in the order of their first use, each once.
class StringTable {
 public:
  std::uint32_t number(const std::string& string) {
    const auto [found, is_new] =
        numbers_.try_emplace(string, static_cast<std::uint32_t>(strings_.size()));
    if (is_new) strings_.push_back(string);
    return found->second;
  }

  [[nodiscard]] const std::vector<std::string>& strings() const { return strings_; }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> strings_;
};

fb::Op write_op(const Op& op, StringTable& strings) {
  return {static_cast<std::uint8_t>(op.kind),
          static_cast<std::uint8_t>(op.create),
          op.host,
          op.dst,
          op.a,
          op.b,
          op.mount,
          strings.number(op.text),
          write_span(op.span),
          op.attrs.value,
          op.attrs.mask};
}

fb::Mount write_mount(const DesiredMount& mount, StringTable& strings) {
  return {mount.parent,
          mount.superblock,
          strings.number(mount.target),
          strings.number(mount.mountpoint),
          strings.number(mount.root),
          write_span(mount.span),
          mount.attrs.value,
          mount.attrs.mask,
          strings.number(mount.name),
          strings.number(mount.self),
          mount.of,
          mount.on,
          mount.cover,
          mount.idmap,
          mount.deleted,
          mount.ns,
          mount.group,
          mount.master,
          mount.unbindable,
          static_cast<std::uint8_t>(mount.implied)};
}

fb::Node write_node(const DesiredNode& node, StringTable& strings) {
  return {node.superblock,
          static_cast<std::uint8_t>(node.kind),
          node.deleted,
          node.mode,
          node.uid,
          node.gid,
          node.dev_major,
          node.dev_minor,
          strings.number(node.path),
          strings.number(node.target),
          write_span(node.span),
          node.of};
}

flatbuffers::Offset<fb::Layer> write_layer(flatbuffers::FlatBufferBuilder& builder,
                                           const DesiredLayer& layer) {
  const fb::Span span = write_span(layer.span);
  const auto root = builder.CreateString(layer.root);
  const auto shown = builder.CreateString(layer.shown);
  return fb::CreateLayer(builder, static_cast<std::uint8_t>(layer.role), layer.superblock, root,
                         shown, &span);
}

flatbuffers::Offset<fb::Superblock> write_superblock(flatbuffers::FlatBufferBuilder& builder,
                                                     const DesiredSuperblock& superblock) {
  const fb::Span span = write_span(superblock.span);
  const auto path = builder.CreateString(superblock.path);
  const auto type = builder.CreateString(superblock.type);
  const auto fsname = builder.CreateString(superblock.fsname);
  const auto name = builder.CreateString(superblock.name);
  const auto params = builder.CreateVectorOfStrings(superblock.params);
  std::vector<flatbuffers::Offset<fb::Layer>> layers;
  for (const DesiredLayer& layer : superblock.layers) layers.push_back(write_layer(builder, layer));
  const auto layer_list = builder.CreateVector(layers);
  return fb::CreateSuperblock(builder, static_cast<std::uint8_t>(superblock.kind),
                              superblock.follow, path, type, fsname, name, params, &span,
                              layer_list, superblock.flags.value, superblock.flags.mask);
}

flatbuffers::Offset<fb::IdMap> write_idmap(flatbuffers::FlatBufferBuilder& builder,
                                           const IdMap& map) {
  const auto list = [&](const IdRanges& ranges) {
    std::vector<fb::IdRange> written;
    written.reserve(ranges.size());
    for (const IdRange& range : ranges)
      written.emplace_back(range.inside, range.outside, range.count);
    return builder.CreateVectorOfStructs(written);
  };
  const auto uid = list(map.uid);
  const auto gid = list(map.gid);
  return fb::CreateIdMap(builder, uid, gid);
}

flatbuffers::Offset<fb::Namespace> write_namespace(flatbuffers::FlatBufferBuilder& builder,
                                                   const DesiredNamespace& made) {
  const fb::Span span = write_span(made.span);
  const auto name = builder.CreateString(made.name);
  return fb::CreateNamespace(builder, name, made.clone, &span);
}

flatbuffers::Offset<fb::Group> write_group(flatbuffers::FlatBufferBuilder& builder,
                                           const DesiredGroup& group) {
  const fb::Span span = write_span(group.span);
  const auto name = builder.CreateString(group.name);
  const auto parent = builder.CreateString(group.parent);
  return fb::CreateGroup(builder, name, group.master, parent, group.exact, &span);
}

flatbuffers::DetachedBuffer write_body(const Plan& plan) {
  flatbuffers::FlatBufferBuilder builder;
  StringTable strings;
  std::vector<fb::Op> ops;
  std::vector<fb::Mount> mounts;
  std::vector<fb::Node> nodes;
  ops.reserve(plan.ops.size());
  mounts.reserve(plan.mounts.size());
  for (const Op& op : plan.ops) ops.push_back(write_op(op, strings));
  for (const DesiredMount& mount : plan.mounts) mounts.push_back(write_mount(mount, strings));
  for (const DesiredNode& node : plan.nodes) nodes.push_back(write_node(node, strings));

  std::vector<flatbuffers::Offset<fb::Source>> sources;
  for (const SourceText& source : plan.sources.texts()) {
    const auto name = builder.CreateString(source.name);
    const auto text = builder.CreateString(source.text);
    sources.push_back(fb::CreateSource(builder, name, text));
  }
  std::vector<flatbuffers::Offset<fb::Superblock>> superblocks;
  for (const DesiredSuperblock& superblock : plan.superblocks) {
    superblocks.push_back(write_superblock(builder, superblock));
  }
  std::vector<flatbuffers::Offset<fb::Setting>> settings;
  for (const PlanSetting& setting : plan.settings) {
    const auto param = builder.CreateString(setting.name);
    const auto value = builder.CreateString(setting.value);
    settings.push_back(fb::CreateSetting(builder, param, value));
  }
  const auto filesystem_names = builder.CreateVectorOfStrings(plan.filesystem_names);
  const auto setting_list = builder.CreateVector(settings);
  std::vector<flatbuffers::Offset<fb::IdMap>> idmaps;
  for (const IdMap& map : plan.idmaps) idmaps.push_back(write_idmap(builder, map));
  std::vector<flatbuffers::Offset<fb::Namespace>> namespaces;
  for (const DesiredNamespace& made : plan.namespaces)
    namespaces.push_back(write_namespace(builder, made));
  std::vector<flatbuffers::Offset<fb::Group>> groups;
  for (const DesiredGroup& group : plan.groups) groups.push_back(write_group(builder, group));
  const auto name = builder.CreateString(plan.name);
  const auto source_list = builder.CreateVector(sources);
  const auto string_list = builder.CreateVectorOfStrings(strings.strings());
  const auto superblock_list = builder.CreateVector(superblocks);
  const auto mount_list = builder.CreateVectorOfStructs(mounts);
  const auto op_list = builder.CreateVectorOfStructs(ops);
  const auto idmap_list = builder.CreateVector(idmaps);
  const auto node_list = builder.CreateVectorOfStructs(nodes);
  const auto namespace_list = builder.CreateVector(namespaces);
  const auto group_list = builder.CreateVector(groups);
  fb::FinishPlanBuffer(
      builder,
      fb::CreatePlan(builder, name, source_list, string_list, superblock_list, mount_list, op_list,
                     plan.slots, filesystem_names, setting_list, idmap_list, node_list,
                     namespace_list, group_list, static_cast<std::uint8_t>(plan.escape)));
  return builder.Release();
}

template <class T>
void put(std::vector<std::byte>& bytes, std::size_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace

std::vector<std::byte> emit_plan(const Plan& plan) {
  const flatbuffers::DetachedBuffer body = write_body(plan);
  const auto body_bytes = std::as_bytes(std::span(body.data(), body.size()));
  std::vector<std::byte> bytes(format::header_size);
  put(bytes, 0, format::magic);
  put(bytes, format::version_at, format::version);
  put(bytes, format::header_size_at, static_cast<std::uint32_t>(format::header_size));
  put(bytes, format::length_at, static_cast<std::uint64_t>(body.size()));
  put(bytes, format::digest_at, format::digest_of(body_bytes));
  bytes.insert(bytes.end(), body_bytes.begin(), body_bytes.end());
  return bytes;
}

}  // namespace mntcr
