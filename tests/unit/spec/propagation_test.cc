// The key `propagation`: which words it takes, and what they mean.
#include "compiler/spec/propagation.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "compiler/spec/decode.h"

namespace mntcr::spec {
namespace {

std::optional<Spec> decode_text(const std::string& text, Diagnostics& diagnostics) {
  SourceMap sources;
  const auto files =
      read_spec_files({.name = "spec.toml", .text = text, .folder = {}, .search = {}, .read = {}},
                      sources, diagnostics);
  REQUIRE(files);
  return decode(*files, {}, diagnostics);
}

const std::string head = "spec = 1\nname = \"t\"\n";
const std::string root = "[root]\nsource = \"parent:/r\"\n";

/// "shared:logs slave:spool unbindable" of the root, or the code of what is wrong.
std::string read(const std::string& value) {
  Diagnostics diagnostics;
  const auto spec = decode_text(head + root + "propagation = \"" + value + "\"\n", diagnostics);
  if (!spec) return std::string(describe(diagnostics.items().front().code).id);
  const auto& found = spec->mounts.front().propagation;
  if (!found) return "nothing";
  std::string words = found->shared ? "shared:" + found->group.value : "";
  if (!found->master.value.empty())
    words += (words.empty() ? "" : " ") + ("slave:" + found->master.value);
  if (found->unbindable) words += (words.empty() ? "" : " ") + std::string("unbindable");
  return words;
}

TEST_CASE("propagations are read in any order of words") {
  CHECK(read("private").empty());
  CHECK(read("shared") == "shared:");
  CHECK(read("shared:logs") == "shared:logs");
  CHECK(read("slave:parent") == "slave:parent");
  CHECK(read("slave:a shared") == "shared: slave:a");
  CHECK(read("slave:a shared:b") == "shared:b slave:a");
  CHECK(read("shared:b  slave:a ") == "shared:b slave:a");
  CHECK(read("unbindable") == "unbindable");
  CHECK(read("slave:a unbindable") == "slave:a unbindable");
  CHECK(read("shared:parent slave:parent") == "shared:parent slave:parent");
}

TEST_CASE("what is no propagation is refused") {
  for (const char* word : {"", " ", "Shared", "rshared", "slave", "slave:", "shared:", "private:a",
                           "unbindable:a", "master:a", "shared,slave:a"}) {
    INFO(word);
    CHECK(read(word) == "E0270");
  }
  for (const char* words :
       {"private shared", "private slave:a", "unbindable shared:a", "slave:a slave:b",
        "shared:a shared:b", "slave:a shared:a", "shared slave:a unbindable"}) {
    INFO(words);
    CHECK(read(words) == "E0271");
  }
  CHECK(read("slave:A") == "E0206");
}

TEST_CASE("a word for whole trees is known by what to write instead") {
  CHECK(propagation_for("rslave") == "slave:parent");
  CHECK(propagation_for("rshared") == "shared");
  CHECK(propagation_for("runbindable") == "unbindable");
  CHECK(propagation_for("private") == "private");
  CHECK(propagation_for("ro").empty());
}

TEST_CASE("groups are those of the tables, then those that only mounts name") {
  Diagnostics diagnostics;
  const auto spec =
      decode_text(head + "[policy]\nescape = \"report\"\ncopies = \"listed\"\n" + root +
                      "propagation = \"slave:new shared:spool\"\n[group.spool]\nparent = "
                      "\"/var/spool\"\nexact = true\n[[mount]]\ntarget = \"/a\"\nsource = "
                      "\"parent:/a\"\npropagation = \"slave:parent shared:new\"\n",
                  diagnostics);
  REQUIRE(spec);
  REQUIRE(spec->groups.size() == 2);
  CHECK(spec->groups[0].name == "spool");
  CHECK(spec->groups[0].parent.value == "/var/spool");
  CHECK(spec->groups[0].exact);
  CHECK(spec->groups[1].name == "new");
  CHECK(spec->groups[1].parent.value.empty());
  CHECK(spec->policy.escape == Escape::report);
  CHECK(spec->mounts[1].listed_all);
  CHECK(spec->mounts[1].propagate);
}

}  // namespace
}  // namespace mntcr::spec
