// Syntax tree -> Spec: what the decoded values are. What is said about faults is in tests/golden.
#include "compiler/spec/decode.h"

#include <catch2/catch.hpp>
#include <string>

namespace mntcr::spec {
namespace {

struct Decoded {
  SourceMap sources;
  Diagnostics diagnostics;
  std::optional<Spec> spec;

  explicit Decoded(std::string text, const std::vector<ParamSetting>& settings = {}) {
    const auto files = read_spec_files(
        {.name = "spec.toml", .text = std::move(text), .folder = {}, .search = {}, .read = {}},
        sources, diagnostics);
    if (files) spec = decode(*files, settings, diagnostics);
    INFO(render_text(diagnostics, sources));
    CHECK(spec.has_value() != diagnostics.has_errors());
  }

  [[nodiscard]] std::string written(Span span) const { return std::string(sources.text(span)); }
  [[nodiscard]] std::vector<Code> codes() const {
    std::vector<Code> result;
    for (const Diagnostic& item : diagnostics.items()) result.push_back(item.code);
    return result;
  }
};

const std::string head = "spec = 1\nname = \"web\"\n[root]\nsource = \"parent:/srv/web\"\n";

TEST_CASE("a spec is decoded with the places of its values") {
  const Decoded decoded(
      head +
      "options = [\"ro\", \"nosuid\"]\n"
      "[filesystem.scratch]\ntype = \"tmpfs\"\noptions = [\"size=64m\", \"mode=1777\"]\nfsname = "
      "\"shm\"\n"
      "[[mount]]\ntarget = \"/tmp\"\nsource = \"fs:scratch/a\"\ncreate = \"dir\"\n"
      "[[mount]]\ntarget = \"/proc\"\ntype = \"proc\"\noptions = [\"noexec\", \"hidepid=2\"]\n"
      "[[mount]]\ntarget = \"/l\"\nsource = \"parent:/l\"\nfollow = false\n");
  REQUIRE(decoded.spec);
  const Spec& spec = *decoded.spec;
  CHECK(spec.name.value == "web");
  REQUIRE(spec.mounts.size() == 4);
  const MountDecl& root = spec.mounts[0];
  CHECK(root.target.value == "/");
  CHECK(root.attrs == AttrDemand{mount_attr::rdonly | mount_attr::nosuid,
                                 mount_attr::rdonly | mount_attr::nosuid});
  CHECK(root.source->scheme == SourceRef::Scheme::parent);
  CHECK(root.source->path == "/srv/web");
  CHECK(decoded.written(root.source->span) == "\"parent:/srv/web\"");
  REQUIRE(spec.filesystems.size() == 1);
  CHECK(spec.filesystems[0].fsname == "shm");
  CHECK(spec.filesystems[0].params == std::vector<std::string>{"size=64m", "mode=1777"});
  CHECK(decoded.written(spec.filesystems[0].span) == "[filesystem.scratch]");
  CHECK(spec.mounts[1].source->name == "scratch");
  CHECK(spec.mounts[1].source->path == "a");
  CHECK(spec.mounts[1].create == Create::dir);
  CHECK(decoded.written(spec.mounts[1].create_span) == "\"dir\"");
  CHECK(decoded.written(spec.mounts[1].span) == "[[mount]]");
  REQUIRE(spec.mounts[2].made);
  CHECK(spec.mounts[2].made->fsname == "proc");
  CHECK(spec.mounts[2].made->params == std::vector<std::string>{"hidepid=2"});
  CHECK(spec.mounts[2].attrs == AttrDemand{mount_attr::noexec, mount_attr::noexec});
  CHECK(spec.mounts[2].follow);
  CHECK_FALSE(spec.mounts[3].follow);
}

TEST_CASE("flags say what they clear, too") {
  const Decoded decoded(head + "options = [\"rw\", \"relatime\", \"dev\"]\n");
  REQUIRE(decoded.spec);
  CHECK(decoded.spec->mounts[0].attrs ==
        AttrDemand{0, mount_attr::rdonly | mount_attr::atime_mask | mount_attr::nodev});
}

TEST_CASE("params are replaced once, in any order, and --set is literal") {
  const std::string text =
      "spec = 1\nname = \"web\"\n[params]\nb = \"${a}/b\"\na = \"/srv\"\nc = \"$$\"\n"
      "[root]\nsource = \"parent:${b}${c}${byte:41}\"\n";
  const Decoded plain(text);
  REQUIRE(plain.spec);
  CHECK(plain.spec->mounts[0].source->path == "/srv/b$A");
  const Decoded set(text, {{"a", "/x${b}"}, {"a", "/y$b"}});
  REQUIRE(set.spec);
  CHECK(set.spec->mounts[0].source->path == "/y$b/b$A");
}

TEST_CASE("a fault in a param's value is shown where the param is used") {
  const Decoded decoded(
      "spec = 1\nname = \"web\"\n[params]\na = \"x/..\"\n[root]\nsource = \"parent:/${a}/b\"\n");
  REQUIRE(decoded.codes() == std::vector<Code>{Code::E0207});
  CHECK(decoded.written(decoded.diagnostics.items()[0].span()) == "${a}");
}

TEST_CASE("a param that only --set gives a bad value is checked all the same") {
  const std::string text =
      "spec = 1\nname = \"web\"\n[params]\na = { required = true }\n[root]\nsource = \"${a}\"\n";
  CHECK(Decoded(text, {{"a", "parent:/a"}}).spec);
  CHECK(Decoded(text, {{"a", "/a"}}).codes() == std::vector<Code>{Code::E0208});
  CHECK(Decoded(text, {{"a", ""}}).codes() == std::vector<Code>{Code::E0222});
  CHECK(Decoded(text).codes() == std::vector<Code>{Code::E0222});
  CHECK(Decoded(text, {{"a", "parent:/a"}, {"b", "x"}}).codes() == std::vector<Code>{Code::E0225});
}

TEST_CASE("another version of the language is not looked into") {
  CHECK(Decoded("spec = 7\nwhat = 1\n[params]\nx = 1\n").codes() == std::vector<Code>{Code::E0205});
}

TEST_CASE("warnings do not stop a spec") {
  const Decoded decoded(head + "options = [\"ro\", \"ro\"]\n");
  REQUIRE(decoded.spec);
  CHECK(decoded.codes() == std::vector<Code>{Code::W0201});
}

TEST_CASE("any kind of value in any place is refused, never worse") {
  const std::string values[] = {"1",    "-1.5", "true", "1979-05-27", "[]",    "{}",
                                "[[]]", "[{}]", "[1]",  "\"\"",       "\"$\"", "\"x\""};
  const std::string keys[] = {"spec",
                              "name",
                              "params",
                              "root",
                              "mount",
                              "filesystem",
                              "params.a",
                              "root.source",
                              "root.options",
                              "root.type",
                              "root.follow",
                              "root.create",
                              "filesystem.a",
                              "filesystem.a.type",
                              "filesystem.a.options",
                              "filesystem.a.fsname"};
  for (const std::string& key : keys) {
    for (const std::string& value : values) {
      const Decoded decoded(key + " = " + value + "\n");
      CHECK_FALSE(decoded.spec);
    }
  }
  for (const std::string& value : values) {
    for (const char* key :
         {"target", "source", "type", "options", "create", "follow", "fsname", "other"}) {
      Decoded(head + "[[mount]]\n" + key + " = " + value + "\n");
    }
  }
}

}  // namespace
}  // namespace mntcr::spec
