// What differs about a mount that is on both sides: flags, propagation, parameters, read-only
// state.
#include "runtime/diff/compare.h"

#include <catch2/catch.hpp>

#include "tests/unit/diff/trees.h"

namespace mntcr::test {
namespace {

/// The changed line of a container of / and one tmpfs or proc on /x.
std::string changed(const std::string& wanted, const std::string& found) {
  const Case it(". parent:/\n  x " + wanted + '\n', ". 8:1 / ext4\n  x 0:50 / " + found + '\n',
                "/ = 8:1 /");
  const std::string text = it.text();
  return text.substr(0, text.find('\n'));
}

TEST_CASE("flags that the spec does not write are not compared") {
  CHECK(changed("tmpfs nosuid", "tmpfs nosuid,ro,noexec,noatime") == "no differences");
}

TEST_CASE("flags that the spec writes are compared both ways") {
  CHECK(changed("tmpfs nosuid,rw", "tmpfs ro") == "~ /x  options: rw,nosuid -> ro,suid");
}

TEST_CASE("atime is an enumeration") {
  CHECK(changed("tmpfs noatime", "tmpfs strictatime") == "~ /x  options: noatime -> strictatime");
  CHECK(changed("tmpfs relatime", "tmpfs noatime") == "~ /x  options: relatime -> noatime");
  CHECK(changed("tmpfs relatime", "tmpfs") == "no differences");
}

TEST_CASE("propagation that nobody wrote is told") {
  CHECK(changed("tmpfs", "tmpfs shared:7") == "~ /x  propagation: private -> shared");
  CHECK(changed("tmpfs", "tmpfs master:7") == "~ /x  propagation: private -> slave:x");
  CHECK(changed("tmpfs", "tmpfs shared:8,master:7") ==
        "~ /x  propagation: private -> slave:x shared");
  CHECK(changed("tmpfs", "tmpfs unbindable") == "~ /x  propagation: private -> unbindable");
}

TEST_CASE("a parameter is the same in any spelling") {
  CHECK(changed("tmpfs size=64m,mode=0755", "tmpfs size=65536k,mode=755") == "no differences");
  CHECK(changed("proc hidepid=2", "proc hidepid=invisible") == "no differences");
  CHECK(changed("proc subset=pid", "proc subset=pid") == "no differences");
}

TEST_CASE("a parameter that the kernel does not print has its fallback") {
  CHECK(changed("tmpfs mode=1777,uid=0,huge=never", "tmpfs") == "no differences");
  CHECK(changed("tmpfs mode=700", "tmpfs") == "~ /x  mode: 700 -> 1777");
  CHECK(changed("tmpfs size=64m", "tmpfs") == "~ /x  size: 64m -> default");
}

TEST_CASE("a parameter that nobody wrote is told unless it is at its fallback") {
  CHECK(changed("tmpfs", "tmpfs mode=1777,inode64") == "no differences");
  CHECK(changed("tmpfs", "tmpfs size=1024k") == "~ /x  size: default -> 1024k");
  CHECK(changed("proc", "proc hidepid=2") == "~ /x  hidepid: 0 -> 2");
  CHECK(changed("tmpfs", "tmpfs noswap") == "~ /x  noswap: default -> noswap");
}

TEST_CASE("users and groups of another user namespace are not compared") {
  Case foreign(". parent:/\n  x tmpfs uid=0,mode=700\n",
               ". 8:1 / ext4\n  x 0:50 / tmpfs uid=1000,gid=1000,mode=700\n", "/ = 8:1 /");
  CHECK(foreign.changes.size() == 1);
  foreign.table.ids_are_ours = false;
  CHECK(diff(foreign.plan, foreign.resolved, foreign.table).empty());
}

TEST_CASE("tmpfs makes whole pages of a size") {
  CHECK(changed("tmpfs size=5000", "tmpfs size=8k") == "no differences");
  CHECK(changed("tmpfs size=5000", "tmpfs size=12k") == "~ /x  size: 5000 -> 12k");
  CHECK(changed("tmpfs nr_blocks=10", "tmpfs size=40k") == "no differences");
}

TEST_CASE("a size of some per cent is the machine's business") {
  CHECK(changed("tmpfs size=10%", "tmpfs size=812345k") == "no differences");
}

TEST_CASE("a filesystem that became read-only") {
  CHECK(changed("tmpfs", "tmpfs sb=ro") == "~ /x  ro=fs: no -> yes");
  CHECK(changed("tmpfs ro=fs", "tmpfs sb=ro") == "no differences");
  CHECK(Case(". parent:/\n", ". 8:1 / ext4 sb=ro", "/ = 8:1 /").changes.empty());
}

TEST_CASE("the other flags of a filesystem are compared both ways") {
  CHECK(changed("tmpfs sync,lazytime", "tmpfs sync,lazytime") == "no differences");
  CHECK(changed("tmpfs async,nolazytime", "tmpfs") == "no differences");
  CHECK(changed("tmpfs sync", "tmpfs dirsync,sb=ro") ==
        "~ /x  ro=fs: no -> yes; sync: yes -> no; dirsync: no -> yes");
  CHECK(changed("sysfs", "sysfs sync,sb=ro") == "no differences");
}

TEST_CASE("what the kernel prints of devpts, ramfs, hugetlbfs and bpf") {
  CHECK(changed("devpts", "devpts mode=600,ptmxmode=000") == "no differences");
  CHECK(changed("devpts mode=0620,gid=5", "devpts gid=5,mode=620,ptmxmode=000") ==
        "no differences");
  CHECK(changed("devpts uid=0", "devpts mode=600,ptmxmode=000") == "~ /x  uid: 0 -> default");
  CHECK(changed("devpts max=1048576", "devpts") == "no differences");
  CHECK(changed("ramfs mode=0755", "ramfs") == "no differences");
  CHECK(changed("hugetlbfs", "hugetlbfs pagesize=2M") == "no differences");
  CHECK(changed("hugetlbfs pagesize=1G", "hugetlbfs pagesize=1024M") == "no differences");
  CHECK(changed("hugetlbfs pagesize=1G", "hugetlbfs pagesize=2M") == "~ /x  pagesize: 1G -> 2M");
  CHECK(changed("hugetlbfs size=5m", "hugetlbfs pagesize=2M,size=4194304") == "no differences");
  CHECK(changed("hugetlbfs size=5m", "hugetlbfs pagesize=2M,size=6291456") ==
        "~ /x  size: 5m -> 6291456");
  CHECK(changed("bpf mode=1700", "bpf mode=700") == "no differences");
  CHECK(changed("bpf mode=1777", "bpf") == "no differences");
  CHECK(changed("bpf delegate_cmds=prog_load:map_create",
                "bpf delegate_cmds=map_create:prog_load") == "no differences");
  CHECK(changed("bpf delegate_cmds=prog_load", "bpf") ==
        "~ /x  delegate_cmds: prog_load -> default");
  CHECK(changed("bpf delegate_cmds=map_create:0x3", "bpf delegate_cmds=any") == "no differences");
  CHECK(changed("bpf delegate_cmds=0x3", "bpf") == "~ /x  delegate_cmds: 0x3 -> default");
}

TEST_CASE("the width of a tmpfs's inode numbers is compared where it is written") {
  CHECK(changed("tmpfs", "tmpfs inode32") == "no differences");
  CHECK(changed("tmpfs inode64", "tmpfs inode64") == "no differences");
  CHECK(changed("tmpfs inode32", "tmpfs") == "no differences");
  CHECK(changed("tmpfs inode32", "tmpfs inode32") == "no differences");
  CHECK(changed("tmpfs inode32", "tmpfs inode64") == "~ /x  inode32: inode32 -> default");
  CHECK(changed("tmpfs inode64", "tmpfs") == "~ /x  inode64: inode64 -> default");
}

TEST_CASE("a filesystem that takes no name has the kernel's") {
  CHECK(changed("pstore src=pstore", "pstore src=none") == "no differences");
  CHECK(changed("pstore src=mine", "pstore src=none") == "~ /x  fsname: mine -> none");
}

TEST_CASE("the source name counts when the spec gives one") {
  CHECK(changed("tmpfs src=shm", "tmpfs src=shm") == "no differences");
  CHECK(changed("tmpfs src=shm", "tmpfs src=other") == "~ /x  fsname: shm -> other");
  CHECK(changed("tmpfs", "tmpfs src=anything") == "no differences");
}

TEST_CASE("several differences of one mount are one change") {
  CHECK(changed("tmpfs ro,size=1m", "tmpfs shared:3,size=2m") ==
        "~ /x  options: ro -> rw; propagation: private -> shared; size: 1m -> 2m");
}

TEST_CASE("a filesystem's own differences are told once") {
  const Case twice(". parent:/\n  a tmpfs@t size=1m\n  b tmpfs@t\n",
                   ". 8:1 / ext4\n  a 0:50 / tmpfs size=2048k\n  b 0:50 / tmpfs size=2048k\n",
                   "/ = 8:1 /");
  CHECK(twice.text() ==
        "~ /a  size: 1m -> 2048k\n"
        "1 change: 0 appeared, 0 gone, 1 changed\n");
}

}  // namespace
}  // namespace mntcr::test
