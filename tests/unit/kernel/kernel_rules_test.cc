// The table of rules and the page that explains them say the same.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "runtime/kernel/model/kernel_rule.h"

namespace mntcr {
namespace {

TEST_CASE("each rule has one row on the page, and each row is a rule") {
  std::ifstream file(MNTCR_SOURCE_DIR "/specs/kernel-semantics.md");
  std::vector<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) rows.push_back(line);
  }
  REQUIRE(rows.size() == kernel_rules().size());
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const KernelRuleInfo& info = kernel_rules()[index];
    const std::string begin =
        "| `" + std::string(info.name) + "` | " + std::string(info.sentence) + " | ";
    INFO(rows[index]);
    CHECK(rows[index].starts_with(begin));
  }
}

TEST_CASE("rules have names and sentences of their own") {
  std::set<std::string_view> names;
  std::set<std::string_view> sentences;
  for (const KernelRuleInfo& info : kernel_rules()) {
    CHECK(names.insert(info.name).second);
    CHECK(sentences.insert(info.sentence).second);
    CHECK(info.sentence.ends_with("."));
  }
}

}  // namespace
}  // namespace mntcr
