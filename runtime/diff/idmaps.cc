#include "runtime/diff/idmaps.h"

#include <fmt/format.h>

#include "runtime/diff/toml_text.h"

namespace mntcr {
namespace {

bool are_same(const std::optional<IdMap>& a, const std::optional<IdMap>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->is_unknown() || b->is_unknown() || idmap::same(*a, *b);
}

std::string toml_list(const IdRanges& ranges) {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const IdRange& range : ranges) texts.push_back(idmap::range_text(range));
  return toml_array(texts);
}

std::string toml_value(const std::optional<IdMap>& map) {
  if (!map) return R"("none")";
  if (map->uid.empty() || map->gid.empty()) return R"("unknown")";
  return fmt::format("{{ uid = {}, gid = {} }}", toml_list(map->uid), toml_list(map->gid));
}

}  // namespace

std::vector<Difference> compare_idmap(const Plan& plan, const ResolvedSources& sources,
                                      const DesiredMount& desired, const LiveMount& live) {
  std::optional<IdMap> wanted;
  if (desired.idmap != no_index) {
    wanted = plan.idmaps[desired.idmap];
  } else if (const auto source = sources.by_superblock.find(desired.superblock);
             source != sources.by_superblock.end()) {
    if (!source->second) return {};
    wanted = source->second->idmap;
  }
  if (are_same(wanted, live.idmap)) return {};
  const auto words = [](const std::optional<IdMap>& map) {
    return map ? idmap::words(*map) : "none";
  };
  return {{"idmap", words(wanted), words(live.idmap)}};
}

IdmapWords::IdmapWords(const DiffReport& report, const Delta& delta,
                       const std::map<std::uint32_t, std::uint32_t>& desired_of)
    : report_(report), delta_(delta), desired_of_(desired_of), parent_tree_(report.parent) {}

/// The mount of the parent whose idmap a mount gets from its source; nullptr where it gets none.
const LiveMount* IdmapWords::source_of(std::uint32_t live) const {
  const auto& outside = report_.parent.mounts;
  std::uint32_t shown = live;
  if (const auto listed = delta_.sources.find(live); listed != delta_.sources.end()) {
    if (listed->second.parent != no_index) return &outside[listed->second.parent];
    if (listed->second.shown == no_index) return nullptr;
    shown = listed->second.shown;
  }
  const auto base = desired_of_.find(shown);
  if (base == desired_of_.end()) return nullptr;
  const DesiredSuperblock& superblock =
      report_.plan.superblocks[report_.plan.mounts[base->second].superblock];
  if (superblock.kind != DesiredSuperblock::Kind::parent || outside.empty()) return nullptr;
  const std::uint32_t met = parent_tree_.walk(0, superblock.path);
  return met == no_index ? nullptr : &outside[met];
}

std::string IdmapWords::value(std::uint32_t live) const {
  const LiveMount* source = source_of(live);
  const std::optional<IdMap>& has = report_.live.mounts[live].idmap;
  const std::optional<IdMap> given = source == nullptr ? std::nullopt : source->idmap;
  // Of two unknown ones, too: a bind of an idmapped mount can have no other idmap than that.
  return are_same(has, given) ? std::string{} : toml_value(has);
}

}  // namespace mntcr
