// Random specs: what lay_out says is checked against a naive walk of the tree it made, component by
// component, and against itself with the entries of the file in another order.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

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

spec::Spec random_spec(Random& random) {
  spec::Spec spec;
  spec.name = {"random", {}};
  const int count = 1 + pick(random, 12);
  for (int i = 0; i < count; ++i)
    spec.mounts.push_back(random_mount(random, static_cast<std::uint32_t>(i)));
  spec.mounts[0].target.value = "/";
  spec.mounts[0].source = {spec::SourceRef::Scheme::parent, "", "/root", {}};
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

/// Steps onto whatever is mounted on `spot`, as often as there is something.
void cross(const Layout& layout, Spot& spot, std::uint32_t gone) {
  for (std::uint32_t next = 0; next < layout.mounts.size(); ++next) {
    const LayoutMount& mount = layout.mounts[next];
    if (mount.parent != spot.mount || mount.mountpoint != spot.at || is_gone(layout, next, gone))
      continue;
    spot = {next, ""};
    next = 0;
  }
}

/// Walks `path` as the kernel does, as if `gone` and all on it were not there.
Spot walk(const Layout& layout, const std::string& path, std::uint32_t gone) {
  Spot spot;
  cross(layout, spot, gone);
  for (const std::string_view component : path::components(path)) {
    spot.at = path::join(spot.at, component);
    cross(layout, spot, gone);
  }
  return spot;
}

std::uint32_t find_by_span(const Layout& layout, Span span) {
  for (std::uint32_t i = 0; i < layout.mounts.size(); ++i) {
    if (layout.mounts[i].span == span) return i;
  }
  return no_index;
}

void check_mount(const spec::Spec& spec, const Layout& layout, std::size_t index) {
  const spec::MountDecl& decl = spec.mounts[index];
  const std::uint32_t number = find_by_span(layout, decl.span);
  REQUIRE(number != no_index);
  const LayoutMount& mount = layout.mounts[number];
  CHECK(mount.target == decl.target.value);
  if (index > 0) {
    REQUIRE(mount.parent < number);
    const Spot below = walk(layout, decl.target.value, number);
    CHECK(below.mount == mount.parent);
    CHECK(below.at == mount.mountpoint);
  }
  const DesiredSuperblock& superblock = layout.superblocks[mount.superblock];
  if (decl.source->scheme == spec::SourceRef::Scheme::parent) {
    CHECK(superblock.path == decl.source->path);
    CHECK(mount.root.empty());
  } else {
    const Spot shown = walk(layout, decl.source->path, number);
    CHECK(layout.mounts[shown.mount].superblock == mount.superblock);
    CHECK(path::join(layout.mounts[shown.mount].root, shown.at) == mount.root);
  }
}

/// Later entries of one target lie on earlier ones.
void check_stacks(const spec::Spec& spec, const Layout& layout) {
  std::map<std::string, std::uint32_t> tops;
  for (const spec::MountDecl& decl : spec.mounts) {
    const std::uint32_t number = find_by_span(layout, decl.span);
    const auto lower = tops.find(decl.target.value);
    if (lower != tops.end()) CHECK(layout.mounts[number].parent == lower->second);
    tops[decl.target.value] = number;
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
    CHECK(same(*layout, *other));
  }
  CHECK(laid_out > 2000);
}

}  // namespace
}  // namespace mntcr
