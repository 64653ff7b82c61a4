// Walks over process trees that are written down: /proc as a map of paths.
#include "runtime/capture/process_tree.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <string>

#include "tests/unit/kernel/scripted_kernel.h"

namespace mntcr {
namespace {

/// A /proc that holds what is put into it.
class WrittenProc : public ScriptedKernel {
 public:
  std::map<std::string, std::vector<std::string>> folders = {{".", {"self"}}};
  std::map<std::string, std::string> files;  ///< links are files that hold what they lead to
  std::map<std::string, int> errors;         ///< what opening or reading a path fails with
  std::vector<std::string> opened;
  std::string ends_when_opened;  ///< this path is gone from then on

  /// A process of one thread; its parent has to be added before.
  void add(int pid, int parent, int ns) {
    const std::string name = std::to_string(pid);
    const std::string thread = name + "/task/" + name;
    folders["."].push_back(name);
    folders[name + "/task"] = {name};
    files[name + "/stat"] = name + " (a) b (c) S " + std::to_string(parent) + " 1 1";
    files[thread + "/children"] = "";
    files[name + "/ns/mnt"] = files[thread + "/ns/mnt"] = "mnt:[" + std::to_string(ns) + "]";
    const std::string siblings = std::to_string(parent) + "/task/" + std::to_string(parent);
    if (files.contains(siblings + "/children")) files[siblings + "/children"] += name + " ";
  }
  void lists_children() { files["thread-self/children"] = ""; }

  Result<Fd> openat2(int dir, const std::string& path, const OpenHow& how) override {
    opened.push_back(path);
    if (path == ends_when_opened) end(path);
    if (errors.contains(path)) return fail("written", errors[path]);
    if (path != "/proc" && !folders.contains(path) && !files.contains(path))
      return fail("written", ENOENT);
    Result<Fd> fd = ScriptedKernel::openat2(dir, path, how);
    paths_[fd->get()] = path;
    return fd;
  }
  Result<std::string> readlinkat(int, const std::string& path) override {
    if (errors.contains(path)) return fail("written", errors[path]);
    if (!files.contains(path)) return fail("written", ENOENT);
    return files[path];
  }
  Result<FileStatus> statx(int fd, const std::string&, int) override {
    FileStatus status;
    status.inode = mount_namespace_inode(files[paths_[fd]]);
    return status;
  }
  Result<std::string> read_all(int fd) override { return files[paths_[fd]]; }
  Result<std::vector<std::string>> getdents(int fd) override { return folders[paths_[fd]]; }

 private:
  void end(const std::string& path) {
    const std::string process = path.substr(0, path.find('/') + 1);
    std::erase_if(files, [&](const auto& file) { return file.first.starts_with(process); });
    std::erase_if(folders, [&](const auto& folder) { return folder.first.starts_with(process); });
    ends_when_opened.clear();
  }

  std::map<int, std::string> paths_;
};

Fd proc_of(Kernel& kernel) { return std::move(*kernel.openat2(Kernel::at_fdcwd, "/proc", {})); }

/// "inode by process" of each namespace, then who refused and who ended.
std::string walked(WrittenProc& kernel, Kinship kinship = Kinship::automatic) {
  const Fd proc = proc_of(kernel);
  std::string text;
  {
    const Result<ProcessTree> tree = walk_process_tree(kernel, proc, 10, kinship);
    if (!tree) return tree.error().message;
    for (const MetNamespace& met : tree->namespaces)
      text += std::to_string(met.inode) + " by " + std::to_string(met.process) + "; ";
    for (const int pid : tree->refused) text += "refused " + std::to_string(pid) + "; ";
    for (const int pid : tree->ended) text += "ended " + std::to_string(pid) + "; ";
  }
  CHECK(kernel.open.size() == 1);
  return text;
}

/// 10 with children 11 and 12, of which the last has 13; 20 is a stranger.
void add_family(WrittenProc& kernel) {
  kernel.add(10, 1, 100);
  kernel.add(11, 10, 101);
  kernel.add(12, 10, 100);
  kernel.add(13, 12, 103);
  kernel.add(20, 1, 200);
}

}  // namespace

TEST_CASE("process tree: all descendants are found, by children or by parents, each ns once") {
  WrittenProc kernel;
  add_family(kernel);
  kernel.add(14, 13, 101);
  const std::string expected = "100 by 10; 101 by 11; 103 by 13; ";
  CHECK(walked(kernel) == expected);
  CHECK(walked(kernel, Kinship::parents) == expected);
  kernel.lists_children();
  CHECK(walked(kernel) == expected);
  CHECK(std::ranges::count(kernel.opened, "20/stat") == 2);
  CHECK(std::ranges::count(kernel.opened, "13/task/13/children") == 1);
}

TEST_CASE("process tree: each thread's namespace and children count") {
  WrittenProc kernel;
  kernel.lists_children();
  add_family(kernel);
  kernel.folders["11/task"] = {"11", "15"};
  kernel.files["11/task/15/ns/mnt"] = "mnt:[115]";
  kernel.files["11/task/15/children"] = "16";
  kernel.add(16, 15, 116);
  CHECK(walked(kernel) == "100 by 10; 101 by 11; 115 by 11; 116 by 16; 103 by 13; ");
}

TEST_CASE("process tree: who may not be looked into is passed over, and his children are not") {
  WrittenProc kernel;
  kernel.lists_children();
  add_family(kernel);
  kernel.errors["12/task/12/ns/mnt"] = EACCES;
  CHECK(walked(kernel) == "100 by 10; 101 by 11; 103 by 13; refused 12; ");
  kernel.errors["12/task"] = EPERM;
  CHECK(walked(kernel) == "100 by 10; 101 by 11; refused 12; ");
}

TEST_CASE("process tree: a process that ends on the way makes it look again, and fails nothing") {
  WrittenProc kernel;
  kernel.lists_children();
  add_family(kernel);
  kernel.ends_when_opened = "12/task";
  kernel.files["11/task/11/children"] = "13";  // who has taken the orphan in
  CHECK(walked(kernel) == "100 by 10; 101 by 11; 103 by 13; ended 12; ");
  CHECK(std::ranges::count(kernel.opened, "12/task") == 3);
  kernel.files["10/task/10/children"] = "11";  // once its parent has noticed
  CHECK(walked(kernel) == "100 by 10; 101 by 11; 103 by 13; ");
}

TEST_CASE("process tree: a zombie has no namespace, and that is nothing to tell") {
  WrittenProc kernel;
  kernel.lists_children();
  add_family(kernel);
  kernel.files.erase("11/task/11/ns/mnt");
  CHECK(walked(kernel) == "100 by 10; 103 by 13; ");
  kernel.files.erase("10/ns/mnt");
  CHECK(walked(kernel).find("process 10") != std::string::npos);
}

TEST_CASE("process tree: a namespace's link tells its inode") {
  CHECK(mount_namespace_inode("mnt:[4026531841]") == 4026531841);
  for (const char* other : {"net:[4026531841]", "mnt:[]", "mnt:[1", "mnt:[1x]", "/", ""})
    CHECK(mount_namespace_inode(other) == 0);
}

}  // namespace mntcr
