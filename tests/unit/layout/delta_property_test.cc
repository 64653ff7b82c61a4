// Deltas: a random base and random edits of it, once written as a delta that extends the base and
// once made on the list of mounts itself, must compile to the same Layout.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/path.h"
#include "tests/unit/layout/compiled.h"

namespace mntcr {
namespace {

using testing::Compiled;
using Random = std::mt19937;

std::size_t pick(Random& random, std::size_t below) { return random() % below; }

/// A mount of the model. Its source is its own, so it is found again in any Layout.
struct Entry {
  std::string target;
  std::string source;
  std::string option;
  std::string name;
  std::string on;
  bool cover = false;
};
/// The first is the root.
using Entries = std::vector<Entry>;

std::string keys(const Entry& entry) {
  std::string text = "source = \"parent:" + entry.source + "\"\n";
  if (!entry.option.empty()) text += "options = [\"" + entry.option + "\", \"nodev\"]\n";
  return text;
}

std::string mount(const Entry& entry, const std::string& extra = {}) {
  std::string text = "[[mount]]\ntarget = \"" + entry.target + "\"\n" + extra + keys(entry);
  if (!entry.name.empty()) text += "name = \"" + entry.name + "\"\n";
  if (!entry.on.empty()) text += "on = \"" + entry.on + "\"\n";
  if (entry.cover) text += "cover = true\n";
  return text;
}

std::string full_spec(const Entries& entries) {
  std::string text = "spec = 1\nname = \"t\"\n[root]\n" + keys(entries[0]);
  for (std::size_t i = 1; i < entries.size(); ++i) text += mount(entries[i]);
  return text;
}

std::string random_path(Random& random) {
  std::string path;
  for (std::size_t depth = pick(random, 4); depth > 0; --depth)
    path += std::string("/") + static_cast<char>('a' + pick(random, 2));
  return path.empty() ? "/" : path;
}

/// A new mount for `entries`; half of them have names, some lie `on` one that has.
Entry random_entry(Random& random, const Entries& entries, const std::string& tag) {
  Entry entry;
  entry.target = random_path(random);
  entry.source = "/src/" + tag;
  entry.option = pick(random, 2) == 0 ? "ro" : "";
  entry.name = pick(random, 2) == 0 ? "m" + tag : "";
  entry.cover = pick(random, 4) == 0;
  const Entry& other = entries[pick(random, entries.size())];
  if (pick(random, 3) == 0 && !other.name.empty() &&
      path::is_at_or_below(entry.target, other.target))
    entry.on = other.name;
  return entry;
}

Entries random_base(Random& random) {
  Entries entries = {{"/", "/src/root", "", "root", "", false}};
  const std::size_t count = 1 + pick(random, 8);
  for (std::size_t i = 0; i < count; ++i)
    entries.push_back(random_entry(random, entries, "b" + std::to_string(i)));
  return entries;
}

/// The base as a tree, from its Layout: by index in Entries.
struct Tree {
  std::vector<std::size_t> order;
  std::vector<std::size_t> parent;

  Tree(const Entries& entries, const Layout& layout) : parent(entries.size()) {
    for (const LayoutMount& found : layout.mounts) {
      const std::string& source = layout.superblocks[found.superblock].path;
      const auto at = std::find_if(entries.begin(), entries.end(),
                                   [&](const Entry& entry) { return entry.source == source; });
      order.push_back(static_cast<std::size_t>(at - entries.begin()));
      if (found.parent != no_index) parent[order.back()] = order[found.parent];
    }
  }

  [[nodiscard]] bool lies_on(std::size_t mount, std::size_t other) const {
    while (mount != other && mount != 0) mount = parent[mount];
    return mount == other;
  }
};

/// How an entry of a delta says that it means `wanted`.
std::string selector(const Entries& base, const Tree& tree, std::size_t wanted) {
  std::size_t layer = 0;
  for (const std::size_t at : tree.order) {
    if (at == wanted) break;
    if (base[at].target == base[wanted].target) ++layer;
  }
  const auto same = std::count_if(base.begin(), base.end(), [&](const Entry& entry) {
    return entry.target == base[wanted].target;
  });
  std::string text = "target = \"" + base[wanted].target + "\"\n";
  if (same > 1) text += "layer = " + std::to_string(layer) + "\n";
  return text;
}

/// Makes edits on a list and writes them as a delta.
class Editor {
 public:
  Editor(const Entries& base, const Layout& layout, Random& random)
      : base_(base), tree_(base, layout), random_(random), edited_(base), gone_(base.size()) {
    choose();
    remove();
    change();
    move();
    std::vector<Entry> moved;
    for (std::size_t i = 0; i < base_.size(); ++i) {
      for (const Entry& entry : beneath_[i]) result_.push_back(entry);
      if (!gone_[i]) (moved_.contains(i) ? moved : result_).push_back(edited_[i]);
    }
    result_.insert(result_.end(), moved.begin(), moved.end());
    add();
  }

  [[nodiscard]] const std::string& delta() const { return delta_; }
  [[nodiscard]] const Entries& result() const { return result_; }

 private:
  /// One kind of edit for each mount, so that entries are not in each other's way.
  void choose() {
    for (std::size_t i = 1; i < base_.size(); ++i) {
      const std::size_t kind = pick(random_, 8);
      if (kind == 0) removed_.insert(i);
      if (kind == 1 || kind == 2) changed_.insert(i);
      if (kind == 3) movers_[i] = random_path(random_);
      if (kind == 4) put_beneath(i);
    }
    if (pick(random_, 4) == 0) changed_.insert(0);
  }

  void put_beneath(std::size_t upper) {
    const std::string tag = "n" + std::to_string(upper);
    const Entry entry{base_[upper].target, "/src/" + tag, "", "m" + tag, "", base_[upper].cover};
    std::string layer = selector(base_, tree_, upper);
    layer.erase(0, layer.find('\n') + 1);
    delta_ += mount(entry, layer.empty() ? "layer = 0\n" : layer);
    Entry written = entry;
    written.on = base_[upper].on;
    beneath_[upper].push_back(written);
  }

  void remove() {
    for (const std::size_t mount : removed_) {
      delta_ += "[[remove]]\n" + selector(base_, tree_, mount);
      for (std::size_t i = 0; i < base_.size(); ++i)
        if (tree_.lies_on(i, mount)) gone_[i] = true;
    }
  }

  void change() {
    for (const std::size_t mount : changed_) {
      if (gone_[mount]) continue;
      Entry& entry = edited_[mount];
      delta_ += "[[change]]\n" + selector(base_, tree_, mount);
      if (pick(random_, 2) == 0) {
        delta_ += "options = [\"rw\", \"nodev\"]\n";
        entry.option = "rw";
      }
      if (pick(random_, 2) == 0) {
        entry.source += "-changed";
        delta_ += "source = \"parent:" + entry.source + "\"\n";
      }
      if (mount != 0 && !entry.on.empty() && pick(random_, 2) == 0) {
        entry.on.clear();
        delta_ += "unset = [\"on\"]\n";
      }
    }
  }

  void move() {
    for (const auto& [mount, to] : movers_) {
      if (gone_[mount]) continue;
      delta_ += "[[change]]\n" + selector(base_, tree_, mount) + "to = \"" + to + "\"\n";
    }
    for (std::size_t i = 1; i < base_.size(); ++i) {
      std::size_t mover = i;
      while (mover != 0 && !movers_.contains(mover)) mover = tree_.parent[mover];
      if (mover == 0 || gone_[i]) continue;
      moved_.insert(i);
      edited_[i].target =
          path::join(movers_[mover], path::relative_to(base_[i].target, base_[mover].target));
    }
    for (const std::size_t i : moved_) {
      const auto named = std::find_if(base_.begin(), base_.end(), [&](const Entry& entry) {
        return !base_[i].on.empty() && entry.name == base_[i].on;
      });
      if (named == base_.end()) continue;
      const bool along = moved_.contains(static_cast<std::size_t>(named - base_.begin()));
      if (movers_.contains(i) || !along) edited_[i].on.clear();
    }
  }

  /// New mounts on top of stacks, and some on the root by name.
  void add() {
    for (std::size_t count = pick(random_, 3); count > 0; --count) {
      Entry entry = random_entry(random_, {base_[0]}, "a" + std::to_string(count));
      delta_ += mount(entry);
      const auto same = std::find_if(result_.begin(), result_.end(), [&](const Entry& other) {
        return is_of_base(other) && !entry.on.empty() && other.on == entry.on &&
               other.target == entry.target;
      });
      if (same != result_.end()) clash_ = true;
      result_.push_back(entry);
    }
  }

  static bool is_of_base(const Entry& entry) { return entry.source.starts_with("/src/b"); }

 public:
  /// Whether a new mount names the same parent at the same place as one of the base, which a single
  /// file can only say by an order of its entries.
  [[nodiscard]] bool clash() const { return clash_; }

 private:
  const Entries& base_;
  const Tree tree_;
  Random& random_;
  Entries edited_;
  Entries result_;
  std::vector<bool> gone_;
  std::set<std::size_t> removed_;
  std::set<std::size_t> changed_;
  std::set<std::size_t> moved_;
  std::map<std::size_t, std::string> movers_;
  std::map<std::size_t, std::vector<Entry>> beneath_;
  std::string delta_ = "spec = 1\nextends = [\"base.toml\"]\n";
  bool clash_ = false;
};

bool same(const Layout& a, const Layout& b) {
  const auto same_mount = [](const LayoutMount& x, const LayoutMount& y) {
    return x.parent == y.parent && x.superblock == y.superblock && x.target == y.target &&
           x.mountpoint == y.mountpoint && x.root == y.root && x.attrs == y.attrs;
  };
  const auto same_superblock = [](const DesiredSuperblock& x, const DesiredSuperblock& y) {
    return x.kind == y.kind && x.path == y.path && x.follow == y.follow;
  };
  return a.name == b.name &&
         std::equal(a.mounts.begin(), a.mounts.end(), b.mounts.begin(), b.mounts.end(),
                    same_mount) &&
         std::equal(a.superblocks.begin(), a.superblocks.end(), b.superblocks.begin(),
                    b.superblocks.end(), same_superblock);
}

TEST_CASE("random edits as a delta compile to what the edited spec compiles to") {
  int compared = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Entries base = random_base(random);
    const std::string base_text = full_spec(base);
    const Compiled base_compiled(base_text);
    INFO("seed " << seed << "\n" << base_text << base_compiled.messages());
    REQUIRE(base_compiled.layout);
    const Editor editor(base, *base_compiled.layout, random);
    if (editor.clash()) continue;
    const Compiled whole(full_spec(editor.result()));
    const Compiled delta(editor.delta(), {{"base.toml", base_text}});
    INFO(editor.delta() << "---\n"
                        << full_spec(editor.result()) << delta.messages() << whole.messages());
    REQUIRE(delta.layout.has_value() == whole.layout.has_value());
    if (!whole.layout) continue;
    REQUIRE(same(*delta.layout, *whole.layout));
    ++compared;
  }
  CHECK(compared > 2000);
}

}  // namespace
}  // namespace mntcr
