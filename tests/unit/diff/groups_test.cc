// Peer groups: compared as partitions of the mounts, whatever numbers the kernel gives them, and
// said by names.
#include "runtime/diff/groups.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

const std::string from = "/ = 8:1 /\n/a = 8:1 /a\n/b = 8:1 /b\n/spool = 8:2 /spool\n";

/// A container of / with these mounts.
std::string wanted(const std::string& mounts) { return ". parent:/\n" + mounts; }
std::string found(const std::string& mounts) { return ". 8:1 / ext4\n" + mounts; }

/// The text of the comparison, without the line that counts.
std::string told(const Case& it) {
  std::string text = it.text();
  const std::size_t count = text.find(" change");
  if (count == std::string::npos) return text;
  const std::size_t begin = text.rfind('\n', count) + 1;
  return text.erase(begin, text.find('\n', begin) + 1 - begin);
}

std::string told(const std::string& desired_mounts, const std::string& live_mounts,
                 const std::string& parent = "") {
  return told(Case(wanted(desired_mounts), found(live_mounts), from, parent));
}

const std::string family = R"(
  a  tmpfs@t  shared:up
  b  tmpfs@t  shared:up
  c  tmpfs@t  slave:up,shared:down
  d  tmpfs@t  slave:up,shared:down
  e  tmpfs@t  slave:down
  f  tmpfs@t  slave:up,unbindable
  g  tmpfs    shared
  h  tmpfs    unbindable
)";

std::string family_with(int up, int down, int own) {
  const auto word = [](int number) { return std::to_string(number); };
  return "  a 0:50 / tmpfs shared:" + word(up) + "\n  b 0:50 / tmpfs shared:" + word(up) +
         "\n  c 0:50 / tmpfs shared:" + word(down) + ",master:" + word(up) +
         "\n  d 0:50 / tmpfs shared:" + word(down) + ",master:" + word(up) +
         "\n  e 0:50 / tmpfs master:" + word(down) +
         "\n  f 0:50 / tmpfs unbindable,master:" + word(up) +
         "\n  g 0:51 / tmpfs shared:" + word(own) + "\n  h 0:52 / tmpfs unbindable\n";
}

TEST_CASE("groups are the same whatever their numbers") {
  CHECK(told(family, family_with(1, 2, 3)) == "no differences\n");
  CHECK(told(family, family_with(3, 1, 2)) == "no differences\n");
  CHECK(told(family, family_with(900, 7, 1)) == "no differences\n");
}

TEST_CASE("a group has a member more, or less") {
  const std::string two = "  a tmpfs@t shared:g\n  b tmpfs@t shared:g\n  c tmpfs@t\n";
  const std::string ab = "  a 0:50 / tmpfs shared:4\n  b 0:50 / tmpfs shared:4\n";
  CHECK(told(two, ab + "  c 0:50 / tmpfs\n") == "no differences\n");
  CHECK(told(two, ab + "  c 0:50 / tmpfs shared:4\n") ==
        "~ /c  propagation: private -> shared:g\n");
  CHECK(told(two, "  a 0:50 / tmpfs shared:4\n  b 0:50 / tmpfs\n  c 0:50 / tmpfs\n") ==
        "~ /b  propagation: shared:g -> private\n");
  CHECK(told(two, "  a 0:50 / tmpfs shared:4\n  b 0:50 / tmpfs shared:5\n  c 0:50 / tmpfs\n") ==
        "~ /b  propagation: shared:g -> shared\n");
}

TEST_CASE("a group is the live one that most of its mounts are in") {
  CHECK(told("  a tmpfs@t shared:g\n  b tmpfs@t shared:g\n  c tmpfs@t slave:g\n",
             "  a 0:50 / tmpfs shared:1\n  b 0:50 / tmpfs shared:2\n  c 0:50 / tmpfs master:2\n") ==
        "~ /a  propagation: shared:g -> shared\n");
}

TEST_CASE("two groups became one") {
  CHECK(told("  a tmpfs@t shared\n  b tmpfs@t shared\n",
             "  a 0:50 / tmpfs shared:1\n  b 0:50 / tmpfs shared:1\n") ==
        "~ /b  propagation: shared -> shared:a\n");
}

TEST_CASE("a mount has another master, or other kinds of propagation") {
  const std::string slaves =
      "  a tmpfs@t shared:g\n  b tmpfs@t shared:h\n  c tmpfs@t slave:g\n"
      "  d tmpfs@t slave:h\n";
  const std::string ab = "  a 0:50 / tmpfs shared:1\n  b 0:50 / tmpfs shared:2\n";
  CHECK(told(slaves, ab + "  c 0:50 / tmpfs master:2\n  d 0:50 / tmpfs master:2\n") ==
        "~ /c  propagation: slave:g -> slave:h\n");
  CHECK(told(slaves, ab + "  c 0:50 / tmpfs master:1,shared:5\n  d 0:50 / tmpfs master:2\n") ==
        "~ /c  propagation: slave:g -> slave:g shared\n");
  CHECK(told(slaves, ab + "  c 0:50 / tmpfs master:1,unbindable\n  d 0:50 / tmpfs\n") ==
        "~ /c  propagation: slave:g -> slave:g unbindable\n"
        "~ /d  propagation: slave:h -> private\n");
}

TEST_CASE("a stack is aligned by propagation where that is all that tells its layers apart") {
  CHECK(told("  a tmpfs@t\n    . tmpfs@t shared\n", "  a 0:50 / tmpfs shared:3\n") ==
        "- /a (layer 0)  tmpfs\n");
}

const std::string spool = "[group] spool /spool exact\n";
const std::string outside =
    ". 8:1 / ext4\n  spool 8:2 /spool ext4 shared:9\n  x 8:3 / ext4 shared:8\n";

std::string told_spool(const std::string& word, const std::string& live_word,
                       const std::string& parent = outside) {
  return told(Case(spool + wanted("  s parent:/spool " + word + "\n"),
                   found("  s 8:2 /spool ext4 " + live_word + "\n"), from, parent));
}

TEST_CASE("a group across the border is that of the parent's mount") {
  CHECK(told_spool("shared:spool", "shared:9") == "no differences\n");
  CHECK(told_spool("slave:spool", "master:9") == "no differences\n");
  CHECK(told_spool("slave:spool,shared:in", "master:9,shared:4") == "no differences\n");
  CHECK(told_spool("slave:spool", "shared:9") ==
        "~ /s  propagation: slave:spool -> shared:spool\n"
        "sharing with the parent that nobody declared:\n"
        "! /s  receives from and sends to /spool\n");
}

TEST_CASE("a declared group is another one than the parent has") {
  const std::string other = told_spool("slave:spool", "master:8");
  CHECK(other ==
        "~ /s  propagation: slave:spool -> slave:x\n"
        "sharing with the parent that nobody declared:\n! /s  receives from /x\n");
  CHECK(told_spool("slave:spool", "master:9", ". 8:1 / ext4 shared:9\n") ==
        "~ /s  propagation: slave:spool -> slave:root\n"
        "sharing with the parent that nobody declared:\n! /s  receives from /\n");
}

TEST_CASE("what a group across the border is a slave of is the parent's affair") {
  CHECK(told_spool("shared:spool", "shared:9,master:3",
                   ". 8:1 / ext4\n  spool 8:2 /spool ext4 shared:9,master:3\n") ==
        "no differences\n");
}

TEST_CASE("the word `parent` means the group of one's own source") {
  const std::string parents = R"(
[group] parent /a
.    parent:/
  a  parent:/a  slave:parent
)";
  const std::string parent = ". 8:1 / ext4 shared:5\n";
  CHECK(told(Case(parents, found("  a 8:1 /a ext4 master:5\n"), from, parent)) ==
        "no differences\n");
  CHECK(told(Case(parents, found("  a 8:1 /a ext4 shared:5\n"), from, parent)) ==
        "~ /a  propagation: slave:parent -> shared:parent\n"
        "sharing with the parent that nobody declared:\n"
        "! /a  receives from and sends to /\n");
}

TEST_CASE("a group of the container's own that the parent has joined is another one") {
  CHECK(told("  a tmpfs@t shared:g\n  b tmpfs@t shared:g\n",
             "  a 0:50 / tmpfs shared:7\n  b 0:50 / tmpfs shared:7\n",
             ". 8:1 / ext4\n  mnt 0:50 / tmpfs shared:7\n") ==
        "~ /a  propagation: shared:g -> shared:a\n~ /b  propagation: shared:g -> shared:a\n"
        "sharing with the parent that nobody declared:\n"
        "! /a  receives from and sends to /mnt\n! /b  receives from and sends to /mnt\n");
}

TEST_CASE("sharing that is no difference is told, and counts unless the plan lets it be") {
  Case sends(wanted("  a tmpfs shared\n"), found("  a 0:50 / tmpfs shared:7\n"), from,
             ". 8:1 / ext4\n  mnt 0:50 / tmpfs master:7\n");
  CHECK(sends.text() ==
        "no differences\nsharing with the parent that nobody declared:\n! /a  sends to /mnt\n");
  CHECK(is_different(sends.report()));
  CHECK(sends.json().find("\"same\": false") != std::string::npos);
  CHECK(sends.json().find(R"("escapes": [
    {
      "namespace": "main",
      "target": "/a",
      "receives": false,
      "sends": true,
      "partner": "/mnt"
    }
  ])") != std::string::npos);
  sends.plan.escape = Escape::report;
  CHECK(sends.text() ==
        "no differences\nsharing with the parent that nobody declared:\n! /a  sends to /mnt\n");
  CHECK_FALSE(is_different(sends.report()));
  sends.plan.escape = Escape::allow;
  CHECK(sends.text() == "no differences\n");
  CHECK_FALSE(is_different(sends.report()));
}

TEST_CASE("a master that nobody shows") {
  CHECK(told("  a tmpfs\n", "  a 0:50 / tmpfs master:7\n") ==
        "~ /a  propagation: private -> slave:a\n"
        "sharing with the parent that nobody declared:\n"
        "! /a  receives from a namespace that is not looked at\n");
}

TEST_CASE("ten thousand mounts in a thousand groups take a moment") {
  Plan plan = desired(". parent:/");
  MountTable table = live(". 8:1 / ext4");
  constexpr std::uint32_t groups = 1000;
  for (std::uint32_t index = 0; index < groups; ++index) {
    DesiredGroup group;
    group.name = "g" + std::to_string(index);
    plan.groups.push_back(group);
  }
  for (std::uint32_t index = 0; index < 10 * groups; ++index) {
    DesiredMount wanted;
    wanted.parent = 0;
    wanted.superblock = 0;
    wanted.mountpoint = "m" + std::to_string(100000 + index);
    wanted.target = "/" + wanted.mountpoint;
    wanted.group = index % groups;
    plan.mounts.push_back(wanted);
    LiveMount mount;
    mount.parent = 0;
    mount.below_parent = wanted.mountpoint;
    mount.mountpoint = wanted.target;
    mount.dev_major = 8;
    mount.dev_minor = 1;
    mount.root = "/";
    mount.fs_type = "ext4";
    mount.peer_group = 1 + ((index * 7 + 3) % groups);
    table.mounts.push_back(mount);
  }
  const Case large(std::move(plan), std::move(table), from);
  CHECK(large.text() == "no differences\n");
}

}  // namespace
}  // namespace mntcr::test
