// Random specs: what lay_out says is checked against a naive walk of the tree it made, component by
// component, and against itself with the entries of the file in another order.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "compiler/layout/layout.h"
#include "runtime/base/path.h"

namespace mntcr {
namespace {

using Random = std::mt19937;

int pick(Random& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

std::string random_path(Random& random) {
  std::string path;
  const int depth = pick(random, 4);
  for (int i = 0; i < depth; ++i)
    path += std::string("/") + static_cast<char>('a' + pick(random, 3));
  return path.empty() ? "/" : path;
}

/// A source that shows something of its own, so that mounts can be told apart; or a `self:` one.
spec::MountDecl random_mount(Random& random, std::uint32_t number) {
  spec::MountDecl mount;
  mount.target = {random_path(random), {}};
  mount.span = {0, number, number + 1};
  if (pick(random, 3) == 0) {
    mount.source = {spec::SourceRef::Scheme::self, "", random_path(random), {}};
  } else {
    mount.source = {spec::SourceRef::Scheme::parent, "", "/p" + std::to_string(number), {}};
  }
  return mount;
}

/// Says `on` an earlier mount that the target allows, and `cover`, now and then.
void place_oddly(spec::Spec& spec, std::size_t index, Random& random) {
  spec::MountDecl& mount = spec.mounts[index];
  mount.cover = pick(random, 4) == 0;
  const auto on = static_cast<std::uint32_t>(pick(random, static_cast<int>(index)));
  const std::string& above = spec.mounts[on].target.value;
  if (pick(random, 2) == 0 && path::is_at_or_below(mount.target.value, above)) mount.on_mount = on;
}

spec::Spec random_spec(Random& random) {
  spec::Spec spec;
  spec.name = {"random", {}};
  const int count = 1 + pick(random, 12);
  for (int i = 0; i < count; ++i)
    spec.mounts.push_back(random_mount(random, static_cast<std::uint32_t>(i)));
  spec.mounts[0].target.value = "/";
  spec.mounts[0].source = {spec::SourceRef::Scheme::parent, "", "/root", {}};
  if (pick(random, 3) != 0) {
    for (std::size_t i = 1; i < spec.mounts.size(); ++i) place_oddly(spec, i, random);
  }
  return spec;
}

/// Whether `mount` is `gone` or lies on it.
bool is_gone(const Layout& layout, std::uint32_t mount, std::uint32_t gone) {
  for (; mount != no_index; mount = layout.mounts[mount].parent) {
    if (mount == gone) return true;
  }
  return false;
}

struct Spot {
  std::uint32_t mount = 0;
  std::string at;  ///< relative to the mount's root
};

const spec::MountDecl& decl_of(const spec::Spec& spec, const Layout& layout, std::uint32_t mount) {
  return *std::find_if(spec.mounts.begin(), spec.mounts.end(), [&](const spec::MountDecl& decl) {
    return decl.span == layout.mounts[mount].span;
  });
}

/// Steps onto the highest of what is stacked on `spot` that is no cover.
void cross(const spec::Spec& spec, const Layout& layout, Spot& spot, std::uint32_t gone) {
  Spot climbing = spot;
  for (std::uint32_t next = 0; next < layout.mounts.size(); ++next) {
    const LayoutMount& mount = layout.mounts[next];
    if (mount.parent != climbing.mount || mount.mountpoint != climbing.at ||
        is_gone(layout, next, gone))
      continue;
    climbing = {next, ""};
    if (!decl_of(spec, layout, next).cover) spot = climbing;
    next = 0;
  }
}

/// Walks `path` as if `gone` and all on it were not there.
Spot walk(const spec::Spec& spec, const Layout& layout, const std::string& path,
          std::uint32_t gone) {
  Spot spot;
  cross(spec, layout, spot, gone);
  for (const std::string_view component : path::components(path)) {
    spot.at = path::join(spot.at, component);
    cross(spec, layout, spot, gone);
  }
  return spot;
}

std::uint32_t find_by_span(const Layout& layout, Span span) {
  for (std::uint32_t i = 0; i < layout.mounts.size(); ++i) {
    if (layout.mounts[i].span == span) return i;
  }
  return no_index;
}

/// Whether `other` may stand between a mount and what that should lie on, at the same place.
bool may_be_between(const spec::MountDecl& decl, const spec::MountDecl& other) {
  if (other.target.value != decl.target.value) return false;
  if (decl.on_mount) return other.on_mount.has_value();
  return other.cover && (decl.cover || other.on_mount);
}

void check_parent(const spec::Spec& spec, const Layout& layout, std::uint32_t number) {
  const spec::MountDecl& decl = decl_of(spec, layout, number);
  Spot wanted = walk(spec, layout, decl.target.value, number);
  if (decl.on_mount) {
    const spec::MountDecl& on = spec.mounts[*decl.on_mount];
    wanted = {find_by_span(layout, on.span), path::relative_to(decl.target.value, on.target.value)};
  }
  std::uint32_t at = number;
  while (layout.mounts[at].parent != wanted.mount) {
    REQUIRE(layout.mounts[at].mountpoint.empty());
    at = layout.mounts[at].parent;
    REQUIRE(at != 0);
    REQUIRE(may_be_between(decl, decl_of(spec, layout, at)));
  }
  CHECK(layout.mounts[at].mountpoint == wanted.at);
}

void check_mount(const spec::Spec& spec, const Layout& layout, std::size_t index) {
  const spec::MountDecl& decl = spec.mounts[index];
  const std::uint32_t number = find_by_span(layout, decl.span);
  REQUIRE(number != no_index);
  const LayoutMount& mount = layout.mounts[number];
  CHECK(mount.target == decl.target.value);
  if (index > 0) {
    REQUIRE(mount.parent < number);
    check_parent(spec, layout, number);
  }
  const DesiredSuperblock& superblock = layout.superblocks[mount.superblock];
  if (decl.source->scheme == spec::SourceRef::Scheme::parent) {
    CHECK(superblock.path == decl.source->path);
    CHECK(mount.root.empty());
  } else {
    const Spot shown = walk(spec, layout, decl.source->path, number);
    CHECK(layout.mounts[shown.mount].superblock == mount.superblock);
    CHECK(path::join(layout.mounts[shown.mount].root, shown.at) == mount.root);
  }
}

/// Of two mounts of one target that are placed alike, the later lies above the earlier.
void check_stacks(const spec::Spec& spec, const Layout& layout) {
  std::map<std::pair<std::string, bool>, std::uint32_t> tops;
  for (const spec::MountDecl& decl : spec.mounts) {
    if (decl.on_mount) continue;
    const std::uint32_t number = find_by_span(layout, decl.span);
    const auto [lower, fresh] = tops.try_emplace({decl.target.value, decl.cover}, number);
    if (!fresh) CHECK(is_gone(layout, number, lower->second));
    lower->second = number;
  }
}

/// The kernel holds one mount at a place of another.
void check_places(const Layout& layout) {
  std::set<std::pair<std::uint32_t, std::string>> places;
  for (const LayoutMount& mount : layout.mounts) {
    CHECK(places.emplace(mount.parent, mount.mountpoint).second);
    if (mount.parent == no_index) continue;
    CHECK(path::join(layout.mounts[mount.parent].target, mount.mountpoint) == mount.target);
  }
}

/// The same mounts in another order, those of one target in the same.
spec::Spec shuffled(const spec::Spec& spec, Random& random) {
  spec::Spec other = spec;
  std::shuffle(other.mounts.begin() + 1, other.mounts.end(), random);
  std::map<std::string, std::vector<spec::MountDecl>> by_target;
  for (auto mount = spec.mounts.rbegin(); mount != spec.mounts.rend(); ++mount) {
    by_target[mount->target.value].push_back(*mount);
  }
  for (spec::MountDecl& mount : other.mounts) {
    auto& stack = by_target[mount.target.value];
    mount = stack.back();
    stack.pop_back();
  }
  std::map<Span, std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < other.mounts.size(); ++i) numbers[other.mounts[i].span] = i;
  for (spec::MountDecl& mount : other.mounts) {
    if (mount.on_mount) mount.on_mount = numbers.at(spec.mounts[*mount.on_mount].span);
  }
  return other;
}

bool same(const Layout& a, const Layout& b) {
  const auto same_mount = [](const LayoutMount& x, const LayoutMount& y) {
    return x.parent == y.parent && x.superblock == y.superblock && x.target == y.target &&
           x.mountpoint == y.mountpoint && x.root == y.root && x.span == y.span;
  };
  const auto same_superblock = [](const DesiredSuperblock& x, const DesiredSuperblock& y) {
    return x.kind == y.kind && x.path == y.path && x.follow == y.follow;
  };
  return std::equal(a.mounts.begin(), a.mounts.end(), b.mounts.begin(), b.mounts.end(),
                    same_mount) &&
         std::equal(a.superblocks.begin(), a.superblocks.end(), b.superblocks.begin(),
                    b.superblocks.end(), same_superblock);
}

TEST_CASE("random layouts agree with a naive walk and do not depend on the order of the file") {
  int laid_out = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const spec::Spec spec = random_spec(random);
    Diagnostics diagnostics;
    const auto layout = lay_out(spec, diagnostics);
    Diagnostics other_diagnostics;
    const auto other = lay_out(shuffled(spec, random), other_diagnostics);
    REQUIRE(layout.has_value() == other.has_value());
    if (!layout) {
      REQUIRE(diagnostics.has_errors());
      continue;
    }
    ++laid_out;
    REQUIRE(layout->mounts.size() == spec.mounts.size());
    for (std::size_t i = 0; i < spec.mounts.size(); ++i) check_mount(spec, *layout, i);
    check_stacks(spec, *layout);
    check_places(*layout);
    CHECK(same(*layout, *other));
  }
  CHECK(laid_out > 2000);
}

}  // namespace
}  // namespace mntcr
