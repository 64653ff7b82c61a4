#include "runtime/plan/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/base/path.h"
#include "runtime/plan/format.h"
#include "runtime/plan/verify.h"
#include "specs/plan_generated.h"

static_assert(std::endian::native == std::endian::little,
              "plan.bin is read in place, little endian");

namespace mntcr {
namespace {

namespace format = plan_format;

template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t offset) {
  T number{};
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

Span read_span(const fb::Span& span) { return {span.file(), span.begin(), span.end()}; }

std::string read_string(const flatbuffers::String* string) {
  return string == nullptr ? std::string{} : std::string(string->data(), string->size());
}

/// Copies the verified body into a Plan. Indices are checked here, meaning in verify.cc.
class BodyReader {
 public:
  explicit BodyReader(const fb::Plan& body) : body_(body) {}

  std::optional<Plan> read() {
    plan_.name = read_string(body_.name());
    plan_.slots = body_.slots();
    for (const fb::Source* source : *body_.sources()) {
      plan_.sources.add(read_string(source->name()), read_string(source->text()));
    }
    for (const fb::Superblock* superblock : *body_.superblocks()) read_superblock(*superblock);
    plan_.mounts.reserve(body_.mounts()->size());
    for (const fb::Mount* mount : *body_.mounts()) read_mount(*mount);
    read_idmaps();
    read_namespaces();
    read_groups();
    for (const fb::Node* node : *body_.nodes()) read_node(*node);
    plan_.ops.reserve(body_.ops()->size());
    for (const fb::Op* op : *body_.ops()) read_op(*op);
    read_words();
    if (!sound_) return std::nullopt;
    return std::move(plan_);
  }

 private:
  std::string string_at(std::uint32_t index) {
    if (index < body_.strings()->size()) return read_string(body_.strings()->Get(index));
    sound_ = false;
    return {};
  }

  void read_superblock(const fb::Superblock& in) {
    DesiredSuperblock superblock;
    sound_ &= in.kind() <= static_cast<std::uint8_t>(DesiredSuperblock::Kind::made);
    superblock.kind = static_cast<DesiredSuperblock::Kind>(in.kind());
    superblock.follow = in.follow();
    superblock.path = read_string(in.path());
    superblock.type = read_string(in.type());
    superblock.fsname = read_string(in.fsname());
    superblock.name = read_string(in.name());
    if (in.params() != nullptr) {
      for (const flatbuffers::String* param : *in.params()) {
        superblock.params.push_back(read_string(param));
      }
    }
    if (in.layers() != nullptr) {
      for (const fb::Layer* layer : *in.layers()) superblock.layers.push_back(read_layer(*layer));
    }
    superblock.flags = {in.flag_value(), in.flag_mask()};
    if (in.span() != nullptr) superblock.span = read_span(*in.span());
    plan_.superblocks.push_back(std::move(superblock));
  }

  DesiredLayer read_layer(const fb::Layer& in) {
    sound_ &= in.role() < static_cast<std::uint8_t>(LayerRole::data);
    DesiredLayer layer{static_cast<LayerRole>(in.role()),
                       in.superblock(),
                       read_string(in.root()),
                       read_string(in.shown()),
                       {}};
    if (in.span() != nullptr) layer.span = read_span(*in.span());
    return layer;
  }

  void read_mount(const fb::Mount& in) {
    sound_ &= in.implied() <= static_cast<std::uint8_t>(Implied::sharing);
    plan_.mounts.push_back({in.parent(),
                            in.superblock(),
                            string_at(in.target()),
                            string_at(in.mountpoint()),
                            string_at(in.root()),
                            {in.attr_value(), in.attr_mask()},
                            read_span(in.span()),
                            string_at(in.name()),
                            in.on(),
                            in.cover(),
                            string_at(in.self()),
                            in.of(),
                            in.idmap(),
                            in.deleted(),
                            in.ns(),
                            in.group(),
                            in.master(),
                            in.unbindable(),
                            static_cast<Implied>(in.implied())});
  }

  void read_node(const fb::Node& in) {
    sound_ &= in.kind() <= static_cast<std::uint8_t>(NodeKind::symlink);
    plan_.nodes.push_back({.superblock = in.superblock(),
                           .kind = static_cast<NodeKind>(in.kind()),
                           .deleted = in.deleted(),
                           .mode = in.mode(),
                           .uid = in.uid(),
                           .gid = in.gid(),
                           .dev_major = in.dev_major(),
                           .dev_minor = in.dev_minor(),
                           .path = string_at(in.path()),
                           .target = string_at(in.target()),
                           .span = read_span(in.span()),
                           .of = in.of()});
  }

  /// What only deltas need.
  void read_words() {
    if (body_.filesystem_names() != nullptr) {
      for (const flatbuffers::String* name : *body_.filesystem_names()) {
        plan_.filesystem_names.push_back(read_string(name));
      }
    }
    if (body_.settings() == nullptr) return;
    for (const fb::Setting* setting : *body_.settings()) {
      plan_.settings.push_back({read_string(setting->name()), read_string(setting->value())});
    }
  }

  static IdRanges read_ranges(const flatbuffers::Vector<const fb::IdRange*>& in) {
    IdRanges ranges;
    for (const fb::IdRange* range : in)
      ranges.push_back({range->inside(), range->outside(), range->count()});
    return ranges;
  }

  void read_idmaps() {
    if (body_.idmaps() == nullptr) return;
    for (const fb::IdMap* map : *body_.idmaps())
      plan_.idmaps.push_back({read_ranges(*map->uid()), read_ranges(*map->gid())});
  }

  void read_namespaces() {
    plan_.namespaces.clear();
    for (const fb::Namespace* in : *body_.namespaces()) {
      DesiredNamespace& made = plan_.namespaces.emplace_back();
      made.name = read_string(in->name());
      made.clone = in->clone();
      if (in->span() != nullptr) made.span = read_span(*in->span());
    }
  }

  void read_groups() {
    sound_ &= body_.escape() <= static_cast<std::uint8_t>(Escape::allow);
    plan_.escape = static_cast<Escape>(body_.escape());
    if (body_.groups() == nullptr) return;
    for (const fb::Group* in : *body_.groups()) {
      DesiredGroup& group = plan_.groups.emplace_back();
      group.name = read_string(in->name());
      group.master = in->master();
      group.parent = read_string(in->parent());
      group.exact = in->exact();
      if (in->span() != nullptr) group.span = read_span(*in->span());
    }
  }

  void read_op(const fb::Op& in) {
    sound_ &= is_op(in.kind()) && in.create() <= static_cast<std::uint8_t>(Create::never);
    if (!sound_) return;
    plan_.ops.push_back({static_cast<OpKind>(in.kind()),
                         static_cast<Create>(in.create()),
                         in.host(),
                         in.dst(),
                         in.a(),
                         in.b(),
                         in.mount(),
                         string_at(in.text()),
                         {in.attr_value(), in.attr_mask()},
                         read_span(in.span())});
  }

  const fb::Plan& body_;
  Plan plan_;
  bool sound_ = true;
};

std::optional<Plan> read_body(std::span<const std::byte> body) {
  // The buffer is copied to where FlatBuffers' structs are aligned.
  std::vector<std::uint64_t> aligned((body.size() + 7) / 8);
  std::memcpy(aligned.data(), body.data(), body.size());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(aligned.data());
  constexpr flatbuffers::uoffset_t depth = 8;
  const auto most_tables = static_cast<flatbuffers::uoffset_t>(body.size() / 4 + 1);
  flatbuffers::Verifier verifier(bytes, body.size(), depth, most_tables);
  if (!fb::VerifyPlanBuffer(verifier)) return std::nullopt;
  return BodyReader(*fb::GetPlan(bytes)).read();
}

/// What is wrong with the header, which is whole.
std::optional<std::string> header_fault(std::span<const std::byte> bytes) {
  const auto body_size = bytes.size() - format::header_size;
  if (number_at<std::uint32_t>(bytes, format::header_size_at) != format::header_size ||
      number_at<std::uint64_t>(bytes, format::reserved_at) != 0) {
    return "its header is not one that mntcr writes";
  }
  if (const auto length = number_at<std::uint64_t>(bytes, format::length_at); length != body_size) {
    return fmt::format("it should hold {} bytes after its header and holds {}", length, body_size);
  }
  const auto digest = number_at<format::Digest>(bytes, format::digest_at);
  if (digest != format::digest_of(bytes.subspan(format::header_size))) {
    return "its SHA-256 is not that of its content";
  }
  return std::nullopt;
}

}  // namespace

bool looks_like_plan(std::span<const std::byte> bytes) {
  return bytes.size() >= format::magic.size() &&
         std::memcmp(bytes.data(), format::magic.data(), format::magic.size()) == 0;
}

std::optional<Plan> read_plan(std::span<const std::byte> bytes, const std::string& file,
                              Diagnostics& diagnostics) {
  const auto refuse = [&](Code code, const std::string& why) -> std::optional<Plan> {
    diagnostics.add(code, {}, fmt::format("{}: {}", path::printable(file), why))
        .help("write it again: mntcr compile SPEC -o plan.bin");
    return std::nullopt;
  };
  if (!looks_like_plan(bytes)) return refuse(Code::E0501, "this is not a plan of mntcr");
  if (bytes.size() < format::header_size)
    return refuse(Code::E0503, "the plan ends within its header");
  if (const auto version = number_at<std::uint32_t>(bytes, format::version_at);
      version != format::version) {
    return refuse(Code::E0502, fmt::format("the plan has format {}, this mntcr reads format {}",
                                           version, format::version));
  }
  if (const auto fault = header_fault(bytes))
    return refuse(Code::E0503, "the plan is damaged: " + *fault);
  std::optional<Plan> plan = read_body(bytes.subspan(format::header_size));
  if (!plan) return refuse(Code::E0503, "the plan is damaged: its structure is not sound");
  if (const auto fault = plan_fault(*plan))
    return refuse(Code::E0504, "the plan makes no sense: " + *fault);
  return plan;
}

}  // namespace mntcr
