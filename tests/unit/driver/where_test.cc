// The words of WHERE, and the names that namespaces get when the words say none.
#include "compiler/driver/where.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "compiler/driver/naming.h"
#include "compiler/driver/options.h"

namespace mntcr::driver {
namespace {

/// "name<where" of each word; else the codes and messages.
std::string parsed(const std::vector<std::string>& words) {
  Diagnostics diagnostics;
  std::string text;
  if (const auto all = parse_where(words, diagnostics)) {
    for (const WhereWord& word : *all) text += word.name + "<" + word.where + " ";
  }
  for (const Diagnostic& item : diagnostics.items())
    text += std::string(describe(item.code).id) + " " + item.message + "; ";
  return text;
}

/// "name name | note, note"
std::string named(const std::vector<NamelessNamespace>& met,
                  const std::vector<std::string>& expected = {}) {
  const Naming naming = name_namespaces(met, expected);
  std::string text;
  for (const std::size_t index : naming.order)
    text += std::to_string(met[index].id) + "=" + naming.names[index] + " ";
  for (const std::string& note : naming.notes) text += "| " + note + " ";
  return text;
}

ParsedCommandLine command(std::vector<const char*> words) {
  words.insert(words.begin(), "mntcr");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("WHERE: one word is taken as it is, and a slash before = makes a path") {
  CHECK(parsed({"123"}) == "<123 ");
  CHECK(parsed({"web"}) == "<web ");
  CHECK(parsed({"/proc/1/ns/mnt"}) == "</proc/1/ns/mnt ");
  CHECK(parsed({"./a=b"}) == "<./a=b ");
  CHECK(parsed({"/tmp/a=b"}) == "</tmp/a=b ");
}

TEST_CASE("WHERE: namespaces by their names, main first and the others by name") {
  CHECK(parsed({"main=123"}) == "main<123 ");
  CHECK(parsed({"worker=/a/b=c", "aux=4", "main=web"}) == "main<web aux<4 worker</a/b=c ");
}

TEST_CASE("WHERE: what is wrong with names is told, all of it") {
  CHECK(parsed({"worker=1"}) == "E0645 none of the namespaces is called `main`; ");
  CHECK(parsed({"main=1", "main=2"}) == "E0645 two namespaces are called `main`; ");
  CHECK(parsed({"main=1", "2"}) == "E0645 `2` says no name for its namespace; ");
  CHECK(parsed({"main=1", "Worker=2", "aux="}) ==
        "E0645 `Worker=2`: `Worker` is no name for a namespace; "
        "E0645 `aux=` does not say where `aux` is; ");
  CHECK(parsed({"=1"}) == "E0645 `=1`: `` is no name for a namespace; ");
}

TEST_CASE("naming: the process's own is main, others by their pins, the rest by their ids") {
  CHECK(named({}).empty());
  CHECK(named({{7, 70, 1, "other"}}) == "7=main ");
  CHECK(named({{7, 70, 1, ""}, {9, 90, 3, ""}, {8, 80, 2, ""}, {5, 50, 0, "worker"}}) ==
        "7=main 5=worker 8=ns-2 9=ns-3 | the namespace of process 2 is called `ns-2` "
        "| the namespace of process 3 is called `ns-3` ");
  CHECK(named({{0, 70, 1, ""}, {0, 90, 3, "b"}, {0, 80, 2, "a"}}) == "0=main 0=a 0=b ");
}

TEST_CASE("naming: names of the spec that nobody has go by its order") {
  CHECK(named({{7, 70, 1, ""}, {9, 90, 3, ""}, {8, 80, 0, ""}}, {"main", "worker", "aux"}) ==
        "7=main 9=aux 8=worker | a namespace that no process is in is taken for `worker` "
        "| the namespace of process 3 is taken for `aux` ");
  CHECK(named({{7, 70, 1, ""}, {8, 80, 2, "worker"}, {9, 90, 3, ""}}, {"main", "worker"})
            .starts_with("7=main 8=worker 9=ns-2 |"));
}

TEST_CASE("naming: no name is given twice") {
  CHECK(named({{7, 70, 1, ""}, {8, 80, 2, "main"}, {9, 90, 3, "ns-2"}}) ==
        "7=main 9=ns-2 8=ns-3 | the namespace of process 2 is called `ns-3` ");
  std::vector<NamelessNamespace> many(12);
  for (std::size_t index = 0; index < many.size(); ++index) many[index].id = index + 1;
  CHECK(named(many).find("9=ns-9 10=ns-10 11=ns-11 12=ns-12 ") != std::string::npos);
}

TEST_CASE("the command line: several words of WHERE, then the spec, options anywhere") {
  const auto words = [](const ParsedCommandLine& line) {
    REQUIRE(line.options.has_value());
    std::string text;
    for (const std::string& word : line.options->where) text += word + " ";
    return text + "< " + line.options->input;
  };
  CHECK(words(command({"diff", "web", "web.toml"})) == "web < web.toml");
  const auto several =
      command({"diff", "main=1", "-f", "json", "worker=2", "--set", "a=b", "web.toml", "-o", "x"});
  CHECK(words(several) == "main=1 worker=2 < web.toml");
  CHECK(several.options->form == DiffForm::json);
  CHECK(several.options->output == "x");
  CHECK(several.options->settings.size() == 1);
  CHECK(words(command({"capture", "main=1", "-o", "x", "worker=2"})) == "main=1 worker=2 < ");
  CHECK(command({"diff", "web"}).exit_code == exit_trouble);
  CHECK(command({"diff"}).exit_code == exit_trouble);
  CHECK(command({"capture"}).exit_code == exit_trouble);
}

}  // namespace mntcr::driver
