// The files of a spec: names, order, and the digest of a base. What is said about faults is in
// tests/golden.
#include "compiler/spec/files.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <string>

#include "compiler/spec/digest.h"

namespace mntcr::spec {
namespace {

using Texts = std::map<std::string, std::string>;

struct Read {
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<SpecFiles> files;

  Read(const std::string& folder, const std::string& text, const Texts& texts,
       const std::vector<std::string>& search = {}) {
    const auto read = [&](const std::string& path) -> Result<std::string> {
      const auto found = texts.find(path);
      if (found == texts.end()) return fail("No such file or directory", ENOENT);
      return found->second;
    };
    files = read_spec_files(
        {.name = "main.toml", .text = text, .folder = folder, .search = search, .read = read},
        sources, diagnostics);
    INFO(render_text(diagnostics, sources));
    CHECK(files.has_value() != diagnostics.has_errors());
  }

  /// The names of the files in the order of merging.
  [[nodiscard]] std::string order() const {
    std::string names;
    for (const SpecFile& file : files.value())
      names += (names.empty() ? "" : " ") + sources.at(file.file).name;
    return names;
  }
};

std::string extends(const std::string& items) { return "spec = 1\nextends = [" + items + "]\n"; }

TEST_CASE("files are merged in order, each once, and named from the spec's folder") {
  const Texts texts = {{"/etc/c/a.toml", extends("\"sub/../d.toml\"")},
                       {"/etc/c/../b.toml", extends("\"c/d.toml\", \"/abs/e.toml\"")},
                       {"/etc/c/d.toml", "spec = 1\n"},
                       {"/abs/e.toml", "spec = 1\n"}};
  const Read read("/etc/c", extends("\"a.toml\", \"../b.toml\""), texts);
  CHECK(read.order() == "d.toml a.toml /abs/e.toml ../b.toml main.toml");
  CHECK(read.files->back().file == 0);
  CHECK(read.files->back().bases.size() == 4);
}

TEST_CASE("a search comes after the file's own folder, and its place is in no name") {
  const Texts texts = {{"own.toml", "spec = 1\n"},
                       {"lib/own.toml", "never read"},
                       {"lib/x/base.toml", extends("\"../own.toml\", \"more.toml\"")},
                       {"lib/x/more.toml", "spec = 1\n"},
                       {"usr/more.toml", "never read"}};
  const Read read("", extends("\"own.toml\", \"x/base.toml\""), texts, {"usr", "lib"});
  // own.toml of the library is another file than own.toml beside the spec.
  CHECK(read.diagnostics.has_errors());
  Texts good = texts;
  good["lib/own.toml"] = "spec = 1\n";
  const Read again("", extends("\"own.toml\", \"x/base.toml\""), good, {"usr", "lib"});
  CHECK(again.order() == "own.toml <own.toml> <x/more.toml> <x/base.toml> main.toml");
}

std::string digest(const std::string& folder, const std::string& text, const Texts& texts) {
  const Read read(folder, text, texts);
  return base_digest(read.sources).value();
}

TEST_CASE("a digest is that of what the files say, not of how and where") {
  const std::string text =
      "spec = 1\nname = \"web\"\nextends = [\"b.toml\"]\n[params]\nx = \"1\"\n";
  const std::string base = "spec = 1\n[root]\nsource = \"parent:${x}\"\noptions = [\"ro\"]\n";
  const std::string first = digest("", text, {{"b.toml", base}});
  CHECK(first.size() == 64);
  const auto same = [&](const std::string& other, const std::string& other_base) {
    return digest("/a", other, {{"/a/b.toml", other_base}}) == first;
  };
  CHECK(same(text, base));
  CHECK(same("# comment\nname = \"web\"\nspec = 1\nextends = [\"./b.toml\"]\n", base));
  CHECK(same(text + "y = \"2\"\n[checkpoint]\nhost = \"tui\"\n", base));
  CHECK(same(text, "spec = 1\nroot = { options = ['ro'], source = 'parent:${x}' }\n"));
  CHECK_FALSE(same(text, base + "[[mount]]\ntarget = \"/a\"\n"));
  CHECK_FALSE(same(text, "spec = 1\n[root]\nsource = \"parent:${x}\"\noptions = [\"rw\"]\n"));
}

TEST_CASE("the digest of a base is what a checkpoint that extends it is held against") {
  const Texts texts = {{"sub/web.toml", extends("\"lib.toml\"")},
                       {"sub/lib.toml", "spec = 1\nname = \"web\"\n"}};
  const std::string written = digest("sub", texts.at("sub/web.toml"), texts);
  const Read delta("", extends("\"sub/web.toml\""), texts);
  CHECK(digest_of_bases(*delta.files, delta.files->back()) == written);
}

TEST_CASE("texts that are no spec have no digest") {
  SourceMap sources;
  CHECK_FALSE(base_digest(sources));
  sources.add("plan.toml", "not = ");
  CHECK_FALSE(base_digest(sources));
}

}  // namespace
}  // namespace mntcr::spec
