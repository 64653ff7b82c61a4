// See files.h. Paths are worked on as text: `a/../b` is `b`, whatever `a` is. A file is known by
// its name, so that one which several files extend is read and merged once.
#include "compiler/spec/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>

#include "compiler/syntax/scalars.h"
#include "runtime/base/path.h"

namespace mntcr::spec {
namespace {

using syntax::Node;

/// A file by the folder that its path starts from: the spec's own, or one of the search.
struct Location {
  std::string root;
  std::string path;  ///< normal; absolute ones have no root
  bool searched = false;

  [[nodiscard]] std::string name() const { return searched ? "<" + path + ">" : path; }
  [[nodiscard]] std::string full() const { return (std::filesystem::path(root) / path).string(); }
};

std::string normal(const std::filesystem::path& path) { return path.lexically_normal().string(); }

/// `path` from `root`, in the one spelling that a file has; from a root that is not absolute a path
/// that leaves it and comes back has another.
std::string normal_from(const std::filesystem::path& root, const std::filesystem::path& path) {
  if (!root.is_absolute()) return normal(path);
  return (root / path).lexically_normal().lexically_relative(root.lexically_normal()).string();
}

/// Follows `extends` from file to file.
class Loader {
 public:
  Loader(const SpecInput& input, SourceMap& sources, Diagnostics& diagnostics)
      : input_(input), sources_(sources), diagnostics_(diagnostics) {}

  std::optional<SpecFiles> load() {
    known_.emplace(input_.name, 0);
    sources_.add(input_.name, input_.text);
    const Location main{input_.folder, input_.name, false};
    visit(main, 0);
    if (diagnostics_.has_errors()) return std::nullopt;
    return std::move(files_);
  }

 private:
  /// A file that is being read, and where it was asked for.
  struct Step {
    FileId file;
    Span asked;
  };

  void visit(const Location& location, FileId file) {
    running_.push_back({file, {}});
    if (auto tree = syntax::parse(sources_, file, diagnostics_)) {
      std::vector<FileId> bases;
      for (const Node& item : extended(*tree)) extend(item, location, bases);
      files_.push_back({file, std::move(*tree), bases});
      bases_[file] = std::move(bases);
    }
    running_.pop_back();
  }

  /// The items of `extends`.
  std::vector<Node> extended(const Node& tree) {
    const syntax::Entry* entry = tree.find("extends");
    if (entry == nullptr) return {};
    if (entry->value.kind == Node::Kind::array) return entry->value.items;
    diagnostics_
        .add(Code::E0204, entry->value.span,
             fmt::format("`extends` is {}", kind_name(entry->value.kind)), "expected an array")
        .help(R"(write extends = ["base.toml"])");
    return {};
  }

  void extend(const Node& item, const Location& from, std::vector<FileId>& bases) {
    const auto path = path_of(item);
    if (!path) return;
    running_.back().asked = item.span;
    const auto file = find(item, *path, from);
    if (!file) return;
    const auto add = [&](FileId base) {
      if (std::find(bases.begin(), bases.end(), base) == bases.end()) bases.push_back(base);
    };
    for (const FileId base : bases_[*file]) add(base);
    add(*file);
  }

  /// What an item of `extends` says, after a complaint nothing.
  std::optional<std::string> path_of(const Node& item) {
    if (item.kind != Node::Kind::string) {
      diagnostics_.add(Code::E0204, item.span,
                       fmt::format("an entry of `extends` is {}", kind_name(item.kind)),
                       "expected a string");
      return std::nullopt;
    }
    const syntax::Template parts = syntax::parse_template(item.text);
    std::string path;
    bool plain = parts.faults.empty();
    for (const syntax::TemplatePiece& piece : parts.pieces) {
      plain = plain && piece.kind == syntax::TemplatePiece::Kind::literal;
      path += piece.text;
    }
    if (!plain) {
      diagnostics_.add(Code::E0221, item.span, "a param in `extends`")
          .note("params are known when all files are merged, which is later")
          .help("write the path itself, and $$ for a dollar sign");
      return std::nullopt;
    }
    return is_path(item, path) ? std::optional(path) : std::nullopt;
  }

  bool is_path(const Node& item, const std::string& path) {
    if (path.starts_with("base:")) {
      diagnostics_
          .add(Code::E0202, item.span,
               fmt::format("there is no `{}`: this version ships no specs", path::printable(path)))
          .help("write the path of a file; for one whose name begins so, \"./base:…\"");
      return false;
    }
    if (!path.empty() && !path.ends_with('/') && path.find('\0') == std::string::npos) return true;
    diagnostics_.add(Code::E0207, item.span, "`extends` does not name a file")
        .help(R"(write extends = ["base.toml"])");
    return false;
  }

  /// The number of the file, read now if it is met for the first time.
  std::optional<FileId> find(const Node& item, const std::string& path, const Location& from) {
    const std::filesystem::path written(path);
    std::vector<Location> places;
    if (written.is_absolute()) {
      places.push_back({"", normal(written), false});
    } else {
      const auto folder = std::filesystem::path(from.path).parent_path();
      places.push_back({from.root, normal_from(from.root, folder / written), from.searched});
      for (const std::string& root : input_.search)
        places.push_back({root, normal_from(root, written), true});
    }
    std::string failure;
    std::vector<std::string> tried;
    for (const Location& place : places) {
      const auto known = known_.find(place.name());
      if (known != known_.end()) {
        if (is_ring(known->second)) return std::nullopt;
        return known->second;
      }
      Result<std::string> text =
          input_.read ? input_.read(place.full()) : fail("no files can be read here");
      if (text) return add(place, std::move(*text));
      failure = text.error().message;
      tried.push_back(place.full());
      if (text.error().number != ENOENT && text.error().number != ENOTDIR) break;
    }
    complain(item, path, tried, failure);
    return std::nullopt;
  }

  FileId add(const Location& place, std::string text) {
    const FileId file = sources_.add(place.name(), std::move(text));
    known_.emplace(place.name(), file);
    visit(place, file);
    return file;
  }

  void complain(const Node& item, const std::string& path, const std::vector<std::string>& tried,
                const std::string& failure) {
    Diagnostic& diagnostic = diagnostics_.add(
        Code::E0102, item.span, fmt::format("cannot read {}: {}", path::printable(path), failure));
    for (const std::string& place : tried) {
      diagnostic.note(fmt::format("looked for {}", path::printable(place)));
    }
    diagnostic.help("a path is relative to the file that says it; -I DIR names further folders");
  }

  /// Complains when `file` is one of those that are being read.
  bool is_ring(FileId file) {
    const auto first = std::find_if(running_.begin(), running_.end(),
                                    [&](const Step& step) { return step.file == file; });
    if (first == running_.end()) return false;
    std::string chain;
    for (auto step = first; step != running_.end(); ++step) chain += name(step->file) + " → ";
    Diagnostic& diagnostic =
        diagnostics_.add(Code::E0227, running_.back().asked,
                         fmt::format("specs that extend each other: {}{}", chain, name(file)));
    for (auto step = first; step + 1 != running_.end(); ++step) {
      diagnostic.label(step->asked,
                       fmt::format("{} extends {}", name(step->file), name((step + 1)->file)));
    }
    diagnostic.help("a base cannot build on what extends it: take one of them away");
    return true;
  }

  [[nodiscard]] std::string name(FileId file) const {
    return path::printable(sources_.at(file).name);
  }

  const SpecInput& input_;
  SourceMap& sources_;
  Diagnostics& diagnostics_;
  std::map<std::string, FileId> known_;
  std::map<FileId, std::vector<FileId>> bases_;
  std::vector<Step> running_;
  SpecFiles files_;
};

}  // namespace

std::optional<SpecFiles> read_spec_files(const SpecInput& input, SourceMap& sources,
                                         Diagnostics& diagnostics) {
  return Loader(input, sources, diagnostics).load();
}

std::optional<SpecFiles> reread_spec_files(const SourceMap& sources, Diagnostics& diagnostics) {
  if (sources.texts().empty()) return std::nullopt;
  std::map<std::string, std::string> texts;
  for (const SourceText& source : sources.texts()) texts.emplace(source.name, source.text);
  // A search of no folder gives the names "<path>", which are looked up as they are.
  const SpecInput input{.name = sources.at(0).name,
                        .text = sources.at(0).text,
                        .folder = {},
                        .search = {"<>"},
                        .read = [&](const std::string& path) -> Result<std::string> {
                          const bool searched = path.starts_with("<>/");
                          const auto found =
                              texts.find(searched ? "<" + path.substr(3) + ">" : path);
                          if (found == texts.end()) return fail("not among the texts", ENOENT);
                          return found->second;
                        }};
  SourceMap again;
  return read_spec_files(input, again, diagnostics);
}

}  // namespace mntcr::spec
